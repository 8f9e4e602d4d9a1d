use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::{Channel, ChannelConfig, Grpc, Host, HostOptions, TokenSource};
use clock::Clock;
use tonic::{Code, Request, Status};

use crate::support::{
    Plan, Running,
    echo::{self, Echo},
};

const READ: &str = "/test.Echo/Read";
const WRITE: &str = "/test.Echo/Write";

fn text() -> Request<String> {
    Request::new("x".to_owned())
}

async fn serve<F, Fut>(method: F) -> Running
where
    F: Fn(Request<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, Status>> + Send + 'static,
{
    let descriptors: &'static [u8] = echo::descriptors().leak();
    Running::new(Plan {
        grpc: Some(Grpc::new(descriptors).add(Echo::new(method))),
        ..Plan::default()
    })
    .await
}

fn open(running: &Running, config: &ChannelConfig, tokens: Option<TokenSource>) -> Channel {
    let channels = running.host.deps("caller").channels;
    channels
        .open(config, &echo::descriptors(), tokens)
        .expect("a channel")
}

/// A service that is unavailable `times`, and how often it was called.
async fn unavailable(times: u32) -> (Running, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let running = serve(move |_| {
        let call = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            if call < times {
                return Err(Status::unavailable("not now"));
            }
            Ok("done".to_owned())
        }
    })
    .await;
    (running, calls)
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_tried_again_when_the_callee_is_unavailable() {
    let (running, calls) = unavailable(2).await;
    let channel = open(&running, &ChannelConfig::to(running.grpc()), None);
    let answer = echo::call(channel, READ, text()).await;
    assert_eq!(answer.expect("the third try"), "done");
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let metrics = running.metrics().await;
    assert!(metrics.contains("rpc_client_retries_total"), "{metrics}");
    assert!(metrics.contains("rpc_client_duration_seconds_count"));
    running.host.shutdown().await;
}

#[tokio::test]
async fn tries_are_bounded() {
    let (running, calls) = unavailable(u32::MAX).await;
    let channel = open(&running, &ChannelConfig::to(running.grpc()), None);
    let error = echo::call(channel, READ, text())
        .await
        .expect_err("unavailable");
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_call_with_effects_is_never_repeated() {
    let (running, calls) = unavailable(1).await;
    let channel = open(&running, &ChannelConfig::to(running.grpc()), None);
    let error = echo::call(channel, WRITE, text())
        .await
        .expect_err("unavailable");
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    running.host.shutdown().await;
}

#[tokio::test]
async fn nobody_listening_is_unavailable_within_the_deadline() {
    let options = HostOptions::for_tests(Clock::system());
    let host = Host::start(options).await.expect("start the host");
    let mut config = ChannelConfig::to("http://127.0.0.1:1");
    config.timeout_ms = 2_000;
    let channels = host.deps("caller").channels;
    let channel = channels
        .open(&config, &echo::descriptors(), None)
        .expect("a channel");
    let started = Instant::now();
    let error = echo::call(channel, READ, text()).await.expect_err("nobody");
    assert_eq!(error.code(), Code::Unavailable, "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    host.shutdown().await;
}

#[tokio::test]
async fn a_callee_that_hangs_costs_no_more_than_the_deadline() {
    let running = serve(|_| async { std::future::pending().await }).await;
    let mut config = ChannelConfig::to(running.grpc());
    config.timeout_ms = 100;
    let error = echo::call(open(&running, &config, None), WRITE, text()).await;
    assert_eq!(error.expect_err("too late").code(), Code::DeadlineExceeded);
    running.host.shutdown().await;
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_within_their_deadline() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let running = serve(move |_| {
        arrived.send(()).expect("the test listens");
        async { std::future::pending().await }
    })
    .await;
    let mut config = ChannelConfig::to(running.grpc());
    (config.timeout_ms, config.max_in_flight) = (60_000, 1);
    let channel = open(&running, &config, None);
    let beyond = async {
        arrivals.recv().await.expect("the first call arrives");
        let mut request = text();
        request.set_timeout(Duration::from_millis(100));
        echo::call(channel.clone(), WRITE, request).await
    };
    tokio::select! {
        first = echo::call(channel.clone(), WRITE, text()) => panic!("it ended: {first:?}"),
        second = beyond => {
            assert_eq!(second.expect_err("too late").code(), Code::DeadlineExceeded);
        }
    }
    assert!(arrivals.try_recv().is_err(), "the second call was not sent");
    running.host.shutdown().await;
}

/// A header of the request as the callee sees it.
fn header(request: &Request<String>, name: &str) -> String {
    let value = request.metadata().get(name);
    let text = value.map(|value| value.to_str().expect("text").to_owned());
    text.unwrap_or_default()
}

#[tokio::test]
async fn the_service_token_is_added_unless_the_call_has_its_own() {
    let running = serve(|request| async move { Ok(header(&request, "authorization")) }).await;
    let tokens = TokenSource::new(|| async { Ok("service-token".to_owned().into()) });
    let channel = open(&running, &ChannelConfig::to(running.grpc()), Some(tokens));
    let seen = echo::call(channel.clone(), READ, text())
        .await
        .expect("an answer");
    assert_eq!(seen, "Bearer service-token");
    let mut own = text();
    let token = "Bearer of-the-user".parse().expect("a header value");
    own.metadata_mut().insert("authorization", token);
    let seen = echo::call(channel, READ, own).await.expect("an answer");
    assert_eq!(seen, "Bearer of-the-user");
    running.host.shutdown().await;
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (running, calls) = unavailable(0).await;
    let tokens = TokenSource::new(|| async { Err(Status::unauthenticated("no key")) });
    let channel = open(&running, &ChannelConfig::to(running.grpc()), Some(tokens));
    let error = echo::call(channel, READ, text())
        .await
        .expect_err("no token");
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_chain_of_calls_shares_its_request_id_and_shrinks_its_deadline() {
    let owner = serve(|request| async move {
        let left = chassis::time_left().expect("a deadline").as_millis();
        Ok(format!("{} {left}", header(&request, "x-request-id")))
    })
    .await;
    let channel = open(&owner, &ChannelConfig::to(owner.grpc()), None);
    let front = serve(move |_| echo::call(channel.clone(), READ, text())).await;
    let mut config = ChannelConfig::to(front.grpc());
    config.timeout_ms = 4_000;
    let channel = open(&front, &config, None);
    let mut request = text();
    let id = "req-7".parse().expect("a header value");
    request.metadata_mut().insert("x-request-id", id);
    let seen = echo::call(channel, READ, request).await.expect("an answer");
    let (id, left) = seen.split_once(' ').expect("two words");
    assert_eq!(id, "req-7");
    let left: u64 = left.parse().expect("milliseconds");
    assert!(
        (2_000..=3_600).contains(&left),
        "{left}: a tenth is kept back"
    );
    front.host.shutdown().await;
    owner.host.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_a_channel_is_refused() {
    let options = HostOptions::for_tests(Clock::system());
    let host = Host::start(options).await.expect("start the host");
    let channels = host.deps("caller").channels;
    let config = ChannelConfig::to("not an address");
    assert!(channels.open(&config, &[], None).is_err());
    let config = ChannelConfig::to("http://127.0.0.1:1");
    let refused = channels.open(&config, b"\xff", None);
    assert!(refused.is_err(), "no descriptors either");
    host.shutdown().await;
}
