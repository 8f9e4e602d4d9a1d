use std::{
    path::PathBuf,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use clock::Jitter;
use futures::future::BoxFuture;
use opentelemetry::metrics::Meter;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tonic::{
    Status,
    body::Body,
    transport::{self, Certificate, ClientTlsConfig, Endpoint},
};
use tower::Service;

use super::{TokenSource, call, instruments::Instruments, methods::Methods};
use crate::config::{Problems, Validate};

const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How to reach another service.
#[derive(Clone, Debug, Deserialize)]
pub struct ChannelConfig {
    /// `http://` or `https://` address of its gRPC port.
    pub url: String,
    /// The longest a call may take; less when our own caller waits less.
    #[serde(default = "ChannelConfig::timeout_ms")]
    pub timeout_ms: u64,
    /// How long connecting may take.
    #[serde(default = "ChannelConfig::connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How often a silent connection is probed.
    #[serde(default = "ChannelConfig::keep_alive_ms")]
    pub keep_alive_ms: u64,
    /// Calls under way at once; further ones wait for a place within their deadline.
    #[serde(default = "ChannelConfig::max_in_flight")]
    pub max_in_flight: usize,
    /// PEM file of a private certificate authority, besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl ChannelConfig {
    /// Keys, defaults and meanings, for [`Docs::section`](crate::config::Docs::section).
    pub const DOCS: &'static [(&'static str, &'static str, &'static str)] = &[
        ("url", "", "http:// or https:// address of the gRPC port."),
        (
            "timeout_ms",
            "5000",
            "The longest a call may take; less when our own caller waits less.",
        ),
        (
            "connect_timeout_ms",
            "1000",
            "How long connecting may take.",
        ),
        (
            "keep_alive_ms",
            "20000",
            "How often a silent connection is probed.",
        ),
        (
            "max_in_flight",
            "256",
            "Calls under way at once; further ones wait.",
        ),
        (
            "ca_file",
            "",
            "PEM file of a private certificate authority.",
        ),
    ];

    /// The defaults with an address.
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout_ms: Self::timeout_ms(),
            connect_timeout_ms: Self::connect_timeout_ms(),
            keep_alive_ms: Self::keep_alive_ms(),
            max_in_flight: Self::max_in_flight(),
            ca_file: None,
        }
    }

    const fn timeout_ms() -> u64 {
        5_000
    }

    const fn connect_timeout_ms() -> u64 {
        1_000
    }

    const fn keep_alive_ms() -> u64 {
        20_000
    }

    const fn max_in_flight() -> usize {
        256
    }
}

impl Validate for ChannelConfig {
    fn validate(&self, problems: &mut Problems) {
        let sound = self.url.parse::<http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
        });
        if !sound {
            problems.invalid("url", "expected an http:// or https:// address");
        }
        let positive = [
            ("timeout_ms", self.timeout_ms),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("keep_alive_ms", self.keep_alive_ms),
            ("max_in_flight", self.max_in_flight as u64),
        ];
        problems.at_least(1, &positive);
        if self.connect_timeout_ms > self.timeout_ms {
            problems.conflict(
                &["connect_timeout_ms", "timeout_ms"],
                "connecting may take longer than the whole call",
            );
        }
    }
}

/// Why a channel could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The address or the TLS settings.
    #[error("channel address or TLS settings are not valid")]
    Endpoint(#[source] transport::Error),
    /// What says which methods there are.
    #[error("descriptors of the methods are not valid")]
    Descriptors(#[source] prost::DecodeError),
    /// The certificate authority's file.
    #[error("read the certificate authority's file")]
    Certificate(#[source] std::io::Error),
}

/// Makes channels for one service, which share its metrics.
#[derive(Clone, Debug)]
pub struct Channels {
    instruments: Instruments,
    jitter: Jitter,
}

impl Channels {
    pub(crate) fn new(meter: &Meter, jitter: Jitter) -> Self {
        Self {
            instruments: Instruments::new(meter),
            jitter,
        }
    }

    /// A channel to another service. It connects when first used, and again whenever needed.
    ///
    /// Each call gets a deadline (the configured one, or nine tenths of what our own caller still
    /// waits), the trace context, the request id and, if the caller set none, a token from
    /// `tokens`. Calls that `descriptors`, an encoded `FileDescriptorSet` as the generated code
    /// carries it, allow to repeat are tried again, up to three times in all, when the other side
    /// is unavailable.
    ///
    /// # Errors
    /// If the descriptors, the address or the certificate authority cannot be used.
    pub fn open(
        &self,
        config: &ChannelConfig,
        descriptors: &[u8],
        tokens: Option<TokenSource>,
    ) -> Result<Channel, ChannelError> {
        crate::install_crypto();
        let methods = Methods::from_descriptors(descriptors).map_err(ChannelError::Descriptors)?;
        let mut endpoint = Endpoint::from_shared(config.url.clone())
            .map_err(ChannelError::Endpoint)?
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .tcp_nodelay(true)
            .tcp_keepalive(Some(Duration::from_millis(config.keep_alive_ms)))
            .http2_keep_alive_interval(Duration::from_millis(config.keep_alive_ms))
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        if endpoint.uri().scheme_str() == Some("https") {
            let mut tls = ClientTlsConfig::new().with_native_roots();
            if let Some(path) = &config.ca_file {
                let pem = std::fs::read(path).map_err(ChannelError::Certificate)?;
                tls = tls.ca_certificate(Certificate::from_pem(pem));
            }
            endpoint = endpoint.tls_config(tls).map_err(ChannelError::Endpoint)?;
        }
        Ok(Channel(Arc::new(Parts {
            inner: endpoint.connect_lazy(),
            timeout: Duration::from_millis(config.timeout_ms),
            places: Arc::new(Semaphore::new(config.max_in_flight)),
            methods,
            tokens,
            instruments: self.instruments.clone(),
            jitter: self.jitter.clone(),
        })))
    }
}

/// A connection to another service, for the generated clients: `XClient::new(channel)`. Cheap to
/// clone; clones share the connection and its limits.
#[derive(Clone, Debug)]
pub struct Channel(Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) inner: transport::Channel,
    pub(super) timeout: Duration,
    pub(super) places: Arc<Semaphore>,
    pub(super) methods: Methods,
    pub(super) tokens: Option<TokenSource>,
    pub(super) instruments: Instruments,
    pub(super) jitter: Jitter,
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    /// Always ready: a call waits for its place inside its deadline, not here outside of it.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(call::run(Arc::clone(&self.0), request))
    }
}
