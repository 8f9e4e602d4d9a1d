//! Every place that looks at an access token, as a program reaches it: the public API, and the services behind it.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use proto::{
    identity::v1::{GetCallerRequest, identity_service_client::IdentityServiceClient},
    messaging::v1::{ListChannelsRequest, messaging_service_client::MessagingServiceClient},
};
use reqwest::StatusCode;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::{api, platform::Platform};

/// The doors of a running platform.
#[derive(Debug, Clone)]
pub struct Doors {
    http: reqwest::Client,
    gateway: String,
    identity: Channel,
    messaging: Channel,
}

impl Doors {
    /// Connects to each.
    pub async fn of(platform: &Platform) -> Result<Self> {
        Ok(Self {
            http: api::http()?,
            gateway: platform.gateway.clone(),
            identity: connect(platform.identity).await?,
            messaging: connect(platform.messaging).await?,
        })
    }

    /// The names of those that still let the token in.
    pub async fn open_to(&self, token: &str) -> Result<Vec<&'static str>> {
        let (gateway, identity, messaging) = tokio::join!(
            self.gateway(token),
            self.identity(token),
            self.messaging(token)
        );
        let doors = [
            ("gateway", gateway?),
            ("identity", identity?),
            ("messaging", messaging?),
        ];
        Ok(doors
            .into_iter()
            .filter_map(|(name, open)| open.then_some(name))
            .collect())
    }

    async fn gateway(&self, token: &str) -> Result<bool> {
        let request = self.http.get(format!("{}/v1/channels", self.gateway));
        let answer = request.bearer_auth(token).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::UNAUTHORIZED => Ok(false),
            status => bail!("the gateway answered {status}"),
        }
    }

    async fn identity(&self, token: &str) -> Result<bool> {
        let mut client = IdentityServiceClient::new(self.identity.clone());
        let answer = client.get_caller(with(token, GetCallerRequest {})?).await;
        let_in("identity", answer.map(|_| ()))
    }

    async fn messaging(&self, token: &str) -> Result<bool> {
        let mut client = MessagingServiceClient::new(self.messaging.clone());
        let request = with(token, ListChannelsRequest::default())?;
        let_in("messaging", client.list_channels(request).await.map(|_| ()))
    }
}

async fn connect(address: SocketAddr) -> Result<Channel> {
    Endpoint::from_shared(format!("http://{address}"))?
        .connect()
        .await
        .with_context(|| format!("connect to {address}"))
}

fn with<T>(token: &str, message: T) -> Result<Request<T>> {
    let mut request = Request::new(message);
    let value: MetadataValue<Ascii> = format!("Bearer {token}").parse().context("a token")?;
    request.metadata_mut().insert("authorization", value);
    Ok(request)
}

fn let_in(service: &str, answer: Result<(), Status>) -> Result<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(status) if status.code() == Code::Unauthenticated => Ok(false),
        Err(status) => bail!("{service} answered {status}"),
    }
}
