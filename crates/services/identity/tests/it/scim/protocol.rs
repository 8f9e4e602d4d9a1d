//! Pages, versions, discovery and refusals.

use serde_json::{Value, json};

use super::stage::{BASE, Stage, user};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_token_of_a_directory_is_told_so_in_scim() {
    let stage = Stage::set().await;
    let unknown = format!("sbd_{}", "a".repeat(43));
    for token in ["", "sbk_x", &stage.owner_token, &unknown] {
        for path in ["/Users", "/ServiceProviderConfig", "/nothing"] {
            stage
                .directory
                .with_token(token)
                .get(path)
                .await
                .refused(401, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_is_suspended_provisions_nobody() {
    let stage = Stage::set().await;
    stage
        .world
        .execute("update identity.organizations set state = 'suspended'")
        .await;
    stage.directory.get("/Users").await.refused(403, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_count_from_one_and_keep_their_order() {
    let stage = Stage::set().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(
            stage
                .directory
                .user(&format!("p{number}@example.com"))
                .await,
        );
    }
    let page = async |query: &str| {
        let reply = stage.directory.get(&format!("/Users?{query}")).await;
        assert_eq!(reply.body["totalResults"], json!(5), "{query}");
        (reply.ids(), reply.body["startIndex"].clone())
    };
    assert_eq!(
        page("startIndex=1&count=2").await,
        (made[..2].to_vec(), json!(1))
    );
    assert_eq!(
        page("startIndex=3&count=2").await,
        (made[2..4].to_vec(), json!(3))
    );
    assert_eq!(
        page("startIndex=5&count=2").await,
        (made[4..].to_vec(), json!(5))
    );
    assert_eq!(page("startIndex=0").await, (made.clone(), json!(1)));
    assert_eq!(page("startIndex=9").await, (Vec::new(), json!(9)));
    assert_eq!(page("count=0").await, (Vec::new(), json!(1)));
    // The same holds for what a filter finds.
    let named = "filter=displayName eq \"grace HOPPER\"&startIndex=4&count=9";
    assert_eq!(page(named).await, (made[3..].to_vec(), json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_another_version_is_refused() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    let made = okta.post("/Users", &user("grace@example.com")).await;
    let address = format!("/Users/{}", made.id());
    let off = json!({"Operations": [{"op": "replace", "value": {"active": false}}]});
    let send = async |method: &str, tag: &str, body: &Value| {
        okta.try_send(method, &address, tag, body).await.unwrap()
    };
    send("PATCH", "W/\"99\"", &off).await.refused(412, None);
    send("PUT", "W/\"99\"", &user("grace@example.com"))
        .await
        .refused(412, None);
    send("DELETE", "W/\"99\"", &Value::Null)
        .await
        .refused(412, None);
    let patched = send("PATCH", &made.etag, &off).await;
    assert_eq!(patched.status, 200);
    send("DELETE", &made.etag, &Value::Null)
        .await
        .refused(412, None);
    assert_eq!(
        send("DELETE", &patched.etag, &Value::Null).await.status,
        204
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_a_patched_group_is_that_of_the_group() {
    let stage = Stage::set().await;
    let id = stage.directory.group("Support", &[]).await;
    let address = format!("/Groups/{id}");
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Care"}]);
    let patched = stage.directory.patch(&address, &rename).await;
    assert_eq!(patched.etag, stage.directory.get(&address).await.etag);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_attributes_that_are_asked_for() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    let few = stage
        .directory
        .get(&format!("/Users/{id}?attributes=userName,name.givenName"))
        .await;
    assert_eq!(
        few.body,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": id,
            "userName": "grace@example.com",
            "name": {"givenName": "Grace"},
        })
    );
    let body = json!({"displayName": "Support", "members": [{"value": id}]});
    let address = "/Groups?excludedAttributes=members";
    let made = stage.directory.post(address, &body).await;
    assert_eq!(made.body.get("members"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_itself() {
    let stage = Stage::set().await;
    let get = async |path: &str| stage.directory.get(path).await;
    let config = get("/ServiceProviderConfig").await;
    assert_eq!(config.content_type, "application/scim+json");
    assert_eq!(config.body["patch"]["supported"], json!(true));
    assert_eq!(
        config.body["meta"]["location"],
        json!(format!("{BASE}/ServiceProviderConfig"))
    );
    assert_eq!(get("/ResourceTypes").await.body["totalResults"], json!(2));
    assert_eq!(
        get("/ResourceTypes/Group").await.body["endpoint"],
        json!("/Groups")
    );
    assert_eq!(get("/Schemas").await.body["totalResults"], json!(2));
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
    assert_eq!(get(&format!("/Schemas/{urn}")).await.body["id"], json!(urn));
    get("/Schemas/urn:x").await.refused(404, None);
    get("/Nothing").await.refused(404, None);
    get("/Me").await.refused(501, None);
    stage
        .directory
        .post("/Bulk", &json!({}))
        .await
        .refused(501, None);
    stage
        .directory
        .post("/Users/usr_1", &json!({}))
        .await
        .refused(405, None);
    stage.directory.delete("/Schemas").await.refused(405, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_refused_with_its_keyword() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    let id = okta.user("grace@example.com").await;
    for (filter, keyword) in [
        ("userName eq", "invalidFilter"),
        ("userName sw \"a\"", "invalidFilter"),
        ("userName eq \"a\" or id eq \"b\"", "invalidFilter"),
    ] {
        okta.get(&format!("/Users?filter={filter}"))
            .await
            .refused(400, Some(keyword));
    }
    okta.get("/Users?count=many")
        .await
        .refused(400, Some("invalidValue"));
    okta.post("/Users", &json!([]))
        .await
        .refused(400, Some("invalidSyntax"));
    okta.post("/Groups", &json!({"members": []}))
        .await
        .refused(400, Some("invalidValue"));
    let address = format!("/Users/{id}");
    let nameless = json!([{"op": "remove", "path": "userName"}]);
    let refused = okta.patch(&address, &nameless).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let aimless = json!([{"op": "remove"}]);
    okta.patch(&address, &aimless)
        .await
        .refused(400, Some("noTarget"));
    okta.get("/Users/grace").await.refused(404, None);
}
