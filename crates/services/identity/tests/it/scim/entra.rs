//! The requests of Microsoft Entra ID, in their order.

use serde_json::json;

use super::stage::{Stage, user};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_comes_changes_is_blocked_and_is_deleted() {
    let stage = Stage::set().await;
    let entra = &stage.directory;
    // The connection test asks for somebody who does not exist.
    let nobody = entra
        .get("/Users?filter=userName+eq+%22f7b8e7c1-non-existent%22")
        .await;
    assert_eq!(
        (nobody.status, &nobody.body["totalResults"]),
        (200, &json!(0))
    );
    let made = entra
        .post(
            "/Users",
            &json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
                "externalId": "0a21f0f2",
                "userName": "grace@corp.example",
                "active": "True",
                "displayName": "Grace Hopper",
                "title": null,
                "emails": [{"primary": true, "type": "work", "value": "grace@corp.example"}],
                "meta": {"resourceType": "User"},
                "name": {"formatted": "Grace Hopper", "familyName": "Hopper", "givenName": "Grace"},
                "roles": [],
                ENTERPRISE: {"department": "Navy"},
            }),
        )
        .await;
    assert_eq!(made.status, 201);
    let (id, address) = (made.id(), format!("/Users/{}", made.id()));
    for filter in [
        "externalId eq \"0a21f0f2\"",
        "userName eq \"GRACE@corp.example\"",
        "emails[type eq \"work\"].value eq \"grace@CORP.example\"",
        "emails.value eq \"grace@corp.example\" and displayName eq \"grace hopper\"",
        &format!("id eq \"{id}\" and externalId eq \"0a21f0f2\""),
    ] {
        let found = entra.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(found.ids(), std::slice::from_ref(&id), "{filter}");
    }
    for filter in [
        "externalId eq \"0A21F0F2\"",
        "emails[type eq \"home\"].value eq \"grace@corp.example\"",
        &format!("id eq \"{id}\" and externalId eq \"other\""),
    ] {
        let found = entra.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(found.body["totalResults"], json!(0), "{filter}");
    }

    let changed = entra
        .patch(&address, &json!([
            {"op": "Replace", "path": "name.familyName", "value": "Murray"},
            {"op": "Add", "path": "emails[type eq \"home\"].value", "value": "grace@home.example"},
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Engines"},
        ]))
        .await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.body["name"]["familyName"], json!("Murray"));
    assert_eq!(changed.body["active"], json!(false));
    assert!(!stage.is_active(&id).await);
    let home = entra.get("/Users?filter=emails[type eq \"home\"].value eq \"grace@home.example\"");
    assert_eq!(home.await.ids(), std::slice::from_ref(&id));

    let on = json!([{"op": "Replace", "path": "active", "value": "True"}]);
    entra.patch(&address, &on).await;
    assert!(stage.is_active(&id).await);

    assert_eq!(entra.delete(&address).await.status, 204);
    assert_eq!(stage.member(&id).await, None);
    assert_eq!(stage.person(&id).await, None);
    entra.get(&address).await.refused(404, None);
    entra.delete(&address).await.refused(404, None);
    let directory = format!("directory:{}", entra.id);
    let audited = stage.audited().await;
    assert_eq!(
        audited.last(),
        Some(&(directory, "member.removed".to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_found_by_its_name_without_its_members_and_filled_in_both_dialects() {
    let stage = Stage::set().await;
    let entra = &stage.directory;
    let (one, two) = (
        entra.user("one@corp.example").await,
        entra.user("two@corp.example").await,
    );
    let lookup = "/Groups?excludedAttributes=members&filter=displayName eq \"Sales\"";
    assert_eq!(entra.get(lookup).await.body["totalResults"], json!(0));
    let made = entra
        .post("/Groups", &json!({"externalId": "8aa1a0c0", "displayName": "Sales", "meta": {"resourceType": "Group"}}))
        .await;
    assert_eq!(made.status, 201);
    let (id, address) = (made.id(), format!("/Groups/{}", made.id()));
    let add = json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": one}, {"$ref": null, "value": two}]}]);
    let patched = entra.patch(&address, &add).await;
    assert_eq!(patched.status, 204);
    assert_ne!(patched.etag, made.etag);
    let found = entra.get(lookup).await;
    assert_eq!(found.ids(), std::slice::from_ref(&id));
    assert_eq!(found.body["Resources"][0].get("members"), None);
    for filter in [
        format!("id eq \"{id}\" and members eq \"{one}\""),
        format!("members[value eq \"{two}\"]"),
    ] {
        let found = entra.get(&format!("/Groups?filter={filter}")).await;
        assert_eq!(found.ids(), std::slice::from_ref(&id), "{filter}");
    }
    let old = json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": one}]}]);
    assert_eq!(entra.patch(&address, &old).await.status, 204);
    let new = json!([{"op": "Remove", "path": format!("members[value eq \"{two}\"]")}]);
    assert_eq!(entra.patch(&address, &new).await.status, 204);
    assert_eq!(entra.get(&address).await.body.get("members"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_is_gone_does_not_keep_others_from_being_removed() {
    let stage = Stage::set().await;
    let entra = &stage.directory;
    let (one, two) = (
        entra.user("one@corp.example").await,
        entra.user("two@corp.example").await,
    );
    let group = format!("/Groups/{}", entra.group("Sales", &[&one, &two]).await);
    entra.delete(&format!("/Users/{one}")).await;
    let all = json!([{"op": "Replace", "path": "members", "value": [{"value": one}]}]);
    assert_eq!(entra.patch(&group, &all).await.status, 204);
    assert_eq!(entra.get(&group).await.body.get("members"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_which_one_operation_is_wrong_changes_nothing() {
    let stage = Stage::set().await;
    let entra = &stage.directory;
    let made = entra.post("/Users", &user("grace@corp.example")).await;
    let address = format!("/Users/{}", made.id());
    let refused = entra
        .patch(
            &address,
            &json!([
                {"op": "Replace", "path": "active", "value": "False"},
                {"op": "Replace", "path": "name[", "value": "x"},
            ]),
        )
        .await;
    refused.refused(400, Some("invalidPath"));
    entra.user("other@corp.example").await;
    let refused = entra
        .patch(
            &address,
            &json!([
                {"op": "Replace", "path": "active", "value": "False"},
                {"op": "Replace", "path": "userName", "value": "other@corp.example"},
            ]),
        )
        .await;
    refused.refused(409, Some("uniqueness"));
    assert!(stage.is_active(&made.id()).await);
    assert_eq!(entra.get(&address).await.body, made.body);
}
