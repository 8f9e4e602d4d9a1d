//! The REST surface, read from the document that is generated beside the transcoder: one entry per
//! path and method, with the rule of the RPC behind it.

use std::collections::{BTreeMap, HashSet};

use http::Method;
use proto::access::{self, Access};
use serde::Deserialize;
use serde_json::Value;

/// One REST operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// As the transcoder spells it; a HEAD request is served by its GET.
    pub(crate) method: &'static str,
    /// The RPC.
    pub(crate) access: &'static Access,
    /// The answer has the tokens of a session.
    pub(crate) answers_tokens: bool,
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

/// Where the document says what an answer is.
const ANSWER: &str = "/content/application~1json/schema/$ref";
const SCHEMAS: &str = "#/components/schemas/";
const SESSION_TOKENS: &str = "#/components/schemas/switchboard.identity.v1.SessionTokens";

#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, Described>>,
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    schemas: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "operationId")]
    operation_id: String,
    #[serde(default)]
    responses: BTreeMap<String, Value>,
}

/// The messages that have `SessionTokens`, or a message that has them, as the document refers to them.
fn with_tokens(document: &Document) -> HashSet<String> {
    let direct = with_one_of(document, &HashSet::from([SESSION_TOKENS.to_owned()]));
    let nested = with_one_of(document, &direct);
    direct.union(&nested).cloned().collect()
}

fn with_one_of(document: &Document, messages: &HashSet<String>) -> HashSet<String> {
    let has_one = |schema: &Value| {
        let fields = schema.get("properties").and_then(Value::as_object);
        let mut types = fields
            .into_iter()
            .flatten()
            .filter_map(|(_, field)| field.get("$ref")?.as_str());
        types.any(|name| messages.contains(name))
    };
    let schemas = document.components.schemas.iter();
    schemas
        .filter(|(_, schema)| has_one(schema))
        .map(|(name, _)| format!("{SCHEMAS}{name}"))
        .collect()
}

/// Every route of the API.
///
/// # Errors
///
/// [`RoutesError`]: the generated document and the generated access table disagree.
pub(crate) fn all() -> Result<Vec<Route>, RoutesError> {
    let document: Document =
        serde_json::from_str(proto::OPENAPI).map_err(RoutesError::Malformed)?;
    let with_tokens = with_tokens(&document);
    document
        .paths
        .into_iter()
        .map(|(path, described)| {
            let operations = described
                .into_iter()
                .map(|(method, described)| operation(&method, &described, &with_tokens))
                .collect::<Result<_, _>>()?;
            Ok(Route { path, operations })
        })
        .collect()
}

fn operation(
    method: &str,
    described: &Described,
    with_tokens: &HashSet<String>,
) -> Result<Operation, RoutesError> {
    let id = described.operation_id.as_str();
    let answer = described.responses.get("200");
    let answer = answer.and_then(|answer| answer.pointer(ANSWER)?.as_str());
    let answers_tokens = answer.is_some_and(|answer| with_tokens.contains(answer));
    let refused = || RoutesError::NotAnRpc(id.to_owned());
    let method = spelled(method).ok_or_else(refused)?;
    let mut named = access::all()
        .iter()
        .filter(|access| access.public_api && access.path.rsplit('/').next() == Some(id));
    match (named.next(), named.next()) {
        (Some(access), None) => Ok(Operation {
            method,
            access,
            answers_tokens,
        }),
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
    fn operations_that_answer_tokens_are_known() {
        let routes = all().expect("the generated document");
        let answering: HashSet<_> = routes
            .iter()
            .flat_map(|route| &route.operations)
            .filter(|operation| operation.answers_tokens)
            .filter_map(|operation| operation.access.path.rsplit('/').next())
            .collect();
        for name in ["LogIn", "SignUp", "RefreshSession"] {
            assert!(answering.contains(name), "{name}: {answering:?}");
        }
        assert!(!answering.contains("GetCaller"));
    }

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
