use std::{sync::Arc, time::Duration};

use auth::{Jwks, RemoteKeys, RemoteRevocations, Revocations, Role, Verifier};
use proto::identity::v1::{GetJwksRequest, Jwk};

use crate::world::{GATEWAY, PASSWORD, World, code};

const DAY: Duration = Duration::from_hours(24);

async fn jwks(world: &World) -> Vec<Jwk> {
    world
        .client
        .clone()
        .get_jwks(GetJwksRequest {})
        .await
        .unwrap()
        .into_inner()
        .keys
}

fn kid(token: &str) -> String {
    use base64::Engine;
    let header = token.split('.').next().unwrap();
    let header = base64::prelude::BASE64_URL_SAFE_NO_PAD
        .decode(header)
        .unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// What a new database is like, and what the runbook does when the vault's key is lost.
const WITHOUT_KEYS: &str = "
    delete from identity.signing_keys; delete from identity.address_keys; delete from identity.mail_suppressions;
    delete from identity.data_keys";

#[tokio::test(flavor = "multi_thread")]
async fn another_service_verifies_tokens_with_the_published_keys() {
    let world = World::start().await;
    let token = world.owner("ada@example.com").await;
    let remote = Jwks::new(
        Arc::new(RemoteKeys::new(world.client.clone())),
        world.clock.clone(),
    );
    let revocations = Arc::new(RemoteRevocations::new(world.client.clone()));
    let revocations = Revocations::new(revocations, world.clock.clone());
    let verified = Verifier::new(remote, revocations, world.clock.clone())
        .verify(&token)
        .await
        .unwrap();
    assert_eq!(verified.principal.membership().unwrap().role, Role::Owner);
    let keys = jwks(&world).await;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].kid, kid(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_survive_a_restart() {
    let mut world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    let before = jwks(&world).await;
    world.restart().await;
    assert_eq!(jwks(&world).await, before);
    assert!(world.caller(&tokens.access_token).await.is_ok());
    assert!(world.refresh(&tokens.refresh_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_on_a_new_database_share_their_keys() {
    let world = World::start().await;
    world.execute(WITHOUT_KEYS).await;
    let replicas = tokio::join!(
        world.replica(&world.config),
        world.replica(&world.config),
        world.replica(&world.config)
    );
    let clients = [replicas.0.1, replicas.1.1, replicas.2.1];
    let mut published = Vec::new();
    for mut client in clients {
        published.push(
            client
                .get_jwks(GetJwksRequest {})
                .await
                .unwrap()
                .into_inner()
                .keys,
        );
    }
    assert_eq!(published[0].len(), 1);
    assert!(published.iter().all(|keys| *keys == published[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ninety_days_a_new_key_is_announced_then_signs_then_replaces_the_old_one() {
    let mut world = World::start().await;
    world.sign_up("ada@example.com").await;
    let old = kid(&world
        .log_in("ada@example.com")
        .await
        .tokens
        .unwrap()
        .access_token);
    world.hand.advance(90 * DAY);
    // The hourly job does the same.
    world.restart().await;
    assert_eq!(jwks(&world).await.len(), 2);
    let announced = world.log_in("ada@example.com").await.tokens.unwrap();
    assert_eq!(
        kid(&announced.access_token),
        old,
        "caches must learn the new key first"
    );

    world.hand.advance(Duration::from_mins(10));
    let tokens = world.log_in("ada@example.com").await.tokens.unwrap();
    assert_ne!(kid(&tokens.access_token), old);
    assert!(world.caller(&tokens.access_token).await.is_ok());
    assert!(
        world.refresh(&announced.refresh_token).await.is_ok(),
        "a refresh token of the old key"
    );

    world.hand.advance(Duration::from_mins(7));
    world.restart().await;
    let keys = jwks(&world).await;
    assert_eq!(keys.len(), 1);
    assert_ne!(keys[0].kid, old);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_stops_verifying_and_its_successor_signs_at_once() {
    let mut world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    world
        .execute(
            "update identity.signing_keys set retired_at = 'epoch' where signs = 'access_tokens'",
        )
        .await;
    world.restart().await;
    let refused = world.caller(&tokens.access_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.unauthenticated");
    let refreshed = world.refresh(&tokens.refresh_token).await.unwrap();
    assert!(world.caller(&refreshed.access_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_vaults_key_it_does_not_start_until_the_sealed_keys_are_given_up() {
    let mut world = World::start().await;
    let key_path = world.config.vault.key_path.with_extension("other");
    vault::local::create(&key_path).unwrap();
    world.config.vault.key_path = key_path;
    let failed = world.try_replica(&world.config).await.unwrap_err();
    assert!(failed.contains("load signing keys"), "{failed}");

    world.execute(WITHOUT_KEYS).await;
    world.restart().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    assert!(world.caller(&tokens.access_token).await.is_ok());
}

/// K-07, the database: what is secret is in no row of any table.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_stored_readably() {
    let world = World::start().await;
    let tokens = world.sign_up("ada@example.com").await.tokens.unwrap();
    let key = world
        .create_key(&tokens.access_token, Role::Agent, &[])
        .await
        .unwrap();
    let refreshed = world.refresh(&tokens.refresh_token).await.unwrap();
    let service = world.service().await;
    let dump = world.dump().await;
    assert!(dump.contains("ada@example.com"), "the dump is complete");
    let secrets = [
        PASSWORD,
        GATEWAY,
        &key.secret,
        &key.secret[13..],
        &tokens.access_token,
        &tokens.refresh_token,
        &refreshed.refresh_token,
        &service,
    ];
    for secret in secrets {
        assert!(!dump.contains(secret));
        let hex = hex::encode(secret);
        assert!(!dump.contains(&hex), "bytea shows as hex");
    }
}
