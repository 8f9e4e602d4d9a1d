//! What tests that kill the platform keep while it is dead: database, broker, WhatsApp, and the
//! address that WhatsApp calls.

use std::{os::unix::process::ExitStatusExt, process::Stdio, time::Duration};

use sandbox::{Sandbox, SandboxConfig, SandboxHandle};
use secrecy::ExposeSecret;
use serde_json::Value;
use switchboard::{platform::APP, whatsapp::Control};
use testkit::{ChaosProxy, TestBroker, TestDb};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    folder::Folder,
    world::{backing, database},
};

/// Nothing listens here.
const NOWHERE: &str = "http://127.0.0.1:1";
/// How a kill point ends the process.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// What outlives the victim.
pub(crate) struct Scene {
    pub(crate) sandbox: SandboxHandle,
    pub(crate) control: Control,
    /// Stands for the address of the edge, which is another one in each life.
    edge: ChaosProxy,
    folder: Folder,
    broker: TestBroker,
    pub(crate) db: TestDb,
}

/// The platform as a process of its own.
pub(crate) struct Victim {
    child: Child,
    pub(crate) gateway: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        chassis::install_crypto();
        let (db, broker, folder) = (database().await, TestBroker::new().await, Folder::new());
        let sandbox = Sandbox::start(SandboxConfig::default(), clock::Clock::system())
            .await
            .expect("a sandbox");
        let backing = backing(&db, &broker);
        // In a file and not in arguments, which everybody on the machine can read.
        let addresses = format!(
            "DATABASE_ADMIN_URL={}\nAMQP_URL={}\n",
            backing.database_admin_url.expose_secret(),
            backing.amqp_url.expose_secret(),
        );
        std::fs::write(folder.path("stack.env"), addresses).expect("write a file");
        Self {
            control: Control::new(sandbox.control_url()).expect("a control"),
            edge: ChaosProxy::start(NOWHERE).await,
            folder,
            broker,
            sandbox,
            db,
        }
    }

    /// Where WhatsApp sends its webhooks.
    pub(crate) fn callback_url(&self) -> String {
        let path = format!("webhooks/whatsapp/{APP}");
        self.edge.route(&format!("{NOWHERE}/{path}"))
    }

    /// Starts the platform, with a place to die at or without.
    pub(crate) async fn start(&self, failpoints: &str) -> Victim {
        let mut child = Command::new(env!("CARGO_BIN_EXE_victim"))
            .arg("--stack-env")
            .arg(self.folder.path("stack.env"))
            .arg("--key-file")
            .arg(self.folder.path("vault.key"))
            .args(["--graph-url", self.sandbox.base_url()])
            .env("FAILPOINTS", failpoints)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("start the victim");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = tokio::time::timeout(Duration::from_mins(1), lines.next_line())
            .await
            .expect("the victim starts in time")
            .expect("its output")
            .expect("the victim lives until it has started");
        let addresses: Value = serde_json::from_str(&line).expect("JSON");
        let address = |name: &str| addresses[name].as_str().expect("an address").to_owned();
        self.edge.redirect(&address("edge"));
        Victim {
            child,
            gateway: address("gateway"),
        }
    }

    /// Waits until the victim has killed itself.
    pub(crate) async fn dies(&self, mut victim: Victim) {
        // Waiting would close its input, which asks it to stop in good order.
        let _input = victim.child.stdin.take();
        self.aborts(victim).await;
    }

    /// Asks the victim to stop and waits until it has killed itself over that.
    pub(crate) async fn dies_when_stopped(&self, mut victim: Victim) {
        drop(victim.child.stdin.take());
        self.aborts(victim).await;
    }

    async fn aborts(&self, mut victim: Victim) {
        let status = tokio::time::timeout(Duration::from_mins(1), victim.child.wait())
            .await
            .expect("the kill point is reached")
            .expect("a status");
        // Whoever gets its port next must not get its webhooks.
        self.edge.redirect(NOWHERE);
        assert_eq!(
            status.signal(),
            Some(SIGABRT),
            "it died at the kill point: {status}"
        );
    }

    /// Kills the victim.
    pub(crate) async fn kill(&self, mut victim: Victim) {
        victim.child.start_kill().expect("kill it");
        let status = victim.child.wait().await.expect("a status");
        self.edge.redirect(NOWHERE);
        assert_eq!(
            status.signal(),
            Some(SIGKILL),
            "it lived until then: {status}"
        );
    }

    /// Stops the victim in good order.
    pub(crate) async fn stop(&self, mut victim: Victim) {
        drop(victim.child.stdin.take());
        let status = tokio::time::timeout(Duration::from_secs(30), victim.child.wait())
            .await
            .expect("it stops")
            .expect("a status");
        self.edge.redirect(NOWHERE);
        assert!(status.success(), "{status}");
    }

    /// Stops WhatsApp.
    pub(crate) async fn end(self) {
        self.sandbox.shutdown().await;
        drop((self.broker, self.db));
    }
}
