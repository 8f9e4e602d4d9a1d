use proto::access::{self, Rule};

use crate::world::World;

/// Method, path with its variables filled in, and RPC of every operation in the document.
fn operations() -> Vec<(String, String, String)> {
    let document: serde_json::Value = serde_json::from_str(proto::OPENAPI).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").clone();
    paths
        .into_iter()
        .flat_map(|(path, item)| {
            let path: Vec<_> = path
                .split('/')
                .map(|part| {
                    if part.starts_with('{') {
                        "some_id"
                    } else {
                        part
                    }
                })
                .collect();
            let path = path.join("/");
            let operations = item.as_object().expect("operations").clone();
            operations.into_iter().map(move |(method, operation)| {
                let rpc = operation["operationId"].as_str().expect("an id").to_owned();
                (method.to_uppercase(), path.clone(), rpc)
            })
        })
        .collect()
}

#[tokio::test]
async fn every_operation_refuses_strangers_unless_it_is_public() {
    let world = World::start().await;
    let operations = operations();
    assert!(operations.len() > 15);
    for (method, path, rpc) in operations {
        let access = access::all()
            .iter()
            .find(|access| access.public_api && access.path.ends_with(&format!("/{rpc}")))
            .expect("an RPC");
        // A body that can't be read must not say so to a stranger.
        let stranger = world.ask(&method, &path).json("{\"").answer().await;
        if access.rule == Rule::Public {
            assert_ne!(stranger.status, 401, "{method} {path}");
        } else {
            stranger.problem(401, "auth.unauthenticated");
            assert!(world.script.seen_of(&rpc).is_empty(), "{rpc} was called");
        }
    }
}

#[tokio::test]
async fn every_operation_reaches_its_service() {
    let world = World::start().await;
    let owner = world
        .script
        .token(&crate::services::user(auth::Role::Owner));
    for (method, path, rpc) in operations() {
        let answer = world.ask(&method, &path).bearer(&owner).send().await;
        assert_eq!(answer.status(), 200, "{method} {path}");
        assert!(!world.script.seen_of(&rpc).is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn the_document_is_served_to_anybody_and_lists_every_operation() {
    let world = World::start().await;
    let answer = world.ask("GET", "/openapi.json").answer().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let listed: usize = answer.json()["paths"]
        .as_object()
        .expect("paths")
        .values()
        .map(|item| item.as_object().expect("operations").len())
        .sum();
    let public = access::all().iter().filter(|access| access.public_api);
    assert_eq!(listed, public.count());

    let etag = answer.header("etag").expect("a tag").to_owned();
    let again = world
        .ask("GET", "/openapi.json")
        .header("if-none-match", &etag)
        .answer()
        .await;
    assert_eq!(again.status, 304);
    assert!(again.body.is_empty());
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_a_problem() {
    let world = World::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/channels/a/b",
        "/v2/channels",
    ] {
        let answer = world.agent("GET", path).answer().await;
        answer.problem(404, "request.route_unknown");
    }
    // RPCs between services have no address.
    for path in [
        "/switchboard.identity.v1.IdentityService/ExchangeApiKey",
        "/v1/quarantine",
    ] {
        let answer = world.agent("POST", path).answer().await;
        answer.problem(404, "request.route_unknown");
    }
}

#[tokio::test]
async fn a_method_that_does_not_exist_names_those_that_do() {
    let world = World::start().await;
    let answer = world.agent("PUT", "/v1/conversations").answer().await;
    answer.problem(405, "request.method_not_allowed");
    let allow = answer.header("allow").expect("the methods");
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    // Other origins' pages get no permission.
    let preflight = world
        .ask("OPTIONS", "/v1/conversations")
        .header("origin", "https://elsewhere.example")
        .answer()
        .await;
    preflight.problem(405, "request.method_not_allowed");
    assert_eq!(preflight.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::start().await;
    let answer = world.agent("HEAD", "/v1/conversations").answer().await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.is_empty());
    assert_eq!(world.script.seen_of("ListConversations").len(), 1);
}
