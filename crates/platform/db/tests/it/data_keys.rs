//! The vault over the table `data_keys`, which every schema has.

use std::sync::Arc;

use db::DataKeys;
use ids::{OrganizationId, TenantScope};
use vault::{Error, KeyStore, Owner, Place, Purpose, Vault, local::LocalKeys};

use crate::fixture::Fixture;

const TOKEN: Purpose = Purpose::new("token");

fn tenant() -> TenantScope {
    TenantScope::system(OrganizationId::generate(), "test")
}

fn place(owner: Owner) -> Place {
    Place::new(owner, TOKEN, "channels", "access_token", "ch_1")
}

#[tokio::test]
async fn what_one_process_sealed_another_opens() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let provider = Arc::new(LocalKeys::ephemeral());
    let vault = || Vault::new(provider.clone(), db.clock().clone());
    for keys in [
        DataKeys::of_tenant(db, &tenant()),
        DataKeys::of_platform(db),
    ] {
        let place = place(keys.owner());
        let sealed = vault()
            .seal(&keys, &place, b"secret")
            .await
            .expect("a good database");
        assert_eq!(
            vault()
                .open(&keys, &place, &sealed)
                .await
                .expect("a good database")
                .as_slice(),
            b"secret"
        );
    }
}

/// K-06, and that tenants' keys are apart.
#[tokio::test]
async fn destroying_a_tenants_keys_makes_its_secrets_unreadable_and_no_others() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let vault = Vault::new(Arc::new(LocalKeys::ephemeral()), db.clock().clone());
    let (gone, stays) = (
        DataKeys::of_tenant(db, &tenant()),
        DataKeys::of_tenant(db, &tenant()),
    );
    let sealed = vault
        .seal(&gone, &place(gone.owner()), b"secret")
        .await
        .expect("a good database");
    let other = vault
        .seal(&stays, &place(stays.owner()), b"secret")
        .await
        .expect("a good database");
    assert!(
        stays.find_newest(TOKEN).await.expect("a good database")
            != gone.find_newest(TOKEN).await.expect("a good database")
    );

    assert_eq!(gone.destroy().await.expect("a good database"), 1);
    vault.forget(gone.owner());
    let refused = vault
        .open(&gone, &place(gone.owner()), &sealed)
        .await
        .expect_err("refused");
    assert!(matches!(refused, Error::KeyGone(_)), "{refused}");
    assert!(
        vault
            .open(&stays, &place(stays.owner()), &other)
            .await
            .is_ok()
    );
    assert_eq!(gone.destroy().await.expect("a good database"), 0);

    // A new secret gets a new key.
    let sealed = vault
        .seal(&gone, &place(gone.owner()), b"new")
        .await
        .expect("a good database");
    assert!(
        vault
            .open(&gone, &place(gone.owner()), &sealed)
            .await
            .is_ok()
    );
}
