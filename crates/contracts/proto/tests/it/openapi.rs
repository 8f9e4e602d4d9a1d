use proto::access::{self, Rule};
use serde_json::Value;

fn operations() -> Vec<(String, Value)> {
    let document: Value = serde_json::from_str(proto::OPENAPI).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").clone();
    paths
        .into_iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().expect("operations").clone();
            operations
                .into_iter()
                .map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

#[test]
fn every_operation_has_a_summary_and_documented_errors() {
    for (name, operation) in operations() {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(
            !summary.is_empty(),
            "{name} has no summary: comment its RPC"
        );
        assert!(
            summary.len() <= 80,
            "{name}: the first paragraph is the summary, keep it short"
        );
        let responses = operation["responses"].as_object().expect("responses");
        for status in ["400", "422", "429", "500", "503"] {
            assert!(
                responses.contains_key(status),
                "{name} does not document {status}"
            );
        }
        assert!(
            !responses.contains_key("default"),
            "{name} has an undocumented default"
        );
    }
}

#[test]
fn every_operation_says_what_it_needs() {
    for (name, operation) in operations() {
        let id = operation["operationId"].as_str().expect("an operation id");
        let method = access::all()
            .iter()
            .find(|method| method.public_api && method.path.ends_with(&format!("/{id}")))
            .unwrap_or_else(|| panic!("{name} is no RPC of ours"));
        assert_eq!(operation["x-step-up"] == true, method.step_up, "{name}");
        match method.rule {
            Rule::Permission(permission) => {
                assert_eq!(operation["x-permission"], permission, "{name}");
            }
            Rule::Public => assert_eq!(operation["security"], serde_json::json!([]), "{name}"),
            Rule::Authenticated => assert_eq!(operation["security"], Value::Null, "{name}"),
            Rule::Service | Rule::Missing => panic!("{name} must not be public"),
        }
    }
}

#[test]
fn all_public_methods_are_in_the_document() {
    let documented = operations().len();
    let public = access::all()
        .iter()
        .filter(|method| method.public_api)
        .count();
    assert_eq!(documented, public);
}
