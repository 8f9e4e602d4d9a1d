//! `docs/openapi.json`: what the gateway serves at `/openapi.json`, laid out for reading and for diffs.

use anyhow::{Context, Result};
use serde_json::Value;

/// The document with one value a line and the keys of an object sorted, whatever the build's map keeps.
pub(crate) fn document(served: &str) -> Result<String> {
    let mut document: Value =
        serde_json::from_str(served).context("read the generated OpenAPI document")?;
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).context("write the OpenAPI document")?;
    text.push('\n');
    Ok(text)
}
