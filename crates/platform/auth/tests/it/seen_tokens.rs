//! A token whose signature was found good is not checked for it again; everything else about it is.

use std::time::Duration;

use auth::{Error, Revocation, Revoked, Role, TokenKey};

use crate::world::{World, api_key, assert_refused, encode, user};

#[tokio::test]
async fn a_seen_token_says_the_same_each_time() {
    let world = World::new();
    let (one, other) = (user(Role::Agent), api_key(Role::Admin, &["channels.read"]));
    let tokens = [world.token(&one), world.token(&other)];
    for _ in 0..3 {
        let verified = world.verify(&tokens[0]).await.unwrap();
        assert_eq!(verified.principal, one);
        let verified = world.verify(&tokens[1]).await.unwrap();
        assert_eq!(verified.principal, other);
    }
}

#[tokio::test]
async fn a_seen_token_expires() {
    let world = World::new();
    let token = world.token(&user(Role::Agent));
    world.verify(&token).await.unwrap();
    world.hand.advance(Duration::from_secs(304));
    world.verify(&token).await.unwrap();
    world.hand.advance(Duration::from_secs(1));
    assert!(matches!(world.verify(&token).await, Err(Error::Expired)));
}

#[tokio::test]
async fn a_seen_token_is_refused_within_a_second_of_its_revocation() {
    let world = World::new();
    let principal = user(Role::Agent);
    let token = world.token(&principal);
    world.verify(&token).await.unwrap();
    world.revocations.add(Revocation {
        organization_id: principal.membership().unwrap().organization_id,
        revoked: Revoked::Organization,
        issued_until: world.clock.now(),
    });
    world.hand.advance(Duration::from_millis(500));
    assert!(matches!(world.verify(&token).await, Err(Error::Revoked)));
}

#[tokio::test]
async fn a_seen_token_ends_with_its_key() {
    let world = World::new();
    world
        .verify(&world.token(&user(Role::Agent)))
        .await
        .unwrap();
    world.hand.advance(Duration::from_mins(4));
    let token = world.token(&user(Role::Agent));
    world.verify(&token).await.unwrap();
    world.source.answer(vec![TokenKey::generate().jwk()]);
    // Keys are asked for every five minutes; the token has four more to live.
    world.hand.advance(Duration::from_mins(1));
    assert!(matches!(world.verify(&token).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn nothing_that_differs_from_a_seen_token_passes_for_it() {
    let world = World::new();
    let token = world.token(&user(Role::Viewer));
    world.verify(&token).await.unwrap();
    for position in 0..token.len() {
        let (before, rest) = token.split_at(position);
        let (other, after) = (if rest.starts_with('A') { 'B' } else { 'A' }, &rest[1..]);
        let forged = format!("{before}{other}{after}");
        assert_refused(&world, &forged, &format!("byte {position}")).await;
    }
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let promoted = world.token_of(&TokenKey::generate(), &user(Role::Owner));
    let claims = promoted.split('.').nth(1).unwrap();
    assert_refused(&world, &format!("{header}.{claims}.{signature}"), "claims").await;
    for extended in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token}."),
        format!("{token}{}", encode([0])),
    ] {
        assert_refused(&world, &extended, &extended).await;
    }
}
