use identity::Seed;
use proto::identity::events::v1::OrganizationCreated;
use secrecy::SecretString;

use crate::world::{PASSWORD, World};

fn demo(password: &str) -> Seed {
    Seed {
        organization_name: "Demo".to_owned(),
        name: "Demo Owner".to_owned(),
        email: "demo@example.com".to_owned(),
        password: SecretString::from(password),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_twice_is_seeding_once() {
    let world = World::start().await;
    let db = world.db.db_at("identity", world.clock.clone()).await;
    let first = identity::seed(&db, &demo(PASSWORD)).await.unwrap();
    let again = identity::seed(&db, &demo("another password than before"))
        .await
        .unwrap();
    assert_eq!(first, again);
    assert_eq!(world.events::<OrganizationCreated>().await.len(), 1);
    let logged_in = world.log_in("demo@example.com").await;
    assert_eq!(
        logged_in.organization.unwrap().id,
        first.organization_id.to_string()
    );
    assert_eq!(logged_in.user.unwrap().id, first.user_id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_seed_at_once_get_the_same() {
    let world = World::start().await;
    let db = world.db.db_at("identity", world.clock.clone()).await;
    let demo = demo(PASSWORD);
    let (one, two) = tokio::join!(identity::seed(&db, &demo), identity::seed(&db, &demo));
    assert_eq!(one.unwrap(), two.unwrap());
}
