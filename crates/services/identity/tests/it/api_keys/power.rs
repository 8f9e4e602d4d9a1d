//! What a key may do.

use std::time::Duration;

use auth::Role;
use proto::identity::v1::LogOutRequest;
use tonic::Code;

use super::{exchange, list, rotate};
use crate::{
    sign_up::fields,
    world::{World, as_caller, code},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_acts_for_its_organization_with_its_role() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let created = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let key = created.api_key.unwrap();
    assert!(
        created.secret.starts_with(&key.prefix) && created.secret.len() > key.prefix.len() + 30
    );

    let token = exchange(&world, &created.secret).await.unwrap();
    assert_eq!(token.expires_in, 300);
    let caller = world.caller(&token.access_token).await.unwrap();
    assert_eq!((caller.kind.as_str(), &caller.id), ("api_key", &key.id));
    assert_eq!(
        caller.organization_id,
        world.caller(&owner).await.unwrap().organization_id
    );
    assert_eq!(caller.role(), proto::identity::v1::Role::Agent);
    assert_eq!(
        caller.permissions,
        [
            "channels.read",
            "contacts.manage",
            "contacts.read",
            "conversations.read",
            "conversations.work",
            "members.read",
            "messages.send",
            "templates.read"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_narrow_the_role() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let scopes = ["messages.send", "contacts.read", "contacts.read"];
    let created = world
        .create_key(&owner, Role::Admin, &scopes)
        .await
        .unwrap();
    assert_eq!(
        created.api_key.unwrap().scopes,
        ["contacts.read", "messages.send"]
    );
    let token = exchange(&world, &created.secret)
        .await
        .unwrap()
        .access_token;
    assert_eq!(
        world.caller(&token).await.unwrap().permissions,
        ["contacts.read", "messages.send"]
    );
    let refused = list(&world, &token, 0, "").await.unwrap_err();
    assert_eq!(
        (refused.code(), code(&refused).as_str()),
        (Code::PermissionDenied, "auth.forbidden")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_the_role_does_not_have_is_refused_by_its_position() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let scopes = ["contacts.read", "channels.manage", "nonsense"];
    let refused = world
        .create_key(&owner, Role::Viewer, &scopes)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), code(&refused).as_str()),
        (Code::InvalidArgument, "identity.api_key_scope_unknown")
    );
    assert_eq!(fields(&refused), ["scopes[1]", "scopes[2]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_key_that_can_do_more() {
    let world = World::start().await;
    let admin = world.member("ada@example.com", Role::Admin).await;
    let refused = world
        .create_key(&admin, Role::Owner, &[])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = world
        .create_key(&admin, Role::Owner, &["contacts.read"])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);

    let narrow = world
        .create_key(&admin, Role::Admin, &["api_keys.manage", "contacts.read"])
        .await
        .unwrap();
    let narrow = exchange(&world, &narrow.secret).await.unwrap().access_token;
    for (role, scopes) in [
        (Role::Admin, &[][..]),
        (Role::Viewer, &[]),
        (Role::Admin, &["channels.manage"]),
        (Role::Viewer, &["contacts.read", "channels.read"]),
    ] {
        let refused = world.create_key(&narrow, role, scopes).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role} {scopes:?}");
    }
    assert!(
        world
            .create_key(&narrow, Role::Viewer, &["contacts.read"])
            .await
            .is_ok()
    );
    assert!(world.create_key(&admin, Role::Admin, &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_no_session_to_end() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let created = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let token = exchange(&world, &created.secret)
        .await
        .unwrap()
        .access_token;
    let refused = world
        .client
        .clone()
        .log_out(as_caller(LogOutRequest {}, &token))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

/// A stolen session that is older than that makes nothing that outlives it; programs prove who they are with each call.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_makes_keys_within_ten_minutes_of_a_proof_and_a_program_always() {
    let world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    let made = world.create_key(&tokens.access_token, Role::Admin, &[]);
    let made = made.await.unwrap();
    world.hand.advance(Duration::from_mins(11));
    let tired = world.refresh(&tokens.refresh_token).await.unwrap();
    let refused = world.create_key(&tired.access_token, Role::Viewer, &[]);
    assert_eq!(code(&refused.await.unwrap_err()), "auth.step_up_required");
    let program = exchange(&world, &made.secret).await.unwrap().access_token;
    world.create_key(&program, Role::Viewer, &[]).await.unwrap();
    let id = made.api_key.unwrap().id;
    rotate(&world, &program, &id, 1).await.unwrap();
}
