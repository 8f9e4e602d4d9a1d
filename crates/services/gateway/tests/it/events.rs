use std::time::Duration;

use auth::Role;
use axum::{body::Body, response::Response};
use errors::codes;
use http_body_util::BodyExt;
use proto::messaging::{
    events::v1::ConversationOpened,
    v1::{Event, event::Payload},
};
use tonic::Status;

use crate::{
    services::{Act, user},
    world::{SOON, STREAMS, World},
};

fn opened(id: &str) -> Act {
    Act::Send(Box::new(Event {
        id: id.into(),
        r#type: "conversation.opened".into(),
        payload: Some(Payload::ConversationOpened(ConversationOpened {
            conversation_id: format!("cv_{id}"),
            ..ConversationOpened::default()
        })),
        ..Event::default()
    }))
}

fn heartbeat(id: &str) -> Act {
    Act::Send(Box::new(Event {
        id: id.into(),
        r#type: "heartbeat".into(),
        ..Event::default()
    }))
}

/// A client of the stream.
struct Client<'w> {
    world: &'w World,
    body: Body,
    text: String,
}

impl<'w> Client<'w> {
    async fn connect(world: &'w World, path: &str, last_event_id: Option<&str>) -> Self {
        let mut ask = world
            .agent("GET", path)
            .header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            ask = ask.header("last-event-id", id);
        }
        Self::of(world, ask.send().await)
    }

    fn of(world: &'w World, response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            world,
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next block, without its empty line; `None` at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block = self.text[..end].to_owned();
                self.text.drain(..end + 2);
                return Some(block);
            }
            let frame = self
                .body
                .frame()
                .await?
                .expect("a stream that does not fail");
            let data = frame.into_data().expect("data");
            self.text
                .push_str(std::str::from_utf8(&data).expect("text"));
        }
    }

    /// The next block, while `step` of time passes again and again.
    async fn block_as_time_passes(&mut self, step: Duration) -> Option<String> {
        let hand = self.world.hand.clone();
        let reading = async {
            loop {
                tokio::select! {
                    biased;
                    block = self.block() => return block,
                    () = tokio::time::sleep(Duration::from_millis(5)) => hand.advance(step),
                }
            }
        };
        tokio::time::timeout(SOON, reading)
            .await
            .expect("a block in time")
    }

    /// The id of the next event.
    async fn id(&mut self) -> String {
        loop {
            let block = self
                .block_as_time_passes(Duration::from_millis(20))
                .await
                .expect("an event");
            if let Some(line) = block.lines().find(|line| line.starts_with("id: ")) {
                return line["id: ".len()..].to_owned();
            }
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.id().await);
        }
        ids
    }
}

