//! T-11: what was taken away is refused everywhere, although the token has not expired.

use futures::StreamExt;
use serde_json::json;
use switchboard::{api::Api, doors::Doors};

use crate::world::{PASSWORD, PATIENCE, World, eventually};

const EMAIL: &str = "owner@first.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_refused_by_every_service_and_its_stream_ends() {
    let world = World::start().await;
    let doors = Doors::of(&world.platform).await.expect("the doors");
    let staying = Api::log_in(&world.platform.gateway, EMAIL, PASSWORD)
        .await
        .expect("a second login");
    let mut stream = world.owner.events(None).await.expect("a stream");
    stream.next().await.expect("a heartbeat");
    let open = doors.open_to(world.owner.token()).await.expect("answers");
    assert_eq!(open, ["gateway", "identity", "messaging"]);

    staying
        .post("/v1/sessions/revoke-others", "revocation", &json!({}))
        .await
        .expect("revoked");
    eventually(async || {
        let open = doors.open_to(world.owner.token()).await.expect("answers");
        open.is_empty()
    })
    .await;
    let ended = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("the stream ends");
    let open = doors.open_to(staying.token()).await.expect("answers");
    assert_eq!(open, ["gateway", "identity", "messaging"]);
    world.stop().await;
}
