//! A provider's own account of itself, and whether we can work with it.

mod check;
mod document;
mod fault;

pub(crate) use check::{ClientAuthentication, Plan};
pub(crate) use document::Document;
pub use fault::{Faults, SetupFault};
use url::Url;

use crate::{
    Settings,
    http::{Endpoint, Http, Trouble},
    keys::KeySet,
};

/// What a provider publishes.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) document: Document,
    pub(crate) keys: KeySet,
}

/// Fetches everything, and checks it before the next address is called.
pub(crate) async fn fetch(
    http: &Http,
    settings: &Settings,
    rules: &check::Rules,
) -> Result<(Published, Plan), Faults> {
    let address = check::discovery_address(settings, rules)?;
    let document: Document = http
        .get(Endpoint::Discovery, address, None)
        .await
        .and_then(|answer| answer.json().map_err(Trouble::from))
        .map_err(|trouble| SetupFault::call(Endpoint::Discovery, trouble))?;
    let plan = Plan::new(settings, &document, rules)?;
    let keys = fetch_keys(http, plan.keys.clone()).await?;
    Ok((Published { document, keys }, plan))
}

/// Fetches the signing keys.
pub(crate) async fn fetch_keys(http: &Http, address: Url) -> Result<KeySet, SetupFault> {
    let answer = http
        .get(Endpoint::Keys, address, None)
        .await
        .map_err(|trouble| SetupFault::call(Endpoint::Keys, trouble))?;
    KeySet::parse(answer.body())
}

pub(crate) use check::Rules;
