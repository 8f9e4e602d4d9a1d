//! The npm package oidc-provider as a process of the test.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use url::Url;

/// A running provider; ends with the test.
pub(crate) struct Partner {
    pub(crate) issuer: String,
    pub(crate) process: Child,
}

impl Partner {
    /// Starts it with the configuration that `scripts/partners/oidc_provider.mjs` describes.
    pub(crate) async fn start(configuration: Value) -> Self {
        tokio::task::spawn_blocking(move || Self::start_blocking(&configuration))
            .await
            .expect("it starts")
    }

    fn start_blocking(configuration: &Value) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the script that runs the tests says where the provider is"
        )]
        let folder = std::env::var("OIDC_PROVIDER").expect(
            "OIDC_PROVIDER is not set: run `make test`, or export what scripts/partners/oidc.sh prints",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../scripts/partners/oidc_provider.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .env("OIDC_PROVIDER", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node can't be started: install nodejs, version 20 or newer");
        let stdin = process.stdin.as_mut().expect("piped");
        writeln!(stdin, "{configuration}").expect("it reads its configuration");
        let mut issuer = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut issuer)
            .expect("it prints its issuer");
        let issuer = issuer.trim().to_owned();
        assert!(!issuer.is_empty(), "the provider ended before it listened");
        Self { issuer, process }
    }

    pub(crate) fn port(&self) -> u16 {
        let issuer = Url::parse(&self.issuer).expect("a URL");
        issuer.port().expect("a port")
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        // It ends by itself when its standard input does; nothing is left to wait for.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}
