use std::time::Duration;

use auth::{Error, LIFETIME, Role};
use secrecy::ExposeSecret;

use crate::world::{World, api_key, service, user};

#[tokio::test]
async fn every_kind_of_caller_survives_a_token() {
    let world = World::new();
    let callers = [
        user(Role::Owner),
        user(Role::Viewer),
        api_key(Role::Admin, &["channels.read", "messages.send"]),
        api_key(Role::Agent, &[]),
        service("gateway"),
    ];
    for principal in callers {
        let verified = world.verify(&world.token(&principal)).await.unwrap();
        assert_eq!(verified.principal, principal);
        assert_eq!(verified.expires_at, world.clock.now() + LIFETIME);
    }
}

/// J-08: five minutes, and five seconds for clocks that differ.
#[tokio::test]
async fn a_token_works_until_it_expires_and_not_after() {
    let world = World::new();
    let token = world.token(&user(Role::Agent));
    world.hand.advance(Duration::from_secs(304));
    assert!(world.verify(&token).await.is_ok());
    world.hand.advance(Duration::from_secs(1));
    assert!(matches!(world.verify(&token).await, Err(Error::Expired)));
}

#[tokio::test]
async fn a_token_is_never_signed_for_longer_than_five_minutes() {
    let world = World::new();
    let now = world.clock.now();
    let token = world
        .key
        .sign(&user(Role::Agent), now, Duration::from_hours(24))
        .unwrap();
    let verified = world.verify(token.expose_secret()).await.unwrap();
    assert_eq!(verified.expires_at, now + LIFETIME);
}

#[tokio::test]
async fn a_token_can_be_shorter() {
    let world = World::new();
    let token = world
        .key
        .sign(
            &user(Role::Agent),
            world.clock.now(),
            Duration::from_secs(10),
        )
        .unwrap();
    world.hand.advance(Duration::from_secs(14));
    assert!(world.verify(token.expose_secret()).await.is_ok());
    world.hand.advance(Duration::from_secs(1));
    assert!(matches!(
        world.verify(token.expose_secret()).await,
        Err(Error::Expired)
    ));
}
