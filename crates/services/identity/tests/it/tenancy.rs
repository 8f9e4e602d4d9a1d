use auth::Role;
use testkit::{assert_catalogue_is_tenant_safe, assert_nothing_without_tenant};

use crate::world::World;

/// T-01.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_keeps_tenants_apart() {
    let world = World::start().await;
    // `users`, `passwords`, `service_clients` and `signing_keys` belong to no tenant; they need no exemption, because
    // the role that serves requests can't touch them.
    assert_catalogue_is_tenant_safe(&world.db, "identity", &[]).await;
}

/// T-03.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_nothing_is_seen_changed_or_added() {
    let world = World::start().await;
    let owner = world.owner("ada@example.com").await;
    world.create_key(&owner, Role::Agent, &[]).await.unwrap();
    assert_nothing_without_tenant(&world.db, "identity", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_serves_requests_does_not_see_people_passwords_clients_or_keys() {
    let world = World::start().await;
    world.owner("ada@example.com").await;
    let mut login = world.db.login("identity_app").await;
    for statement in [
        "select from identity.users",
        "select from identity.passwords",
        "select from identity.service_clients",
        "select from identity.signing_keys",
        "delete from identity.data_keys",
    ] {
        let refused = sqlx::raw_sql(statement)
            .execute(&mut login)
            .await
            .unwrap_err();
        assert_eq!(
            refused.as_database_error().unwrap().code().unwrap(),
            "42501",
            "{statement}"
        );
    }
}
