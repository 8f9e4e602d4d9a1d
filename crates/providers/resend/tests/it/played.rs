//! Our client and our reader against the sandbox's Resend: two readings of one documentation must agree.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use resend::{
    Client, Config, Email, Error, IdempotencyKey,
    client::Why,
    webhook::{Event, EventKind, Headers, SigningSecret, SigningSecrets, Undeliverable},
};
use sandbox::{
    Sandbox, SandboxConfig, SandboxHandle,
    resend::{EndpointSpec, Fault, FaultKind, Filter, SetupSpec},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::sends::{email, http, key};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SOON: Duration = Duration::from_secs(10);

struct World {
    sandbox: SandboxHandle,
    client: Client,
    /// Where webhooks arrive.
    inbox: MockServer,
    clock: Clock,
    hand: Hand,
}

impl World {
    async fn new() -> Self {
        let start: DateTime<Utc> = "2026-11-23T23:30:00Z".parse().expect("a time");
        let (clock, hand) = Clock::manual(start);
        // A real deadline, so that the machine that is busy with other tests has time to answer.
        let http = http(clock.clone(), Duration::from_secs(2));
        let started = Sandbox::start(SandboxConfig::default(), clock.clone()).await;
        let sandbox = started.expect("it starts");
        let inbox = MockServer::start().await;
        let answer = ResponseTemplate::new(200);
        Mock::given(any()).respond_with(answer).mount(&inbox).await;
        let spec = SetupSpec {
            webhooks: vec![EndpointSpec {
                url: inbox.uri(),
                signing_secrets: vec![SECRET.into()],
                events: None,
            }],
            ..SetupSpec::default()
        };
        sandbox.resend().set_up(spec).expect("it is set up");
        let (url, from) = (sandbox.resend_url(), "App <app@switchboard.example>");
        let config = Config::new("re_sandbox".into(), &url, from).expect("usable settings");
        Self {
            client: Client::new(config, http),
            sandbox,
            inbox,
            clock,
            hand,
        }
    }

    fn script(&self, kind: FaultKind) {
        self.sandbox.resend().script(Fault::new(kind));
    }

    async fn send(&self, key: &IdempotencyKey) -> Result<String, Error> {
        let sent = self.client.send(&email(), key).await;
        sent.map(|sent| sent.id)
    }

    fn mails(&self) -> usize {
        let filter = Filter::default();
        self.sandbox.resend().ledger().mailbox(&filter).len()
    }
}

#[tokio::test]
async fn ten_repetitions_through_every_kind_of_failure_send_one_email() {
    let world = World::new().await;
    let key = key("invite/1");
    let mut failures = 0;
    for kind in [
        FaultKind::ResetBeforeAccept,
        FaultKind::ServerErrorBeforeAccept,
        FaultKind::RateLimit,
        FaultKind::Html502,
        FaultKind::TimeoutAfterAccept,
        FaultKind::ResetAfterAccept,
        FaultKind::ServerErrorAfterAccept,
        FaultKind::GarbageBody,
        FaultKind::EmptyBody,
        FaultKind::ResetMidResponse,
    ] {
        world.script(kind);
        let error = world.send(&key).await.expect_err("an attempt that failed");
        assert!(matches!(error, Error::Retry { .. }), "{kind:?}: {error:?}");
        world.hand.advance(Duration::from_secs(1));
        failures += 1;
    }
    let id = world.send(&key).await.expect("taken");
    assert_eq!((failures, world.mails()), (10, 1));
    let taken = world.sandbox.resend().ledger().find_mail(&id);
    let taken = taken.expect("the e-mail of the first attempt that was taken");
    assert_eq!(taken.answer, "timeout_after_accept");
    assert_eq!(taken.links, ["https://app.example/r/1"]);
}

#[tokio::test]
async fn the_teams_rate_and_quota_say_when_to_come_back() {
    let world = World::new().await;
    for number in 0..5 {
        world
            .send(&key(&format!("k{number}")))
            .await
            .expect("taken");
    }
    let error = world.send(&key("k5")).await.expect_err("too fast");
    assert!(
        matches!(
            error,
            Error::Retry {
                why: Why::TooFast,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    world.hand.advance(Duration::from_secs(1));
    world.script(FaultKind::DailyQuota);
    let error = world.send(&key("k5")).await.expect_err("used up");
    let tomorrow = Duration::from_mins(30) - Duration::from_secs(1);
    assert_eq!(error.retry_after(), Some(tomorrow));
}

#[tokio::test]
async fn a_wrong_key_and_a_foreign_sender_are_wrong_settings() {
    let world = World::new().await;
    let url = world.sandbox.resend_url();
    for (api_key, from) in [
        ("re_wrong", "app@switchboard.example"),
        ("re_sandbox", "app@elsewhere.example"),
    ] {
        let config = Config::new(api_key.into(), &url, from).expect("usable settings");
        let client = Client::new(config, http(world.clock.clone(), SOON));
        let error = client.send(&email(), &key("k")).await;
        let error = error.expect_err("refused");
        assert!(matches!(error, Error::Configuration(_)), "{error:?}");
    }
    let other = Email {
        subject: "Other".into(),
        ..email()
    };
    world.send(&key("k")).await.expect("taken");
    let error = world.client.send(&other, &key("k")).await;
    assert!(matches!(error, Err(Error::Refused(_))), "{error:?}");
}

#[tokio::test]
async fn a_bounce_is_verified_and_read() {
    let world = World::new().await;
    let bouncing = Email {
        to: vec!["bounced@resend.dev".into()],
        ..email()
    };
    let sent = world
        .client
        .send(&bouncing, &key("k"))
        .await
        .expect("taken");
    world.hand.advance(Duration::from_secs(2));
    testkit::eventually(SOON, async || {
        world.sandbox.resend().pending_webhooks() == 0
    })
    .await;

    let secret = SigningSecret::new(&SECRET.into()).expect("a usable secret");
    let secrets = SigningSecrets::new(vec![secret]).expect("usable secrets");
    let mut events = Vec::new();
    for request in world.inbox.received_requests().await.expect("recorded") {
        let header = |name| request.headers.get(name).map(http::HeaderValue::as_bytes);
        let headers = Headers {
            id: header("svix-id"),
            timestamp: header("svix-timestamp"),
            signature: header("svix-signature"),
        };
        let now = world.clock.now();
        secrets
            .verify(headers, &request.body, now)
            .expect("Resend's");
        let mut other = request.body.clone();
        other.push(b' ');
        secrets
            .verify(headers, &other, now)
            .expect_err("another body");
        events.push(Event::parse(&request.body).expect("an event"));
    }
    assert_eq!(events.len(), 2);
    let bounced = events.iter().find(|event| event.kind == EventKind::Bounced);
    let bounced = bounced.expect("a bounce");
    assert_eq!(bounced.email_id, Some(sent.id));
    assert_eq!(bounced.to, ["bounced@resend.dev"]);
    assert_eq!(bounced.tags["category"], "password_reset");
    assert_eq!(bounced.undeliverable(), Some(Undeliverable::Bounced));
}
