//! What provisioning makes of people and members.

use std::time::Duration;

use auth::Role;
use proto::identity::events::v1::{MemberChanged, MemberJoined, MemberRemoved, SessionEnded};
use serde_json::json;

use super::stage::{Stage, user};
use crate::world::{PASSWORD, code};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_is_out_within_a_second() {
    let stage = Stage::set().await;
    let stranger = stage.stranger("grace@example.net").await;
    stage.make_member(stranger, Role::Agent).await;
    let login = stage.world.log_in("grace@example.net").await;
    assert_eq!(
        login.organization.unwrap().id,
        stage.organization.to_string()
    );
    let tokens = login.tokens.unwrap();
    let id = stage.directory.user("grace@example.net").await;
    assert_eq!(id, stranger.to_string());
    assert!(stage.world.caller(&tokens.access_token).await.is_ok());

    stage.directory.set_active(&id, false).await;
    stage.world.hand.advance(Duration::from_secs(1));
    let refused = stage.world.caller(&tokens.access_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.revoked");
    assert!(stage.world.refresh(&tokens.refresh_token).await.is_err());
    let ended = stage.world.events::<SessionEnded>().await;
    assert!(
        ended
            .iter()
            .any(|event| event.session_id == tokens.session_id
                && event.reason == "member_deactivated")
    );
    let changed = stage.world.events::<MemberChanged>().await;
    assert_eq!(changed.last().map(|event| event.active), Some(false));

    stage.directory.set_active(&id, true).await;
    let back = stage.world.log_in("grace@example.net").await;
    assert_eq!(
        back.organization.unwrap().id,
        stage.organization.to_string()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_becomes_a_member_who_has_no_password() {
    let stage = Stage::set().await;
    let id = stage.directory.user("grace@example.com").await;
    assert_eq!(stage.role(&id).await, "agent");
    let joined = stage.world.events::<MemberJoined>().await;
    assert_eq!(joined.last().unwrap().user_id, id);
    let refused = stage.world.try_log_in("grace@example.com", PASSWORD).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.credentials_wrong");
    let directory = format!("directory:{}", stage.directory.id);
    let joined = (directory, "member.joined".to_owned());
    assert_eq!(stage.audited().await.last(), Some(&joined));

    let mut off = user("ada@example.com");
    off["active"] = json!(false);
    let made = stage.directory.post("/Users", &off).await;
    assert_eq!((made.status, &made.body["active"]), (201, &json!(false)));
    assert!(!stage.is_active(&made.id()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_an_address_is_refused() {
    let stage = Stage::set().await;
    let made = stage
        .directory
        .post("/Users", &json!({"userName": "grace"}))
        .await;
    made.refused(400, Some("invalidValue"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_adopted_with_its_role() {
    let stage = Stage::set().await;
    let member = stage.stranger("grace@example.net").await;
    stage.make_member(member, Role::Admin).await;
    let id = stage.directory.user("Grace@example.net").await;
    assert_eq!(id, member.to_string());
    assert_eq!(stage.role(&id).await, "admin");
    // The same person under another name of the directory.
    let mut second = user("grace@example.net");
    second["userName"] = json!("gmh");
    let refused = stage.directory.post("/Users", &second).await;
    refused.refused(409, Some("uniqueness"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_taken_in_by_the_owner_of_the_domain_only() {
    let stage = Stage::set().await;
    let stranger = stage.stranger("grace@corp.example").await;
    let body = user("grace@corp.example");
    let refused = stage.directory.post("/Users", &body).await;
    refused.refused(409, None);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("verify the domain")
    );
    assert_eq!(stage.member(&stranger.to_string()).await, None);

    stage.verify_domain("corp.example").await;
    let made = stage.directory.post("/Users", &body).await;
    assert_eq!((made.status, made.id()), (201, stranger.to_string()));
    assert_eq!(stage.role(&made.id()).await, "agent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_to_log_in_with_changes_within_verified_domains_only() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    let id = okta.user("grace@corp.example").await;
    let address = format!("/Users/{id}");
    let moved = |email: &str| {
        json!([
            {"op": "replace", "path": "userName", "value": email},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": email},
        ])
    };
    let changed = okta.patch(&address, &moved("hopper@corp.example")).await;
    assert_eq!(changed.body["userName"], json!("hopper@corp.example"));
    assert_eq!(stage.person(&id).await.unwrap().0, "grace@corp.example");

    stage.verify_domain("corp.example").await;
    okta.patch(&address, &moved("murray@corp.example")).await;
    assert_eq!(stage.person(&id).await.unwrap().0, "murray@corp.example");
    // Out of the domain: whoever reads that mailbox would take the account over.
    okta.patch(&address, &moved("murray@example.net")).await;
    assert_eq!(stage.person(&id).await.unwrap().0, "murray@corp.example");
    stage.stranger("taken@corp.example").await;
    let taken = okta.patch(&address, &moved("taken@corp.example")).await;
    taken.refused(409, Some("uniqueness"));
    assert_eq!(
        okta.get(&address).await.body["userName"],
        json!("murray@example.net")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_person_of_several_organizations_is_not_ours_to_change() {
    let stage = Stage::set().await;
    let member = stage.stranger("grace@corp.example").await;
    stage.make_member(member, Role::Agent).await;
    let id = stage.directory.user("grace@corp.example").await;
    let renamed = json!([{"op": "replace", "path": "displayName", "value": "Mallory"}]);
    let address = format!("/Users/{id}");
    stage.directory.patch(&address, &renamed).await;
    assert_eq!(stage.person(&id).await.unwrap().1, "Ada");
    stage.verify_domain("corp.example").await;
    let renamed = json!([{"op": "replace", "path": "displayName", "value": "Grace"}]);
    stage.directory.patch(&address, &renamed).await;
    assert_eq!(stage.person(&id).await.unwrap().1, "Grace");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_is_neither_deactivated_nor_removed() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    let id = okta.user("owner@example.com").await;
    assert_eq!(id, stage.owner.to_string());
    let address = format!("/Users/{id}");
    okta.set_active(&id, false)
        .await
        .refused(400, Some("mutability"));
    okta.delete(&address).await.refused(400, Some("mutability"));
    let mut put = user("owner@example.com");
    put["active"] = json!(false);
    okta.put(&address, &put)
        .await
        .refused(400, Some("mutability"));
    assert_eq!(
        stage.member(&id).await,
        Some(("owner".into(), "active".into()))
    );
    assert_eq!(okta.get(&address).await.body["active"], json!(true));

    let second = stage.stranger("second@example.com").await;
    stage.make_member(second, Role::Owner).await;
    assert_eq!(okta.set_active(&id, false).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_a_seat() {
    let stage = Stage::with_seats(Some(2)).await;
    let okta = &stage.directory;
    let first = okta.user("one@example.com").await;
    okta.post("/Users", &user("two@example.com"))
        .await
        .refused(403, None);
    // It left nothing behind that is in the way.
    okta.set_active(&first, false).await;
    okta.user("two@example.com").await;
    okta.set_active(&first, true).await.refused(403, None);
    assert!(!stage.is_active(&first).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_can_be_provisioned_anew() {
    let stage = Stage::set().await;
    let okta = &stage.directory;
    let id = okta.user("grace@example.com").await;
    okta.delete(&format!("/Users/{id}")).await;
    assert_eq!(stage.world.events::<MemberRemoved>().await.len(), 1);
    let again = okta.user("grace@example.com").await;
    assert!(stage.is_active(&again).await);
}
