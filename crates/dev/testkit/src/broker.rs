//! A virtual host per test.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::Stack;

/// A virtual host that belongs to one test. It is deleted in the background, because the broker takes a while; what a
/// process leaves behind, a later one sweeps.
#[derive(Debug)]
pub struct TestBroker {
    vhost: String,
    amqp: Url,
    management: Management,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl TestBroker {
    /// Makes a virtual host.
    ///
    /// # Panics
    /// When the servers are not up.
    pub async fn new() -> Self {
        let stack = Stack::find();
        let management = Management::new(&stack.management_url());
        if NUMBER.load(Ordering::Relaxed) == 0 {
            let management = management.clone();
            in_background(async move { management.sweep().await });
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let vhost = format!("t_{}_{number}", std::process::id());
        let mut amqp = Url::parse(&stack.amqp_url()).expect("AMQP_URL");
        amqp.set_path(&vhost);
        management.create(&vhost, amqp.username()).await;
        Self {
            vhost,
            amqp,
            management,
        }
    }

    /// `amqp://` URL of the virtual host.
    pub fn url(&self) -> String {
        self.amqp.to_string()
    }

    /// Its name.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Asks the management API about the virtual host: `path` is what stands behind `/api`, with `{vhost}` in it.
    /// `None` when there is no such thing.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let path = path.replace("{vhost}", &self.vhost);
        let (status, body) = self.management.call(Method::GET, &path, None).await;
        status.is_success().then_some(body)
    }

    /// Deletes an object of the virtual host behind the back of the program under test: a queue, an exchange, a
    /// connection.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn delete(&self, path: &str) -> bool {
        let path = path.replace("{vhost}", &self.vhost);
        let (status, _) = self.management.call(Method::DELETE, &path, None).await;
        status.is_success()
    }

    /// Creates or changes an object of the virtual host.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn put(&self, path: &str, body: &Value) -> bool {
        let path = path.replace("{vhost}", &self.vhost);
        let (status, _) = self.management.call(Method::PUT, &path, Some(body)).await;
        status.is_success()
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let (management, vhost) = (self.management.clone(), self.vhost.clone());
        in_background(async move { management.remove(&vhost).await });
    }
}

/// On a thread of its own that nobody waits for: the runtime of the test may be ending.
fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            runtime.block_on(work);
        }
    });
}

/// RabbitMQ's management API.
#[derive(Debug, Clone)]
struct Management(Url);

#[derive(Deserialize)]
struct Vhost {
    name: String,
}

impl Management {
    fn new(url: &str) -> Self {
        Self(Url::parse(url).expect("RABBITMQ_MANAGEMENT_URL"))
    }

    async fn create(&self, vhost: &str, user: &str) {
        let (made, _) = self
            .call(Method::PUT, &format!("/vhosts/{vhost}"), None)
            .await;
        assert!(made.is_success(), "make a virtual host: {made}");
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let path = format!("/permissions/{vhost}/{user}");
        let (allowed, _) = self.call(Method::PUT, &path, Some(&all)).await;
        assert!(allowed.is_success(), "allow the user: {allowed}");
    }

    async fn remove(&self, vhost: &str) {
        // Whether it worked does not matter: the next sweep sees it again.
        self.call(Method::DELETE, &format!("/vhosts/{vhost}"), None)
            .await;
    }

    async fn sweep(&self) {
        let (_, found) = self.call(Method::GET, "/vhosts", None).await;
        let found: Vec<Vhost> = serde_json::from_value(found).unwrap_or_default();
        for vhost in found {
            let pid = vhost
                .name
                .strip_prefix("t_")
                .and_then(|rest| rest.split_once('_'));
            let alive = |pid: &str| {
                !Path::new("/proc/self").exists() || Path::new("/proc").join(pid).exists()
            };
            if pid.is_some_and(|(pid, _)| !alive(pid)) {
                self.remove(&vhost.name).await;
            }
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        // The client wants a TLS provider even for plain HTTP. Somebody else may have chosen one.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's own server, not somebody else's"
        )]
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("an HTTP client");
        let url = self.0.join(&format!("/api{path}")).expect("a path");
        // The client takes user and password from the URL; saying them twice is refused.
        let mut request = client.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("RabbitMQ does not answer, run `make up`: {error}"));
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }
}
