use std::time::Duration;

use errors::Classify;
use vault::Error;

use crate::keys_in_memory::{SEED, World, organization, place};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn one_key_serves_a_tenant_and_purpose_and_the_provider_is_asked_once() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    for _ in 0..50 {
        world.vault.seal(&keys, &place(owner), b"x").await.unwrap();
    }
    assert_eq!((world.table.len(), world.provider.calls()), (1, 1));

    let seed = vault::Place::new(owner, SEED, "factors", "seed", "1");
    world.vault.seal(&keys, &seed, b"x").await.unwrap();
    assert_eq!(world.table.len(), 2, "another purpose, another key");
}

#[tokio::test]
async fn an_unwrapped_key_is_forgotten_after_five_minutes() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    let sealed = world.vault.seal(&keys, &place(owner), b"x").await.unwrap();
    let vault = world.second_vault();
    let before = world.provider.calls();
    for _ in 0..10 {
        vault.open(&keys, &place(owner), &sealed).await.unwrap();
    }
    assert_eq!(world.provider.calls(), before + 1);
    world.hand.advance(Duration::from_secs(299));
    vault.open(&keys, &place(owner), &sealed).await.unwrap();
    assert_eq!(world.provider.calls(), before + 1);
    world.hand.advance(Duration::from_secs(1));
    vault.open(&keys, &place(owner), &sealed).await.unwrap();
    assert_eq!(world.provider.calls(), before + 2);
}

#[tokio::test]
async fn concurrent_callers_share_one_unwrapping() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    let sealed = world.vault.seal(&keys, &place(owner), b"x").await.unwrap();
    let vault = world.second_vault();
    let before = world.provider.calls();
    let place = place(owner);
    let opened = tokio::join!(
        vault.open(&keys, &place, &sealed),
        vault.open(&keys, &place, &sealed),
        vault.open(&keys, &place, &sealed)
    );
    assert!(opened.0.is_ok() && opened.1.is_ok() && opened.2.is_ok());
    assert_eq!(world.provider.calls(), before + 1);
}

#[tokio::test]
async fn after_ninety_days_a_new_key_seals_and_the_old_one_still_opens() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    let old = world
        .vault
        .seal(&keys, &place(owner), b"old")
        .await
        .unwrap();
    world.hand.advance(89 * DAY);
    world.vault.seal(&keys, &place(owner), b"x").await.unwrap();
    assert_eq!(world.table.len(), 1);
    world.hand.advance(DAY);
    let new = world
        .vault
        .seal(&keys, &place(owner), b"new")
        .await
        .unwrap();
    assert_eq!(world.table.len(), 2);
    assert_ne!(old[1..17], new[1..17], "the envelope names another key");
    for (sealed, secret) in [(old, "old"), (new, "new")] {
        let opened = world
            .vault
            .open(&keys, &place(owner), &sealed)
            .await
            .unwrap();
        assert_eq!(opened.as_slice(), secret.as_bytes());
    }
}

/// K-04.
#[tokio::test]
async fn with_the_provider_down_cached_tenants_work_and_others_fail_until_it_is_back() {
    let world = World::new();
    let (cached, fresh) = (organization(), organization());
    let keys = world.table.of(cached);
    let sealed = world.vault.seal(&keys, &place(cached), b"x").await.unwrap();
    world.provider.set_down(true);
    world.vault.seal(&keys, &place(cached), b"y").await.unwrap();
    let fresh_keys = world.table.of(fresh);
    let failed = world
        .vault
        .seal(&fresh_keys, &place(fresh), b"x")
        .await
        .unwrap_err();
    assert!(matches!(failed, Error::Provider(_)));
    assert_eq!(failed.code().id, "timeout");
    assert_eq!(
        world.table.len(),
        1,
        "no key is stored that nothing wrapped"
    );

    world.provider.set_down(false);
    world
        .vault
        .seal(&fresh_keys, &place(fresh), b"x")
        .await
        .unwrap();
    world
        .vault
        .open(&keys, &place(cached), &sealed)
        .await
        .unwrap();
}
