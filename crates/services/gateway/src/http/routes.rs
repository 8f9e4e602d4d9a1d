//! The REST surface, read from the document that is generated beside the transcoder: one entry per
//! path and method, with the rule of the RPC behind it.

use std::collections::BTreeMap;

use http::Method;
use proto::access::{self, Access};
use serde::Deserialize;

/// One REST operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// As the transcoder spells it; a HEAD request is served by its GET.
    pub(crate) method: &'static str,
    /// The RPC.
    pub(crate) access: &'static Access,
}

/// The operations of one path, `/v1/channels/{channel_id}`.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) path: String,
    pub(crate) operations: Vec<Operation>,
}

/// Why the document can't be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoutesError {
    /// It is not the shape that the build makes.
    #[error("the API document is malformed")]
    Malformed(#[source] serde_json::Error),
    /// An operation names no RPC, or several.
    #[error("the operation {0} of the API document is not exactly one RPC")]
    NotAnRpc(String),
}

#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, Described>>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "operationId")]
    operation_id: String,
}

/// Every route of the API.
///
/// # Errors
///
/// [`RoutesError`]: the generated document and the generated access table disagree.
pub(crate) fn all() -> Result<Vec<Route>, RoutesError> {
    let document: Document =
        serde_json::from_str(proto::OPENAPI).map_err(RoutesError::Malformed)?;
    document
        .paths
        .into_iter()
        .map(|(path, described)| {
            let operations = described
                .into_iter()
                .map(|(method, described)| operation(&method, &described.operation_id))
                .collect::<Result<_, _>>()?;
            Ok(Route { path, operations })
        })
        .collect()
}

fn operation(method: &str, id: &str) -> Result<Operation, RoutesError> {
    let refused = || RoutesError::NotAnRpc(id.to_owned());
    let method = spelled(method).ok_or_else(refused)?;
    let mut named = access::all()
        .iter()
        .filter(|access| access.public_api && access.path.rsplit('/').next() == Some(id));
    match (named.next(), named.next()) {
        (Some(access), None) => Ok(Operation { method, access }),
        _ => Err(refused()),
    }
}

fn spelled(method: &str) -> Option<&'static str> {
    [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ]
    .iter()
    .position(|known| known.as_str().eq_ignore_ascii_case(method))
    .map(|index| ["GET", "POST", "PUT", "PATCH", "DELETE"][index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_rpc_has_a_route_and_no_other_has() {
        let routes = all().expect("the generated document");
        let served: Vec<_> = routes
            .iter()
            .flat_map(|route| &route.operations)
            .map(|operation| operation.access.path)
            .collect();
        for access in access::all() {
            let count = served.iter().filter(|path| **path == access.path).count();
            assert_eq!(count, usize::from(access.public_api), "{}", access.path);
        }
    }
}
