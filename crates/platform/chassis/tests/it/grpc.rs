use std::time::Duration;

use chassis::Grpc;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::{
    Plan, Running,
    echo::{self, Echo},
    eventually,
};

const READ: &str = "/test.Echo/Read";

async fn start<F, Fut>(method: F) -> (Running, Channel)
where
    F: Fn(Request<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, Status>> + Send + 'static,
{
    let descriptors: &'static [u8] = echo::descriptors().leak();
    let plan = Plan {
        grpc: Some(Grpc::new(descriptors).add(Echo::new(method))),
        ..Plan::default()
    };
    let running = Running::with(plan, |_, base| base.grpc.request_timeout_ms = 2_000).await;
    let endpoint = tonic::transport::Endpoint::from_shared(running.grpc());
    let channel = endpoint.expect("an address").connect_lazy();
    (running, channel)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the guarded client may not call loopback, and knows no chassis"
)]
fn browser_of_grpc() -> reqwest::Client {
    chassis::install_crypto();
    let builder = reqwest::Client::builder().http2_prior_knowledge();
    builder.build().expect("build a client")
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
    let answer = browser_of_grpc()
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

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let (running, channel) = start(|_| async { Ok(String::new()) }).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::once(request))
        .await
        .expect("reflection answers")
        .into_inner();
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
    let (running, channel) = start(|_| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok("done".to_owned())
    })
    .await;
    let call = echo::call(channel.clone(), READ, text("slow"));
    let stop = async {
        eventually("the call has arrived", || async {
            running
                .metrics()
                .await
                .contains("server_active_requests{protocol=\"grpc\"")
        })
        .await;
        running.host.shutdown().await
    };
    let (answer, outcome) = tokio::join!(call, stop);
    assert_eq!(answer.expect("an answer"), "done");
    assert_eq!(outcome.dropped, 0);
}
