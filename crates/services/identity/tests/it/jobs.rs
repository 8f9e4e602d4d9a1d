//! What happens without anybody asking.

use std::time::Duration;

use ids::SessionId;
use proto::identity::v1::GetJwksRequest;
use testkit::eventually;

use crate::world::{Client, World};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Longer than anything here takes, even on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// Lets hours pass until the hourly jobs have done something.
async fn hours_pass_until(world: &World, done: &str) {
    eventually(SOON, async || {
        world.hand.advance(HOUR);
        world.execute(done).await > 0
    })
    .await;
}

async fn has_rotated(world: &World) {
    let rotated = "select from identity.signing_keys having count(*) = 4";
    hours_pass_until(world, rotated).await;
}

async fn kids(mut client: Client) -> Vec<String> {
    let jwks = client.get_jwks(GetJwksRequest {}).await.unwrap();
    let keys = jwks.into_inner().keys;
    keys.into_iter().map(|key| key.kid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_keys_are_replaced_and_much_later_deleted_while_the_service_runs() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let first = kids(world.client.clone()).await.remove(0);
    world.hand.advance(89 * DAY);
    assert_eq!(world.execute("select from identity.signing_keys").await, 2);
    has_rotated(&world).await;

    world.hand.advance(30 * DAY);
    let gone =
        format!("select where not exists (select from identity.signing_keys where id = '{first}')");
    hours_pass_until(&world, &gone).await;
    assert_eq!(
        world.execute("select from identity.signing_keys").await,
        3,
        "refresh tokens of the old key live a month longer"
    );
    world.log_in("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_knows_a_new_key_within_a_minute() {
    let world = World::start().await;
    let (_host, other) = world.replica(&world.config).await;
    let first = kids(other.clone()).await.remove(0);
    world.hand.advance(89 * DAY);
    has_rotated(&world).await;
    // Whatever the other has loaded by now.
    kids(other.clone()).await;
    world.hand.advance(Duration::from_mins(1));
    let known = kids(other).await;
    assert!(known.iter().any(|kid| *kid != first), "{known:?}");
}

/// Callers that come while one of them loads the keys must not be served with keys of long ago.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_rested_uses_no_old_keys_however_many_ask_at_once() {
    let world = World::start().await;
    let (_host, rested) = world.replica(&world.config).await;
    let first = kids(rested.clone()).await.remove(0);
    world.hand.advance(89 * DAY);
    has_rotated(&world).await;
    world.hand.advance(DAY);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..32 {
        crowd.spawn(kids(rested.clone()));
    }
    for known in crowd.join_all().await {
        assert_eq!(known.len(), 1);
        assert_ne!(known[0], first);
    }
}

/// A session lasts 30 days and is kept for 30 more.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_go_sixty_days_after_the_login() {
    let world = World::start().await;
    let began = world.clock.now();
    world.sign_up("ada@example.com").await;
    world.hand.advance(20 * DAY);
    let later = world.log_in("ada@example.com").await.tokens.unwrap();
    let later: SessionId = later.session_id.parse().unwrap();
    world.hand.advance(39 * DAY);
    assert_eq!(world.execute("select from identity.sessions").await, 2);
    let one = "select from identity.sessions having count(*) = 1";
    hours_pass_until(&world, one).await;
    assert!(world.clock.now() > began + 60 * DAY);
    let left = format!(
        "select from identity.sessions where id = '{}'",
        later.as_uuid()
    );
    assert_eq!(world.execute(&left).await, 1);
}
