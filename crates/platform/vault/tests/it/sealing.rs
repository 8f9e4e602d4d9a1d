use proptest::prelude::*;
use secrecy::ExposeSecret;
use vault::{Error, Owner, Place};

use crate::keys_in_memory::{SEED, TOKEN, World, organization, place};

#[tokio::test]
async fn a_value_opens_where_it_was_sealed() {
    let world = World::new();
    for owner in [organization(), Owner::Platform] {
        let keys = world.table.of(owner);
        for secret in ["", "EAAG…", &"x".repeat(100_000)] {
            let sealed = world
                .vault
                .seal(&keys, &place(owner), secret.as_bytes())
                .await
                .unwrap();
            let opened = world
                .second_vault()
                .open_text(&keys, &place(owner), &sealed)
                .await
                .unwrap();
            assert_eq!(opened.expose_secret(), secret);
        }
    }
}

#[tokio::test]
async fn the_same_secret_is_sealed_differently_each_time_and_is_not_visible() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    let first = world
        .vault
        .seal(&keys, &place(owner), b"canary-secret")
        .await
        .unwrap();
    let second = world
        .vault
        .seal(&keys, &place(owner), b"canary-secret")
        .await
        .unwrap();
    assert_ne!(first, second);
    assert!(!first.windows(6).any(|window| window == b"canary"));
}

/// K-01.
#[tokio::test]
async fn a_value_moved_to_another_row_column_tenant_or_purpose_does_not_open() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    let sealed = world
        .vault
        .seal(&keys, &place(owner), b"secret")
        .await
        .unwrap();
    let elsewhere = [
        Place::new(owner, TOKEN, "channels", "access_token", "ch_2"),
        Place::new(owner, TOKEN, "channels", "app_secret", "ch_1"),
        Place::new(owner, TOKEN, "connections", "access_token", "ch_1"),
    ];
    for place in elsewhere {
        let refused = world.vault.open(&keys, &place, &sealed).await.unwrap_err();
        assert!(matches!(refused, Error::Refused), "{place:?}: {refused}");
    }

    let other_purpose = Place::new(owner, SEED, "channels", "access_token", "ch_1");
    let refused = world
        .vault
        .open(&keys, &other_purpose, &sealed)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::KeyGone(_)), "{refused}");

    let other = organization();
    let refused = world
        .vault
        .open(&world.table.of(other), &place(other), &sealed)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::KeyGone(_)), "{refused}");

    let refused = world
        .vault
        .open(&world.table.of(other), &place(owner), &sealed)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, Error::Refused),
        "a store of another owner: {refused}"
    );
}

/// K-01: even where somebody copies the wrapped key along with the value.
#[tokio::test]
async fn a_wrapped_key_copied_to_another_tenant_does_not_unwrap() {
    use vault::KeyStore;

    let world = World::new();
    let (owner, thief) = (organization(), organization());
    let keys = world.table.of(owner);
    let sealed = world
        .vault
        .seal(&keys, &place(owner), b"secret")
        .await
        .unwrap();
    let key = keys.find_newest(TOKEN).await.unwrap().unwrap();
    world.table.of(thief).insert(TOKEN, &key).await.unwrap();
    let refused = world
        .vault
        .open(&world.table.of(thief), &place(thief), &sealed)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Provider(_)), "{refused}");
}

/// K-02.
#[tokio::test]
async fn flipping_any_bit_of_the_envelope_is_noticed() {
    let world = World::new();
    let owner = organization();
    let keys = world.table.of(owner);
    let sealed = world
        .vault
        .seal(&keys, &place(owner), b"secret")
        .await
        .unwrap();
    for position in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[position] ^= 1 << bit;
            let opened = world.vault.open(&keys, &place(owner), &changed).await;
            assert!(opened.is_err(), "byte {position}, bit {bit}");
        }
    }
    for length in 0..sealed.len() {
        let opened = world
            .vault
            .open(&keys, &place(owner), &sealed[..length])
            .await;
        assert!(opened.is_err(), "cut to {length}");
    }
}

/// K-06.
#[tokio::test]
async fn without_its_wrapped_keys_a_tenants_secret_is_gone() {
    let world = World::new();
    let (owner, neighbour) = (organization(), organization());
    let seal = async |owner| {
        let keys = world.table.of(owner);
        world
            .vault
            .seal(&keys, &place(owner), b"secret")
            .await
            .unwrap()
    };
    let (sealed, neighbours) = (seal(owner).await, seal(neighbour).await);
    world.table.destroy(owner);
    world.vault.forget(owner);
    let gone = world
        .vault
        .open(&world.table.of(owner), &place(owner), &sealed)
        .await
        .unwrap_err();
    assert!(matches!(gone, Error::KeyGone(_)), "{gone}");
    let keys = world.table.of(neighbour);
    assert!(
        world
            .vault
            .open(&keys, &place(neighbour), &neighbours)
            .await
            .is_ok()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_survive_and_no_garbage_opens(secret: Vec<u8>, garbage: Vec<u8>, row in "\\PC{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let owner = organization();
            let keys = world.table.of(owner);
            let place = Place::new(owner, TOKEN, "t", "c", &row);
            let sealed = world.vault.seal(&keys, &place, &secret).await.unwrap();
            assert_eq!(world.vault.open(&keys, &place, &sealed).await.unwrap().as_slice(), secret);
            assert!(world.vault.open(&keys, &place, &garbage).await.is_err());
        });
    }
}