fn cursors(world: &World) -> Vec<String> {
    world
        .script
        .seen_of("WatchEvents")
        .iter()
        .map(|seen| {
            let quoted = seen.request.split('"').nth(1).expect("a cursor");
            quoted.to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_stream_begins_with_a_retry_hint_and_carries_events_as_proto_json() {
    let world = World::start().await;
    world.script.stream(vec![opened("7-1"), heartbeat("7-2")]);
    let mut client = Client::connect(&world, "/v1/events", None).await;
    let hint = client.block().await.expect("a hint");
    let millis: u32 = hint
        .strip_prefix("retry: ")
        .expect("retry")
        .parse()
        .expect("a number");
    assert!((1_000..=3_000).contains(&millis));
    assert_eq!(
        client.block().await.expect("an event"),
        "id: 7-1\nevent: conversation.opened\ndata: {\"id\":\"7-1\",\"type\":\"conversation.opened\",\
         \"conversationOpened\":{\"conversationId\":\"cv_7-1\"}}"
    );
    assert_eq!(client.block().await.expect("a heartbeat"), "id: 7-2");
}

#[tokio::test]
async fn the_last_event_id_resumes_and_is_newer_than_the_address() {
    let world = World::start().await;
    drop(Client::connect(&world, "/v1/events", Some("7-9")).await);
    drop(Client::connect(&world, "/v1/events?cursor=7-1", None).await);
    drop(Client::connect(&world, "/v1/events?cursor=7-1", Some("7-9")).await);
    drop(Client::connect(&world, "/v1/events", None).await);
    assert_eq!(cursors(&world), ["7-9", "7-1", "7-9", ""]);
}

#[tokio::test]
async fn a_stream_that_breaks_is_resumed_without_loss_or_repetition() {
    let world = World::start().await;
    world.script.stream(vec![
        opened("1"),
        opened("2"),
        opened("3"),
        Act::Fail(Status::unavailable("going down")),
    ]);
    world
        .script
        .stream(vec![opened("4"), heartbeat("5"), Act::End]);
    world
        .script
        .stream(vec![Act::Fail(Status::internal("reset"))]);
    world.script.stream(vec![opened("6")]);
    let mut client = Client::connect(&world, "/v1/events", None).await;
    assert_eq!(client.ids(6).await, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(cursors(&world), ["", "3", "5", "5"]);
    for seen in world.script.seen_of("WatchEvents") {
        assert!(seen.header("authorization").is_some());
    }
}

#[tokio::test]
async fn a_service_that_dies_and_comes_back_is_not_noticed_by_the_client() {
    let mut world = World::start().await;
    world.script.stream(vec![opened("1"), opened("2")]);
    world.script.stream(vec![opened("3")]);
    let response = world.agent("GET", "/v1/events").send().await;
    let mut client = Client::of(&world, response);
    assert_eq!(client.ids(2).await, ["1", "2"]);
    let (body, text) = (client.body, client.text);
    world.kill_messaging().await;
    world.restart_messaging().await;
    let mut client = Client {
        world: &world,
        body,
        text,
    };
    assert_eq!(client.id().await, "3");
    assert_eq!(cursors(&world), ["", "2"]);
}

#[tokio::test]
async fn a_service_that_stays_away_ends_the_stream_so_that_the_client_resumes() {
    let mut world = World::start().await;
    world.script.stream(vec![opened("1")]);
    let response = world.agent("GET", "/v1/events").send().await;
    let mut client = Client::of(&world, response);
    assert_eq!(client.id().await, "1");
    let (body, text) = (client.body, client.text);
    world.kill_messaging().await;
    let mut client = Client {
        world: &world,
        body,
        text,
    };
    let mut blocks = Vec::new();
    while let Some(block) = client
        .block_as_time_passes(Duration::from_millis(500))
        .await
    {
        blocks.push(block);
    }
    let last = blocks.last().expect("a hint");
    assert!(last.starts_with("retry: "), "{blocks:?}");
}

#[tokio::test]
async fn a_service_that_ends_every_stream_at_once_is_asked_ever_more_rarely_and_given_up() {
    let world = World::start().await;
    world.script.stream(vec![opened("1"), Act::End]);
    for _ in 0..1_000 {
        world.script.stream(vec![Act::End]);
    }
    let mut client = Client::connect(&world, "/v1/events", None).await;
    assert_eq!(client.id().await, "1");
    let step = Duration::from_millis(20);
    let mut last = String::new();
    while let Some(block) = client.block_as_time_passes(step).await {
        last = block;
    }
    assert!(last.starts_with("retry: "), "{last}");
    let asked = cursors(&world).len();
    assert!((5..=30).contains(&asked), "asked {asked} times");
}

#[tokio::test]
async fn open_event_streams_leave_the_api_its_connection() {
    let world = World::start().await;
    let mut clients = Vec::new();
    for _ in 0..STREAMS {
        clients.push(Client::connect(&world, "/v1/events", None).await);
    }
    let answer = world.agent("GET", "/v1/conversations").answer().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_a_cursor_a_loss_is_shown_instead_of_hidden() {
    let world = World::start().await;
    world.script.stream(vec![Act::End]);
    let mut client = Client::connect(&world, "/v1/events", None).await;
    let step = Duration::from_millis(20);
    for _ in 0..2 {
        let hint = client.block_as_time_passes(step).await.expect("a hint");
        assert!(hint.starts_with("retry: "), "{hint}");
    }
    assert_eq!(client.block_as_time_passes(step).await, None);
    assert_eq!(cursors(&world), [""]);
}

#[tokio::test]
async fn a_quiet_stream_shows_signs_of_life() {
    let world = World::start().await;
    let mut client = Client::connect(&world, "/v1/events", None).await;
    client.block().await.expect("a hint");
    for _ in 0..2 {
        let before = world.script.clock.now();
        let block = client.block_as_time_passes(Duration::from_secs(1)).await;
        assert_eq!(block.as_deref(), Some(": alive"));
        let waited = world.script.clock.now() - before;
        assert!((15..=20).contains(&waited.num_seconds()), "{waited}");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let world = World::start().await;
    let mut client = Client::connect(&world, "/v1/events", None).await;
    client.block().await.expect("a hint");
    world.hand.advance(Duration::from_mins(5));
    let block = client.block().await.expect("a reason");
    assert!(block.starts_with("event: problem\ndata: {"), "{block}");
    assert!(block.contains("auth.token_expired"), "{block}");
    assert_eq!(client.block().await, None);
}

#[tokio::test]
async fn a_stream_ends_within_a_second_after_its_session() {
    let world = World::start().await;
    let person = user(Role::Agent);
    let token = world.script.token(&person);
    let response = world.ask("GET", "/v1/events").bearer(&token).send().await;
    let mut client = Client::of(&world, response);
    client.block().await.expect("a hint");
    world.hand.advance(Duration::from_millis(300));
    world.script.revoke(&person);
    let before = world.script.clock.now();
    let block = client.block_as_time_passes(Duration::from_millis(50)).await;
    let block = block.expect("a reason");
    assert!(block.starts_with("event: problem\ndata: {"), "{block}");
    assert!(block.contains("auth.revoked"), "{block}");
    assert_eq!(client.block().await, None);
    let waited = world.script.clock.now() - before;
    assert!(waited.num_milliseconds() <= 1_000, "{waited}");
}

#[tokio::test]
async fn a_stream_ends_within_a_second_after_its_api_key() {
    let world = World::start().await;
    world.script.api_key(Some("sbk_1"));
    let response = world.ask("GET", "/v1/events").bearer("sbk_1").send().await;
    let mut client = Client::of(&world, response);
    client.block().await.expect("a hint");
    world.script.revoke_api_key();
    let before = world.script.clock.now();
    let block = client.block_as_time_passes(Duration::from_millis(50)).await;
    assert!(block.is_some_and(|block| block.contains("auth.revoked")));
    let waited = world.script.clock.now() - before;
    assert!(waited.num_milliseconds() <= 1_000, "{waited}");
}

#[tokio::test]
async fn somebody_elses_end_leaves_a_stream_alone() {
    let world = World::start().await;
    let mut client = Client::connect(&world, "/v1/events", None).await;
    client.block().await.expect("a hint");
    world.script.revoke(&user(Role::Agent));
    let block = client
        .block_as_time_passes(Duration::from_millis(500))
        .await;
    assert_eq!(block.as_deref(), Some(": alive"));
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams_with_a_hint() {
    let world = World::start().await;
    let mut client = Client::connect(&world, "/v1/events", None).await;
    client.block().await.expect("a hint");
    world.host.deps("test").shutdown.soft.cancel();
    let hint = client.block().await.expect("a hint");
    assert!(hint.starts_with("retry: "), "{hint}");
    assert_eq!(client.block().await, None);
}

#[tokio::test]
async fn a_service_that_means_no_is_not_asked_again() {
    let world = World::start().await;
    world.script.stream(vec![
        opened("1"),
        Act::Fail(errors::status_of(&codes::AUTH_FORBIDDEN)),
    ]);
    let mut client = Client::connect(&world, "/v1/events", None).await;
    assert_eq!(client.id().await, "1");
    let block = client.block().await.expect("a reason");
    assert!(block.contains("auth.forbidden"), "{block}");
    assert_eq!(client.block().await, None);
    assert_eq!(cursors(&world), [""]);
}

#[tokio::test]
async fn a_refusal_before_the_first_event_is_an_ordinary_problem() {
    let world = World::start().await;
    world
        .ask("GET", "/v1/events")
        .answer()
        .await
        .problem(401, "auth.unauthenticated");
    world
        .script
        .refuse(errors::status_of(&codes::CURSOR_EXPIRED));
    let old = world.agent("GET", "/v1/events?cursor=1").answer().await;
    old.problem(409, "request.cursor_expired");
    let json = world
        .agent("GET", "/v1/events")
        .header("accept", "application/json")
        .answer()
        .await;
    json.problem(406, "request.not_acceptable");
    let unknown = world.agent("GET", "/v1/events?since=1").answer().await;
    let problem = unknown.problem(400, "request.malformed");
    assert_eq!(problem["errors"][0]["field"], "since");
    let head = world.agent("HEAD", "/v1/events").send().await;
    assert_eq!(head.status(), 405);
}
