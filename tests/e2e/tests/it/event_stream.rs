//! The event stream misses nothing.

use std::time::Duration;

use futures::StreamExt;

use crate::{
    webhooks::{text, webhook},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumed_from_its_last_event_id_has_every_message_once() {
    let world = World::start().await;
    let mut stream = world.owner.events(None).await.expect("a stream");
    let mut cursor = stream.next().await.expect("the first heartbeat").id;
    let mut seen = Vec::new();
    for round in 0..5 {
        for n in 0..10 {
            let body = webhook(
                &world.number,
                &[text(
                    &format!("wamid.{round}.{n}"),
                    &format!("text {round} {n}"),
                )],
            );
            assert_eq!(world.deliver(&body).await, 200);
        }
        // Some events arrive, then the connection is lost in the middle of the rest.
        while seen.len() < round * 10 + 4 {
            let event = tokio::time::timeout(Duration::from_secs(20), stream.next())
                .await
                .expect("an event in time")
                .expect("an open stream");
            cursor.clone_from(&event.id);
            if event.kind == "message.received" {
                seen.push(
                    event.data["messageReceived"]["messageId"]
                        .as_str()
                        .expect("an id")
                        .to_owned(),
                );
            }
        }
        drop(stream);
        stream = world
            .owner
            .events(Some(&cursor))
            .await
            .expect("a resumed stream");
    }
    while seen.len() < 50 {
        let event = tokio::time::timeout(Duration::from_secs(20), stream.next())
            .await
            .expect("an event in time")
            .expect("an open stream");
        if event.kind == "message.received" {
            seen.push(
                event.data["messageReceived"]["messageId"]
                    .as_str()
                    .expect("an id")
                    .to_owned(),
            );
        }
    }
    let unique: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (50, 50));
    drop(stream);
    world.stop().await;
}
