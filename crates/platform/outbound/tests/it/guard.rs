//! The network guard with a resolver that lies.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use clock::Clock;
use http::{Method, StatusCode};
use outbound::{
    Client, Config, Error, NotSent,
    guard::{Lookup, Policy, Refused},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::server::{install_tls, url};

/// Gives its answers one after the other, the last one for ever.
#[derive(Debug)]
struct Script {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |texts: &&[&str]| -> Vec<IpAddr> {
            let parse = |text: &&str| text.parse().expect("an address");
            texts.iter().map(parse).collect()
        };
        Arc::new(Self {
            answers: answers.iter().map(parse).collect(),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Lookup for Script {
    fn lookup(
        &self,
        _host: String,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers[asked.min(self.answers.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    }
}

fn guarded(policy: Policy, lookup: Arc<Script>) -> Client {
    install_tls();
    let config = Config::for_tenant_addresses(policy);
    Client::with_lookup("tenant", config, Clock::system(), lookup).expect("a client")
}

async fn refused(client: &Client, address: &str) -> Refused {
    let call = client.request("webhook.deliver", Method::POST, url(address));
    match call.send().await.expect_err("refused") {
        Error::NotSent {
            reason: NotSent::Refused(refused),
            ..
        } => refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_name_with_any_private_address_is_refused() {
    for answers in [
        &["127.0.0.1"][..],
        &["8.8.8.8", "10.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["64:ff9b::7f00:1"],
    ] {
        let client = guarded(Policy::default(), Script::new(&[answers]));
        let reason = refused(&client, "https://rebind.example/").await;
        assert_eq!(reason, Refused::Address);
    }
}

#[tokio::test]
async fn literals_are_refused_although_no_name_is_resolved() {
    let script = Script::new(&[&["8.8.8.8"]]);
    let client = guarded(Policy::default(), Arc::clone(&script));
    for address in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
    ] {
        assert_eq!(refused(&client, address).await, Refused::Address);
    }
    assert_eq!(
        refused(&client, "http://example.com/").await,
        Refused::Scheme
    );
    assert_eq!(script.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_connection_goes_to_the_vetted_address_and_nowhere_else() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let policy = Policy {
        allow_http: true,
        ports: vec![server.address().port()],
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Policy::default()
    };
    // Allowed at first; a second question would get an address that must not be called.
    let script = Script::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let client = guarded(policy, Arc::clone(&script));
    let address = format!("http://hooks.example:{}/in", server.address().port());
    let call = client.request("webhook.deliver", Method::POST, url(&address));
    assert_eq!(
        call.send().await.expect("an answer").status(),
        StatusCode::OK
    );
    assert_eq!(script.asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.address().ip(), Ipv4Addr::LOCALHOST);
}
