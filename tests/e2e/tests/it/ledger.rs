//! What WhatsApp really took: the oracle of "nothing lost, nothing doubled".

use sandbox::{SandboxHandle, meta::Filter};
use serde_json::Value;

/// A text message that WhatsApp took.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) wamid: String,
    pub(crate) text: String,
    /// Whom it was for, as the request said.
    pub(crate) to: String,
    /// What the sender saw of it: `returned`, or the kind of the fault.
    pub(crate) answer: &'static str,
}

/// Text messages in the order in which WhatsApp took them.
pub(crate) fn taken(sandbox: &SandboxHandle) -> Vec<Taken> {
    let sends = sandbox.ledger().sends(&Filter::default());
    let texts = sends.iter().filter_map(|send| {
        let request = send.json()?;
        let to = request.get("to").and_then(Value::as_str);
        Some(Taken {
            wamid: send.wamid.to_string(),
            text: request.pointer("/text/body")?.as_str()?.to_owned(),
            to: to.unwrap_or_default().to_owned(),
            answer: send.answer,
        })
    });
    texts.collect()
}
