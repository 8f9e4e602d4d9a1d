//! J-10: keys that change, vanish, or can't be fetched.

use std::time::Duration;

use auth::{Authorizer, Error, Policy, Role, TokenKey};
use errors::Classify;
use proto::identity::v1::Jwk;

use crate::world::{World, user};

#[tokio::test]
async fn keys_are_fetched_once_for_many_tokens() {
    let world = World::new();
    for _ in 0..20 {
        world
            .verify(&world.token(&user(Role::Agent)))
            .await
            .unwrap();
    }
    assert_eq!(world.source.asked(), 1);
}

#[tokio::test]
async fn concurrent_first_tokens_ask_once() {
    let world = World::new();
    let token = world.token(&user(Role::Agent));
    let verified = tokio::join!(
        world.verify(&token),
        world.verify(&token),
        world.verify(&token)
    );
    assert!(verified.0.is_ok() && verified.1.is_ok() && verified.2.is_ok());
    assert_eq!(world.source.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_at_its_first_token_and_the_old_one_works_during_the_overlap() {
    let world = World::new();
    let old_token = world.token(&user(Role::Agent));
    world.verify(&old_token).await.unwrap();
    world.hand.advance(Duration::from_mins(1));

    let new = TokenKey::generate();
    world.source.answer(vec![world.key.jwk(), new.jwk()]);
    let new_token = world.token_of(&new, &user(Role::Agent));
    world.verify(&new_token).await.unwrap();
    world.verify(&old_token).await.unwrap();
    assert_eq!(world.source.asked(), 2);
}

#[tokio::test]
async fn unknown_keys_make_us_ask_at_most_once_a_minute() {
    let world = World::new();
    world
        .verify(&world.token(&user(Role::Agent)))
        .await
        .unwrap();
    for second in 0..60 {
        for _ in 0..3 {
            let forged = world.token_of(&TokenKey::generate(), &user(Role::Owner));
            assert!(matches!(
                world.verify(&forged).await,
                Err(Error::Invalid(_))
            ));
        }
        assert_eq!(world.source.asked(), 1, "second {second}");
        world.hand.advance(Duration::from_secs(1));
    }
    let forged = world.token_of(&TokenKey::generate(), &user(Role::Owner));
    assert!(world.verify(&forged).await.is_err());
    assert_eq!(world.source.asked(), 2);
}

#[tokio::test]
async fn with_identity_down_known_keys_go_on_working() {
    let world = World::new();
    world
        .verify(&world.token(&user(Role::Agent)))
        .await
        .unwrap();
    world.source.set_down();
    for _ in 0..48 {
        world.hand.advance(Duration::from_mins(30));
        world
            .verify(&world.token(&user(Role::Agent)))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_key_that_could_not_be_looked_up_is_unavailable_and_soon_asked_again() {
    let world = World::new();
    world.source.set_down();
    let token = world.token(&user(Role::Agent));
    let failed = world.verify(&token).await.unwrap_err();
    assert!(matches!(failed, Error::KeysUnavailable(_)));
    assert_eq!(failed.code().id, "unavailable");
    assert!(world.verify(&token).await.is_err());
    assert_eq!(world.source.asked(), 1, "not at every token");

    world.source.answer(vec![world.key.jwk()]);
    world.hand.advance(Duration::from_secs(2));
    world.verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_key_stops_working_within_five_minutes() {
    let world = World::new();
    world
        .verify(&world.token(&user(Role::Agent)))
        .await
        .unwrap();
    world.source.answer(vec![TokenKey::generate().jwk()]);
    world.hand.advance(Duration::from_mins(5));
    let refused = world.verify(&world.token(&user(Role::Agent))).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn an_answer_that_can_not_be_identitys_is_not_believed() {
    let world = World::new();
    world
        .verify(&world.token(&user(Role::Agent)))
        .await
        .unwrap();
    let symmetric = Jwk {
        kty: "oct".to_owned(),
        ..world.key.jwk()
    };
    let flood = (0..10_000).map(|_| world.key.jwk()).collect::<Vec<_>>();
    for answer in [vec![], vec![symmetric], flood] {
        world.source.answer(answer);
        world.hand.advance(Duration::from_mins(6));
        world
            .verify(&world.token(&user(Role::Agent)))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn only_ed25519_signature_keys_are_taken_from_an_answer() {
    let spoil: [fn(&mut Jwk); 8] = [
        |jwk| jwk.kty = "EC".to_owned(),
        |jwk| jwk.crv = "X25519".to_owned(),
        |jwk| jwk.alg = "HS256".to_owned(),
        |jwk| jwk.r#use = "enc".to_owned(),
        |jwk| jwk.kid = "../x".to_owned(),
        |jwk| jwk.x = "AAAA".to_owned(),
        |jwk| jwk.x = format!("{}A", jwk.x),
        |jwk| jwk.x.clear(),
    ];
    for spoil in spoil {
        let world = World::new();
        let mut jwk = world.key.jwk();
        spoil(&mut jwk);
        world.source.answer(vec![jwk, TokenKey::generate().jwk()]);
        assert!(
            world
                .verify(&world.token(&user(Role::Agent)))
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn warming_up_tells_whether_tokens_can_be_verified() {
    let world = World::new();
    world.source.set_down();
    assert!(world.jwks.warm().await.is_err());
    world.source.answer(vec![world.key.jwk()]);
    world.hand.advance(Duration::from_secs(2));
    world.jwks.warm().await.unwrap();
    world.source.set_down();
    world.jwks.warm().await.unwrap();
    assert_eq!(world.source.asked(), 2);
}

/// What every service's gRPC server is made with.
#[tokio::test]
async fn the_probe_of_an_authorizer_tells_whether_callers_can_be_told_apart() {
    let world = World::new();
    let authorizer = Authorizer::new(
        world.verifier.clone(),
        Policy::load().await.unwrap(),
        world.clock.clone(),
    );
    world.source.set_down();
    assert!(authorizer.probe().await.is_err());
    world.source.answer(vec![world.key.jwk()]);
    world.hand.advance(Duration::from_secs(2));
    authorizer.probe().await.unwrap();
}
