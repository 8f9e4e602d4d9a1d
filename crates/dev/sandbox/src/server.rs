pub(crate) mod connection;

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use clock::Clock;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    SandboxConfig,
    meta::{self, Ledger, Meta},
    resend::{self, Resend},
};
use connection::{Door, Wire};

/// How long open connections may delay a shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// The server that plays the providers.
#[derive(Debug)]
pub struct Sandbox;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0} is not a loopback address, and the control API has no password")]
    Remote(SocketAddr),
    #[error("cannot listen on {address}")]
    Bind {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the webhook client cannot be built")]
    Client(#[source] reqwest::Error),
}

/// A running sandbox. Dropping it stops the sandbox without waiting; [`shutdown`](Self::shutdown)
/// waits.
#[derive(Debug)]
pub struct SandboxHandle {
    base_url: String,
    control_url: String,
    meta: Meta,
    resend: Resend,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Binds, starts serving, and returns at once. Time (windows, rate limits, status delays,
    /// expiry) comes from `clock`; network latency and deadlines are real.
    ///
    /// # Errors
    /// When an address is taken or isn't local.
    pub async fn start(config: SandboxConfig, clock: Clock) -> Result<SandboxHandle, StartError> {
        let listener = bind(&config, config.listen).await?;
        let address = local_address(&listener, config.listen)?;
        let control_listener = match config.control_listen {
            Some(at) => Some(bind(&config, at).await?),
            None => None,
        };
        let control_address = match &control_listener {
            Some(listener) => local_address(listener, address)?,
            None => address,
        };

        let base_url = format!("http://{address}");
        let public_url = config.public_url.clone();
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let meta = Meta::new(
            &config,
            public_url.unwrap_or_else(|| base_url.clone()),
            clock.clone(),
            stop.clone(),
            tasks.clone(),
        )
        .map_err(StartError::Client)?;
        let resend = Resend::new(&config, clock, stop.clone(), tasks.clone());
        let resend = resend.map_err(StartError::Client)?;

        let control = Router::new()
            .nest("/_sandbox/resend", resend::control_router(resend.clone()))
            .nest("/_sandbox", meta::control_router(meta.clone()));
        // Graph's paths begin with a version or an id, so a word is free for each other provider.
        let providers = Router::new()
            .nest("/resend", resend::api_router(resend.clone()))
            .merge(meta::graph_router(meta.clone()));
        match control_listener {
            Some(control_listener) => {
                serve(&tasks, &stop, control_listener, control);
                serve(&tasks, &stop, listener, providers);
            }
            None => serve(&tasks, &stop, listener, control.merge(providers)),
        }
        tasks.close();
        Ok(SandboxHandle {
            base_url,
            control_url: format!("http://{control_address}/_sandbox"),
            meta,
            resend,
            stop,
            tasks,
        })
    }
}

impl SandboxHandle {
    /// Where the Graph API answers: `http://127.0.0.1:port`, to be followed by `/v25.0/…`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the control API answers: `http://127.0.0.1:port/_sandbox`.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// Where Resend answers: `http://127.0.0.1:port/resend`, to be followed by `/emails`.
    pub fn resend_url(&self) -> String {
        format!("{}/resend", self.base_url)
    }

    /// The same operations as the control API, without HTTP.
    pub const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The same operations as the control API of Resend, without HTTP.
    pub const fn resend(&self) -> &Resend {
        &self.resend
    }

    /// What Meta accepted, refused and delivered so far.
    pub fn ledger(&self) -> &Ledger {
        self.meta.ledger()
    }

    /// Stops taking calls, drops webhooks not yet sent, and waits a few seconds for open
    /// connections.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if tokio::time::timeout(SHUTDOWN_GRACE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::debug!("the sandbox stopped with connections open");
        }
    }
}

impl Drop for SandboxHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn bind(config: &SandboxConfig, address: SocketAddr) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() && !config.allow_remote {
        return Err(StartError::Remote(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind { address, source })
}

fn local_address(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Bind {
        address: asked,
        source,
    })
}

fn serve(tasks: &TaskTracker, stop: &CancellationToken, listener: TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<Wire>();
    let stop = stop.clone();
    tasks.spawn(async move {
        let server = axum::serve(Door(listener), service)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        if let Err(error) = server {
            tracing::error!(%error, "the sandbox stopped serving");
        }
    });
}
