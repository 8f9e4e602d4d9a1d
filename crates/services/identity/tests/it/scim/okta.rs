//! The requests of Okta, in their order.

use serde_json::json;

use super::stage::{BASE, Stage, user};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_comes_changes_goes_and_comes_back() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    // The connection test.
    let empty = okta.get("/Users?startIndex=1&count=2").await;
    assert_eq!(empty.status, 200);
    assert_eq!(
        empty.body,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
        })
    );
    // Is the person there?
    let lookup = "/Users?filter=userName%20eq%20%22Grace%40example.com%22&startIndex=1&count=100";
    assert_eq!(okta.get(lookup).await.body["totalResults"], json!(0));
    let mut body = user("grace@example.com");
    body["externalId"] = json!("00ujl29u0le5T6Aj10h7");
    body["password"] = json!("1mz050nq");
    body["groups"] = json!([]);
    let made = okta.post("/Users", &body).await;
    assert_eq!(made.status, 201);
    let (id, address) = (made.id(), format!("/Users/{}", made.id()));
    assert_eq!(made.location, format!("{BASE}{address}"));
    assert_eq!(made.body["meta"]["location"], json!(made.location));
    assert_eq!(made.body["meta"]["version"], json!(made.etag));
    assert!(!made.body.to_string().contains("1mz050nq"));
    assert_eq!(
        stage.member(&id).await,
        Some(("agent".into(), "active".into()))
    );
    let person = stage.person(&id).await.unwrap();
    assert_eq!(person, ("grace@example.com".into(), "Grace Hopper".into()));
    assert_eq!(okta.get(lookup).await.ids(), std::slice::from_ref(&id));
    assert_eq!(okta.get(&address).await.body, made.body);

    // A full update that leaves `active` out.
    let mut put = user("grace@example.com");
    put.as_object_mut().unwrap().remove("active");
    put["displayName"] = json!("Grace M. Hopper");
    let changed = okta.put(&address, &put).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.body["active"], json!(true));
    assert_eq!(changed.body["externalId"], json!("00ujl29u0le5T6Aj10h7"));
    assert_ne!(changed.etag, made.etag);
    assert_eq!(stage.person(&id).await.unwrap().1, "Grace M. Hopper");

    let gone = okta.set_active(&id, false).await;
    assert_eq!((gone.status, &gone.body["active"]), (200, &json!(false)));
    assert!(!stage.is_active(&id).await);
    // A full update does not bring a deactivated person back by an omission.
    let changed = okta.put(&address, &put).await;
    assert_eq!(changed.body["active"], json!(false));
    put["active"] = json!(true);
    okta.put(&address, &put).await;
    assert!(stage.is_active(&id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_pushed_renamed_filled_and_emptied() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    assert_eq!(
        okta.get("/Groups?count=100&startIndex=1").await.body["totalResults"],
        json!(0)
    );
    let (one, two) = (
        okta.user("one@example.com").await,
        okta.user("two@example.com").await,
    );
    let made = okta
        .post("/Groups", &json!({"displayName": "Support", "members": [{"value": one, "display": "one@example.com"}]}))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(
        made.body["members"],
        json!([{"value": one, "display": "Grace Hopper"}])
    );
    let (id, address) = (made.id(), format!("/Groups/{}", made.id()));
    assert_eq!(made.location, format!("{BASE}{address}"));

    let renamed = json!([{"op": "replace", "value": {"id": id, "displayName": "Care"}}]);
    let patched = okta.patch(&address, &renamed).await;
    assert_eq!((patched.status, patched.body), (204, json!(null)));
    let moved = json!([
        {"op": "remove", "path": format!("members[value eq \"{one}\"]")},
        {"op": "add", "path": "members", "value": [{"value": two}]},
    ]);
    assert_eq!(okta.patch(&address, &moved).await.status, 204);
    let group = okta.get(&address).await;
    assert_eq!(group.body["displayName"], json!("Care"));
    assert_eq!(group.body["members"][0]["value"], json!(two));
    assert_eq!(group.body["members"].as_array().unwrap().len(), 1);
    let groups = okta.get(&format!("/Users/{two}")).await.body["groups"].clone();
    assert_eq!(groups, json!([{"value": id, "display": "Care"}]));

    // The whole list, as after an import.
    let all =
        json!([{"op": "replace", "path": "members", "value": [{"value": one}, {"value": two}]}]);
    okta.patch(&address, &all).await;
    let members = okta.get(&address).await.body["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 2);
    let put = okta
        .put(&address, &json!({"displayName": "Care", "members": []}))
        .await;
    assert_eq!((put.status, put.body.get("members")), (200, None));

    assert_eq!(okta.delete(&address).await.status, 204);
    okta.get(&address).await.refused(404, None);
    okta.delete(&address).await.refused(404, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_repeated_changes_nothing_more() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    let id = okta.user("grace@example.com").await;
    let group = okta.group("Support", &[&id]).await;
    let taken = okta.post("/Users", &user("GRACE@example.com")).await;
    taken.refused(409, Some("uniqueness"));
    let taken = okta
        .post("/Groups", &json!({"displayName": "support"}))
        .await;
    taken.refused(409, Some("uniqueness"));

    let first = okta.set_active(&id, false).await;
    let audited = stage.audited().await.len();
    let again = okta.set_active(&id, false).await;
    assert_eq!((again.status, &again.etag), (200, &first.etag));
    assert_eq!(again.body, first.body);
    let address = format!("/Groups/{group}");
    let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
    let filled = okta.patch(&address, &add).await;
    let again = okta.patch(&address, &add).await;
    assert_eq!((filled.status, filled.etag), (again.status, again.etag));
    assert_eq!(stage.audited().await.len(), audited);
}
