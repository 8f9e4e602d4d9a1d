//! Keys that take the place of others.

use std::time::Duration;

use auth::Role;
use proto::identity::events::v1::ApiKeyRevoked;
use tonic::Code;

use super::{bound, exchange, exchange_from, list, rotate};
use crate::{
    sign_up::fields,
    world::{World, code},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_works_beside_its_successor_for_the_overlap() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let old = bound(&world, &owner, &["192.0.2.0/24"]).await.unwrap();
    let old_key = old.api_key.unwrap();
    let new = rotate(&world, &owner, &old_key.id, 2).await.unwrap();
    let new_key = new.api_key.unwrap();
    assert_ne!((&new.secret, &new_key.id), (&old.secret, &old_key.id));
    assert_eq!(
        (new_key.name, new_key.role, new_key.networks),
        (old_key.name, old_key.role, old_key.networks)
    );
    let listed = list(&world, &owner, 0, "").await.unwrap().api_keys;
    let shown = listed.iter().find(|key| key.id == old_key.id).unwrap();
    assert_eq!(shown.replaced_by, new_key.id);

    let again = rotate(&world, &owner, &old_key.id, 2).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);

    let from = "192.0.2.1";
    for secret in [&old.secret, &new.secret] {
        exchange_from(&world, secret, from).await.unwrap();
    }
    world.hand.advance(Duration::from_hours(2));
    let owner = world
        .log_in("ada@example.com")
        .await
        .tokens
        .unwrap()
        .access_token;
    let refused = exchange_from(&world, &old.secret, from).await.unwrap_err();
    assert_eq!(code(&refused), "auth.api_key_invalid");
    exchange_from(&world, &new.secret, from).await.unwrap();

    let third = rotate(&world, &owner, &new_key.id, 0).await.unwrap();
    exchange_from(&world, &new.secret, from).await.unwrap_err();
    exchange_from(&world, &third.secret, from).await.unwrap();
    assert_eq!(world.events::<ApiKeyRevoked>().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_replaced_in_an_organization_that_is_suspended() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let key = world.create_key(&owner, Role::Viewer, &[]).await.unwrap();
    world
        .execute("update identity.organizations set state = 'suspended'")
        .await;
    let id = key.api_key.unwrap().id;
    let refused = rotate(&world, &owner, &id, 1).await.unwrap_err();
    assert_eq!(code(&refused), "identity.organization_inactive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_gives_nobody_more_than_they_have() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let key = world.create_key(&owner, Role::Owner, &[]).await.unwrap();
    let id = key.api_key.unwrap().id;
    let made = world.create_key(&owner, Role::Admin, &[]).await.unwrap();
    let admin = exchange(&world, &made.secret).await.unwrap().access_token;
    let refused = rotate(&world, &admin, &id, 1).await.unwrap_err();
    assert_eq!(code(&refused), "auth.forbidden");
    let too_long = rotate(&world, &owner, &id, 169).await.unwrap_err();
    assert_eq!(fields(&too_long), ["overlapHours"]);
    let stranger = world.owner("eve@example.com").await;
    let refused = rotate(&world, &stranger, &id, 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    exchange(&world, &key.secret).await.unwrap();
}
