//! A key from its beginning to its end, and who may use it.

use std::time::Duration;

use auth::Role;
use ids::ApiKeyId;
use proto::identity::{
    events::v1::ApiKeyRevoked,
    v1::{CreateApiKeyRequest, ExchangeApiKeyRequest},
};
use tonic::Code;

use super::{bound, exchange, exchange_from, list, revoke};
use crate::{
    sign_up::fields,
    world::{World, as_caller, code},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once_and_the_revocation_is_told_once() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let created = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let id = created.api_key.unwrap().id;
    exchange(&world, &created.secret).await.unwrap();

    let revoked = revoke(&world, &owner, &id).await.unwrap();
    assert!(revoked.revoked_at.is_some());
    let refused = exchange(&world, &created.secret).await.unwrap_err();
    assert_eq!(code(&refused), "auth.api_key_invalid");

    world.hand.advance(Duration::from_mins(1));
    let again = revoke(&world, &owner, &id).await.unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    let events = world.events::<ApiKeyRevoked>().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].api_key_id, id);
}

/// T-05: a foreign key can't be told from one that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_key_does_not_exist() {
    let world = World::start().await;
    let victim = world.owner("ada@example.com").await;
    let stranger = world.owner("eve@example.com").await;
    let created = world.create_key(&victim, Role::Agent, &[]).await.unwrap();
    let foreign = revoke(&world, &stranger, &created.api_key.unwrap().id)
        .await
        .unwrap_err();
    let random = revoke(&world, &stranger, &ApiKeyId::generate().to_string())
        .await
        .unwrap_err();
    assert_eq!(foreign.code(), Code::NotFound);
    assert_eq!(
        (foreign.code(), foreign.message(), foreign.details()),
        (random.code(), random.message(), random.details())
    );
    assert!(exchange(&world, &created.secret).await.is_ok());
    assert!(
        list(&world, &stranger, 0, "")
            .await
            .unwrap()
            .api_keys
            .is_empty()
    );

    for malformed in ["", "key_", "usr_00000000000000000000000000", "' or true"] {
        let refused = revoke(&world, &stranger, malformed).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(fields(&refused), ["apiKeyId"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_expires_and_its_tokens_do_not_outlive_it() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let at = |seconds| Some((world.clock.now() + Duration::from_secs(seconds)).into());
    let request = |expires_at| {
        let request = CreateApiKeyRequest {
            name: "for a minute".to_owned(),
            role: proto::identity::v1::Role::Agent.into(),
            expires_at,
            ..CreateApiKeyRequest::default()
        };
        as_caller(request, &owner)
    };
    let refused = world
        .client
        .clone()
        .create_api_key(request(at(0)))
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["expiresAt"]);

    let created = world
        .client
        .clone()
        .create_api_key(request(at(60)))
        .await
        .unwrap()
        .into_inner();
    world.hand.advance(Duration::from_secs(20));
    let token = exchange(&world, &created.secret).await.unwrap();
    assert_eq!(token.expires_in, 40);
    world.hand.advance(Duration::from_secs(40));
    assert_eq!(
        code(&exchange(&world, &created.secret).await.unwrap_err()),
        "auth.api_key_invalid"
    );
    world.hand.advance(Duration::from_secs(5));
    assert_eq!(
        code(&world.caller(&token.access_token).await.unwrap_err()),
        "auth.token_expired"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_when_a_key_was_used_and_never_the_key() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let created = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let last_used = async || list(&world, &owner, 0, "").await.unwrap().api_keys[0].last_used_at;
    assert!(last_used().await.is_none());
    exchange(&world, &created.secret).await.unwrap();
    let first = last_used().await.unwrap();
    world.hand.advance(Duration::from_secs(59));
    exchange(&world, &created.secret).await.unwrap();
    assert_eq!(last_used().await.unwrap(), first, "noted to the minute");
    world.hand.advance(Duration::from_secs(1));
    exchange(&world, &created.secret).await.unwrap();
    assert_ne!(last_used().await.unwrap(), first);
    let listed = format!("{:?}", list(&world, &owner, 0, "").await.unwrap());
    assert!(!listed.contains(&created.secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_in_pages_the_newest_first() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        world.hand.advance(Duration::from_secs(1));
        ids.push(
            world
                .create_key(&owner, Role::Viewer, &[])
                .await
                .unwrap()
                .api_key
                .unwrap()
                .id,
        );
    }
    ids.reverse();
    let (mut listed, mut page) = (Vec::new(), String::new());
    for size in [2, 2, 1] {
        let answer = list(&world, &owner, 2, &page).await.unwrap();
        assert_eq!(answer.api_keys.len(), size);
        listed.extend(answer.api_keys.into_iter().map(|key| key.id));
        page = answer.next_page_token;
    }
    assert_eq!(listed, ids);
    assert!(page.is_empty());

    let token = list(&world, &owner, 2, "").await.unwrap().next_page_token;
    let stranger = world.owner("eve@example.com").await;
    let refused = list(&world, &stranger, 2, &token).await.unwrap_err();
    assert_eq!(code(&refused), "request.page_token_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_services_exchange_keys_and_nonsense_is_no_key() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let created = world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    let request = ExchangeApiKeyRequest {
        secret: created.secret.clone(),
        ..ExchangeApiKeyRequest::default()
    };
    let refused = world
        .client
        .clone()
        .exchange_api_key(as_caller(request, &owner))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut other = created.secret.clone();
    other.replace_range(20..21, if &other[20..21] == "A" { "B" } else { "A" });
    for secret in [
        "x",
        "sbk_",
        &other,
        &created.secret[..46],
        &format!("{}A", created.secret),
    ] {
        let refused = exchange(&world, secret).await.unwrap_err();
        assert_eq!(
            (refused.code(), code(&refused).as_str()),
            (Code::Unauthenticated, "auth.api_key_invalid")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_bound_to_networks_works_there_only() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    let created = bound(
        &world,
        &owner,
        &["192.0.2.7/24", "2001:db8::/32", "192.0.2.0/24"],
    )
    .await
    .unwrap();
    let expected = ["192.0.2.0/24", "2001:db8::/32"];
    assert_eq!(created.api_key.unwrap().networks, expected);
    let listed = list(&world, &owner, 0, "").await.unwrap();
    assert_eq!(listed.api_keys[0].networks, expected);

    for address in ["192.0.2.200", "2001:db8::1", "::ffff:192.0.2.1"] {
        exchange_from(&world, &created.secret, address)
            .await
            .unwrap();
    }
    world.hand.advance(Duration::from_mins(1));
    for address in ["", "192.0.3.1", "2001:db9::1", "nonsense"] {
        let refused = exchange_from(&world, &created.secret, address)
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "auth.api_key_invalid", "{address}");
    }
    let refused = bound(&world, &owner, &["10.0.0.0/8", "example.com"])
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["networks[1]"]);
}
