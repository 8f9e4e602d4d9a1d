use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{middleware::Next, response::Response};
use chassis::{Environment, Grpc, HostOptions};
use tokio::sync::Notify;
use tonic::{Code, Request, Status, Streaming, transport::Channel};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, ServerReflectionResponse,
    server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
    server_reflection_response::MessageResponse,
};

use crate::support::{
    Plan, Running,
    echo::{self, Echo},
    eventually, http2, refuses,
};

const READ: &str = "/test.Echo/Read";

/// Log lines as they are written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn find(&self, message: &str) -> serde_json::Value {
        let bytes = self.0.lock().expect("not poisoned").clone();
        let lines = String::from_utf8(bytes).expect("UTF-8");
        let line = lines.lines().find(|line| line.contains(message));
        serde_json::from_str(line.expect("it was logged")).expect("JSON")
    }
}

async fn start<F, Fut>(method: F) -> (Running, Channel)
where
    F: Fn(Request<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, Status>> + Send + 'static,
{
    let descriptors: &'static [u8] = echo::descriptors().leak();
    serve(Grpc::new(descriptors).add(Echo::new(method))).await
}

async fn serve(grpc: Grpc) -> (Running, Channel) {
    let plan = Plan {
        grpc: Some(grpc),
        ..Plan::default()
    };
    let running = Running::with(plan, |_, base| base.grpc.request_timeout_ms = 2_000).await;
    let endpoint = tonic::transport::Endpoint::from_shared(running.grpc());
    let channel = endpoint.expect("an address").connect_lazy();
    (running, channel)
}

fn text(text: &str) -> Request<String> {
    Request::new(text.to_owned())
}

#[tokio::test]
async fn calls_are_answered_and_counted_by_method_and_code() {
    let (running, channel) = start(|request| async move {
        match request.into_inner().as_str() {
            "refuse" => Err(Status::failed_precondition("no")),
            other => Ok(format!("read {other}")),
        }
    })
    .await;
    let answer = echo::call(channel.clone(), READ, text("x")).await;
    assert_eq!(answer.expect("an answer"), "read x");
    let refused = echo::call(channel.clone(), READ, text("refuse")).await;
    assert_eq!(
        refused.expect_err("refused").code(),
        Code::FailedPrecondition
    );
    let unknown = echo::call(channel, "/test.Echo/Invented", text("x")).await;
    assert_eq!(
        unknown.expect_err("no such method").code(),
        Code::Unimplemented
    );
    let metrics = running.metrics().await;
    for labels in [
        "rpc_grpc_status_code=\"0\",rpc_method=\"test.Echo/Read\"",
        "rpc_grpc_status_code=\"9\",rpc_method=\"test.Echo/Read\"",
        "rpc_grpc_status_code=\"12\",rpc_method=\"unknown\"",
    ] {
        assert!(metrics.contains(labels), "{labels} in {metrics}");
    }
    assert!(!metrics.contains("Invented"));
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_panicking_handler_is_an_internal_error_without_its_text() {
    let (running, channel) = start(|request| async move {
        assert_ne!(request.into_inner(), "die", "secret words");
        Ok(String::new())
    })
    .await;
    let error = echo::call(channel.clone(), READ, text("die")).await;
    let status = error.expect_err("it panicked");
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("secret words"), "{status:?}");
    assert!(echo::call(channel, READ, text("live")).await.is_ok());
    assert!(running.host.shutdown().await.is_success());
}

#[tokio::test]
async fn a_call_ends_when_its_caller_stops_waiting() {
    let (running, _) = start(|_| async { std::future::pending().await }).await;
    // Without a gRPC client, whose own clock would end the call first.
    let answer = http2()
        .post(format!("{}{READ}", running.grpc()))
        .header("content-type", "application/grpc")
        .header("grpc-timeout", "100m")
        .body(vec![0; 5])
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()["grpc-status"], "4");
    running.host.shutdown().await;
}

