//! Composition: the only file that knows every part.

use std::sync::Arc;

use auth::{RemoteIssuer, ServiceTokenSource, Verifier};
use axum::Router;
use chassis::{Channel, ChannelConfig, Deps, Ports, Service, anyhow::Context};
use clock::Clock;
use proto::{
    identity::v1::{
        identity_service_client::IdentityServiceClient, scim_service_client::ScimServiceClient,
        sso_service_client::SsoServiceClient,
    },
    messaging::v1::messaging_service_client::MessagingServiceClient,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    browser::{Guard, Sessions},
    credentials::{ApiKeys, Credentials, Tokens},
    http,
    upstreams::{Api, Upstreams},
};

/// The gateway.
#[derive(Debug)]
pub struct App {
    router: Router,
}

/// What requests share.
pub(crate) struct Gateway {
    /// Serves the API.
    pub(crate) api: Api,
    /// Reads requests without serving them.
    pub(crate) reader: Api,
    /// Opens event streams, on a connection of their own: a connection carries a limited number of calls at once, and
    /// streams that last would take the place of the API's.
    pub(crate) events: MessagingServiceClient<Channel>,
    /// For calls that the gateway makes as itself.
    pub(crate) own_token: ServiceTokenSource,
    pub(crate) sso: SsoServiceClient<Channel>,
    pub(crate) scim: ScimServiceClient<Channel>,
    pub(crate) credentials: Credentials,
    pub(crate) browsers: Sessions,
    pub(crate) settings: Config,
    pub(crate) clock: Clock,
    /// The gateway is stopping: streams end.
    pub(crate) stop: CancellationToken,
}

impl Service for App {
    const NAME: &'static str = "gateway";
    const ABOUT: &'static str = "Public REST API and event stream in front of the services";
    const PORTS: Ports = Ports::from(8080).without_grpc();

    type Config = Config;

    async fn build(config: Config, deps: Deps) -> chassis::anyhow::Result<Self> {
        let open = |upstream: &ChannelConfig, name| {
            deps.channels
                .open(upstream, proto::DESCRIPTORS, None)
                .with_context(|| format!("open the channel to {name}"))
        };
        let upstreams = Upstreams {
            identity: open(&config.identity, "identity")?,
            messaging: open(&config.messaging, "messaging")?,
        };
        let identity = IdentityServiceClient::new(upstreams.identity.clone());
        let verifier = Verifier::of_identity(identity.clone(), deps.clock.clone());
        // Without the signing keys every caller would be refused; a service that is down is told
        // to those who ask for it.
        let keys = verifier.clone();
        deps.health.probe("identity.keys", move || {
            let keys = keys.clone();
            async move { keys.probe().await }
        });
        let own_token = ServiceTokenSource::new(
            Arc::new(RemoteIssuer::new(
                identity.clone(),
                config.client.id.clone(),
                config.client.secret.clone(),
            )),
            deps.clock.clone(),
        );
        let tokens = Tokens::new(verifier);
        let known = config.browser.origins.iter().chain(&config.cors.origins);
        let browsers = Sessions::new(
            identity.clone(),
            tokens.clone(),
            config.browser.cookies(),
            Guard::new(known),
            deps.clock.clone(),
        );
        let credentials = Credentials {
            tokens,
            api_keys: ApiKeys::new(
                identity,
                own_token.clone(),
                config.credentials.api_keys,
                config.credentials.api_key_ttl(),
                deps.clock.clone(),
            ),
        };
        let gateway = Arc::new(Gateway {
            api: upstreams.api(),
            reader: upstreams.reader(),
            events: MessagingServiceClient::new(open(&config.messaging, "messaging")?),
            sso: SsoServiceClient::new(upstreams.identity.clone()),
            scim: ScimServiceClient::new(upstreams.identity.clone()),
            own_token,
            credentials,
            browsers,
            settings: config,
            clock: deps.clock,
            stop: deps.shutdown.soft,
        });
        let router = http::router(&gateway).context("read the description of the API")?;
        Ok(Self { router })
    }

    fn http(&self) -> Option<Router> {
        Some(self.router.clone())
    }
}
