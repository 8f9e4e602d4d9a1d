//! Who may call what, for every operation of the API and every role: the OpenAPI document says what
//! is needed, the roles say what they have, and the answers must agree.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::world::World;

/// Nobody has these.
const IDS: [(&str, &str); 22] = [
    ("{canned_reply_id}", "cr_01h455vb4pex5vsknk084sn02q"),
    ("{label_id}", "lbl_01h455vb4pex5vsknk084sn02q"),
    ("{api_key_id}", "key_01h455vb4pex5vsknk084sn02q"),
    ("{attribute_key}", "nothing"),
    ("{channel_id}", "ch_01h455vb4pex5vsknk084sn02q"),
    ("{connection_id}", "sso_01h455vb4pex5vsknk084sn02q"),
    ("{contact_id}", "ct_01h455vb4pex5vsknk084sn02q"),
    ("{contact_note_id}", "ctn_01h455vb4pex5vsknk084sn02q"),
    ("{conversation_id}", "cv_01h455vb4pex5vsknk084sn02q"),
    ("{directory_id}", "dir_01h455vb4pex5vsknk084sn02q"),
    ("{domain}", "nobody.example"),
    ("{group_id}", "grp_01h455vb4pex5vsknk084sn02q"),
    ("{invitation_id}", "inv_01h455vb4pex5vsknk084sn02q"),
    ("{media_id}", "med_01h455vb4pex5vsknk084sn02q"),
    ("{merge_id}", "mrg_01h455vb4pex5vsknk084sn02q"),
    ("{message_id}", "msg_01h455vb4pex5vsknk084sn02q"),
    ("{role_id}", "role_01h455vb4pex5vsknk084sn02q"),
    ("{session_id}", "ses_01h455vb4pex5vsknk084sn02q"),
    ("{team_id}", "team_01h455vb4pex5vsknk084sn02q"),
    ("{template_id}", "tpl_01h455vb4pex5vsknk084sn02q"),
    ("{user_id}", "usr_01h455vb4pex5vsknk084sn02q"),
    ("{view_id}", "view_01h455vb4pex5vsknk084sn02q"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_every_role_as_the_document_says() {
    let world = World::start().await;
    let document: Value = world
        .owner
        .get("/openapi.json")
        .await
        .expect("the document");
    let roles = world.owner.get("/v1/roles").await.expect("the roles");
    let mut callers = vec![(None, HashSet::new())];
    for role in roles["roles"].as_array().expect("roles") {
        let name = role["role"].as_str().expect("a name");
        let key = json!({ "name": name, "role": name });
        let made = world
            .owner
            .post("/v1/api-keys", name, &key)
            .await
            .expect("a key");
        let granted = role["permissions"].as_array().expect("permissions").iter();
        let granted: HashSet<String> = granted
            .filter_map(|one| Some(one.as_str()?.to_owned()))
            .collect();
        callers.push((made["secret"].as_str().map(str::to_owned), granted));
    }
    assert_eq!(callers.len(), 5, "nobody and four roles");

    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            // The stream never ends; it has tests of its own.
            if path == "/v1/events" {
                continue;
            }
            for (secret, granted) in &callers {
                let (status, code) = call(&world, method, path, secret.as_deref()).await;
                let public = operation["security"] == json!([]);
                let permission = operation["x-permission"].as_str();
                let wanted = match (secret, permission) {
                    _ if public => "let in",
                    (None, _) => "401",
                    (Some(_), Some(needed)) if !granted.contains(needed) => "403",
                    (Some(_), _) => "let in",
                };
                let got = match status {
                    // A public method may answer 401 to wrong credentials in its body.
                    401 if !public => "401",
                    // The role's fault; an operation may refuse for its own reasons, with its own codes.
                    403 if code == "auth.forbidden" => "403",
                    _ => "let in",
                };
                let answered = format!("{method} {path} for {granted:?} answered {status} {code}");
                assert_eq!(got, wanted, "{answered}");
                // Whoever is let in is answered by the operation: well, or for what they asked.
                assert!(status < 500 && status != 405, "{answered}");
                assert_ne!(code, "request.route_unknown", "{answered}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 100, "{asked} questions");
    world.stop().await;
}

/// The status, and the code of a problem.
async fn call(world: &World, method: &str, path: &str, secret: Option<&str>) -> (u16, String) {
    let path = IDS
        .iter()
        .fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
    assert!(!path.contains('{'), "{path} needs an id in this test");
    let method = method.to_uppercase().parse().expect("a method");
    let mut request = world
        .http
        .request(method, format!("{}{path}", world.platform.gateway))
        .json(&json!({}));
    if let Some(secret) = secret {
        request = request.bearer_auth(secret);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    (status, code)
}