#[tokio::test]
async fn handlers_know_how_long_their_caller_waits() {
    let (running, channel) = start(|_| async {
        let left = chassis::time_left().expect("every call has a deadline");
        Ok(left.as_millis().to_string())
    })
    .await;
    let left = echo::call(channel, READ, text("x"))
        .await
        .expect("an answer");
    let left: u64 = left.parse().expect("milliseconds");
    assert!(
        (1_000..=2_000).contains(&left),
        "{left} of the server's 2 s"
    );
    running.host.shutdown().await;
}

/// A layer as `auth` has one: it notes who calls on the span of the call.
async fn authenticate(request: axum::extract::Request, next: Next) -> Response {
    let span = tracing::Span::current();
    span.record("actor", "user:us_1");
    span.record("organization.id", "org_1");
    next.run(request).await
}

#[tokio::test]
async fn log_lines_of_a_call_say_who_called_and_for_which_organization() {
    let lines = Lines::default();
    let (subscriber, kept) = (tracing_subscriber::fmt().json(), lines.clone());
    let _guard =
        tracing::subscriber::set_default(subscriber.with_writer(move || kept.clone()).finish());
    let method = Echo::new(|_| async {
        tracing::info!("a line of the handler");
        Ok(String::new())
    });
    let grpc = Grpc::new(&[]).add(method);
    let (running, channel) = serve(grpc.layer(axum::middleware::from_fn(authenticate))).await;
    echo::call(channel, READ, text("x"))
        .await
        .expect("an answer");
    let line = lines.find("a line of the handler");
    assert_eq!(line["span"]["organization.id"], "org_1", "{line}");
    assert_eq!(line["span"]["actor"], "user:us_1", "{line}");
    running.host.shutdown().await;
}

/// Asks which services there are.
async fn reflect(channel: Channel) -> Result<Streaming<ServerReflectionResponse>, Status> {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(tokio_stream::once(request));
    answers.await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn nobody_is_told_what_there_is_to_call_in_production() {
    let plan = Plan {
        grpc: Some(Grpc::new(echo::descriptors().leak())),
        ..Plan::default()
    };
    let production = |options: &mut HostOptions, _: &mut _| {
        options.environment = Environment::Production;
    };
    let running = Running::with(plan, production).await;
    let endpoint = tonic::transport::Endpoint::from_shared(running.grpc());
    let channel = endpoint.expect("an address").connect_lazy();
    let refused = reflect(channel).await.expect_err("no reflection");
    assert_eq!(refused.code(), Code::Unimplemented);
    running.host.shutdown().await;
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let (running, channel) = start(|_| async { Ok(String::new()) }).await;
    let mut answers = reflect(channel).await.expect("reflection answers");
    let answer = answers
        .message()
        .await
        .expect("no error")
        .expect("one answer");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("a list of services");
    };
    let names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert!(names.contains(&"test.Echo".to_owned()), "{names:?}");
    assert!(
        names.contains(&"grpc.health.v1.Health".to_owned()),
        "{names:?}"
    );
    running.host.shutdown().await;
}

#[tokio::test]
async fn a_call_in_flight_survives_a_shutdown() {
    let (entered, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at_door, opened) = (Arc::clone(&entered), Arc::clone(&gate));
    let (running, channel) = start(move |_| {
        let (at_door, opened) = (Arc::clone(&at_door), Arc::clone(&opened));
        async move {
            at_door.notify_one();
            opened.notified().await;
            Ok("done".to_owned())
        }
    })
    .await;
    let address = running.addresses.grpc.expect("serves gRPC");
    let call = echo::call(channel.clone(), READ, text("slow"));
    let stop = async {
        entered.notified().await;
        let release = async {
            eventually("new connections are refused", || refuses(address)).await;
            gate.notify_one();
        };
        tokio::join!(running.host.shutdown(), release).0
    };
    let (answer, outcome) = tokio::join!(call, stop);
    assert_eq!(answer.expect("an answer"), "done");
    assert_eq!(outcome.dropped, 0);
}
