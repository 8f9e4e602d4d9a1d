use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use proto::messaging::{
    events::v1::{ChannelChanged, MessageReceived},
    v1::{ContactCard, ContactCards, Event, MessageContent, message_content::Kind},
};
use testkit::eventually;

use super::*;
use crate::{events::publish, fixture::Fixture};

async fn tell(fixture: &Fixture, changes: std::ops::Range<usize>) {
    let events: Vec<_> = changes
        .map(|number| {
            let change = format!("change {number}");
            publish::channel_changed(fixture.route, &change, fixture.now(), "system:test")
        })
        .collect();
    let mut tx = fixture.tenant().await;
    db::outbox::push(&mut tx, &events).await.expect("push");
    tx.commit().await.expect("commit");
}

async fn next(stream: &mut EventStream) -> Event {
    stream.next().await.expect("it is open").expect("an event")
}

/// The next `count` events, without signs of life.
async fn take(stream: &mut EventStream, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let event = next(stream).await;
        if event.r#type != "heartbeat" {
            taken.push(event.id);
        }
    }
    taken
}

/// The hub reads until the work is done. One read may not be enough: whoever writes anywhere on the
/// server holds events back.
async fn reading<T>(hub: &Hub, work: impl Future<Output = T>) -> T {
    let passes = async {
        loop {
            hub.pass().await.expect("a page");
            tokio::time::sleep(SOON).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = passes => panic!("the hub ended"),
    }
}

async fn watch(hub: &Hub, fixture: &Fixture) -> EventStream {
    let organization_id = fixture.route.organization_id;
    watch_as(hub, organization_id, Sight::EVERYTHING).await
}

async fn watch_as(hub: &Hub, organization_id: OrganizationId, sight: Sight) -> EventStream {
    let watching = hub.watch(organization_id, String::new(), None, sight);
    let mut stream = watching.await.expect("a stream");
    assert_eq!(next(&mut stream).await.r#type, "heartbeat");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_delays_only_itself_and_misses_nothing() {
    let fixture = Fixture::new().await;
    let hub = Hub::new(fixture.db.clone());
    let mut slow = watch(&hub, &fixture).await;
    let mut quick = watch(&hub, &fixture).await;
    let stop = CancellationToken::new();
    let watching = async {
        tell(&fixture, 0..700).await;
        let seen = take(&mut quick, 700).await;
        // More than its buffer holds: it was passed over, and goes on where it stopped.
        assert_eq!(take(&mut slow, 700).await, seen);
        stop.cancel();
    };
    tokio::join!(hub.run(stop.clone()), watching);
    assert!(slow.next().await.is_none(), "clients go elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_passed_over_asks_when_it_has_room() {
    let fixture = Fixture::new().await;
    let hub = Hub::new(fixture.db.clone());
    let mut stream = watch(&hub, &fixture).await;
    hub.shared.wanted.notified().await;
    tell(&fixture, 0..250).await;

    eventually(Duration::from_secs(20), async || {
        hub.pass().await.expect("a page");
        hub.asked(fixture.now()).is_empty()
    })
    .await;
    assert!(!hub.pass().await.expect("nothing"), "there is no room");
    take(&mut stream, 100).await;
    assert!(hub.shared.wanted.notified().now_or_never().is_none());
    take(&mut stream, 50).await;
    assert!(hub.shared.wanted.notified().now_or_never().is_some());
    reading(&hub, take(&mut stream, 100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_at_one_place_are_read_for_once() {
    let fixture = Fixture::new().await;
    let hub = Hub::new(fixture.db.clone());
    let mut streams = [watch(&hub, &fixture).await, watch(&hub, &fixture).await];
    // Opened at different moments, they meet at the present.
    hub.pass().await.expect("a page");
    assert_eq!(hub.asked(fixture.now()).len(), 1);

    tell(&fixture, 0..2).await;
    let [one, other] = &mut streams;
    let both = async { (take(one, 2).await, take(other, 2).await) };
    let (one, other) = reading(&hub, both).await;
    assert_eq!(one, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_ends_no_stream() {
    let fixture = Fixture::new().await;
    let hub = Hub::new(fixture.db.clone());
    let mut stream = watch(&hub, &fixture).await;
    let mut broken = publish::channel_changed(fixture.route, "x", fixture.now(), "system:test");
    broken.payload = vec![0xff; 3];
    let mut tx = fixture.tenant().await;
    db::outbox::push(&mut tx, &[broken]).await.expect("push");
    tx.commit().await.expect("commit");
    tell(&fixture, 0..1).await;

    let event = reading(&hub, next(&mut stream)).await;
    let Some(proto::messaging::v1::event::Payload::ChannelChanged(changed)) = event.payload else {
        panic!("{event:?}");
    };
    let ChannelChanged { change, .. } = changed;
    assert_eq!(change, "change 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_stream_gets_a_newer_place_to_resume_at() {
    let fixture = Fixture::new().await;
    let hub = Hub::new(fixture.db.clone());
    let mut stream = watch(&hub, &fixture).await;
    fixture.hand.advance(Duration::from_secs(15));
    hub.pass().await.expect("a page");
    assert_eq!(next(&mut stream).await.r#type, "heartbeat");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_shows_what_its_caller_may_see() {
    let fixture = Fixture::new().await;
    let hub = Hub::new(fixture.db.clone());
    let organization_id = fixture.route.organization_id;
    let narrowed = |view| {
        let mut context = crate::fixture::member_context(&fixture);
        if let Some(auth::Principal::User { member, .. }) = &mut context.principal {
            member.view = view;
        }
        Sight::of(&context)
    };
    let masked = narrowed(auth::View {
        hides_contact_details: true,
        ..auth::View::default()
    });
    let own = narrowed(auth::View {
        conversations: auth::Conversations::Own,
        ..auth::View::default()
    });
    let mut masked = watch_as(&hub, organization_id, masked).await;
    let mut own = watch_as(&hub, organization_id, own).await;

    let shared = ContactCard {
        phones: vec!["+16505551234".to_owned()],
        ..ContactCard::default()
    };
    let received = MessageReceived {
        content: Some(MessageContent {
            kind: Some(Kind::Contacts(ContactCards {
                cards: vec![shared],
            })),
        }),
        ..MessageReceived::default()
    };
    let event = bus::event(&received, Some(organization_id), None, fixture.now());
    let mut tx = fixture.tenant().await;
    db::outbox::push(&mut tx, &[event]).await.expect("push");
    tx.commit().await.expect("commit");
    tell(&fixture, 0..1).await;

    let seen = reading(&hub, async {
        (next(&mut masked).await, next(&mut own).await)
    })
    .await;
    assert_eq!(seen.0.r#type, "message.received");
    let shown = format!("{:?}", seen.0);
    assert!(
        shown.contains("+1 *** 234") && !shown.contains("5551234"),
        "{shown}"
    );
    assert_eq!(seen.1.r#type, "channel.changed", "messages are passed over");
}
