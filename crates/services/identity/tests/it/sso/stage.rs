//! An organization with its administrator, and what the gateway says for a browser.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::Clock;
use errors::Problem;
use identity::Config;
use proto::identity::v1::{
    BeginSsoRequest, BeginSsoResponse, CreateSsoConnectionRequest, FinishSsoResponse,
    ListSsoTracesRequest, SsoConnection, SsoTrace, sso_service_client::SsoServiceClient,
};
use tonic::{Status, transport::Channel};
use url::Url;

use super::name_server::NameServer;
use crate::world::{World, as_caller};

pub(crate) const PUBLIC: &str = "https://api.switchboard.example";

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) sso: SsoServiceClient<Channel>,
    pub(crate) dns: NameServer,
    /// Of the gateway.
    pub(crate) service: String,
}

/// An organization.
pub(crate) struct Tenant {
    pub(crate) owner: String,
    pub(crate) id: uuid::Uuid,
    email: String,
}

impl Stage {
    /// `now` for providers with a clock of their own.
    pub(crate) async fn start(now: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> Self {
        let dns = NameServer::start().await;
        let world = World::start_at(now, |config| {
            PUBLIC.clone_into(&mut config.sso.public_url);
            config.sso.dns_server = Some(dns.address);
            change(config);
        })
        .await;
        Self {
            sso: SsoServiceClient::new(world.channel.clone()),
            service: world.service().await,
            world,
            dns,
        }
    }

    /// Somebody's organization.
    pub(crate) async fn tenant(&self, email: &str) -> Tenant {
        let answer = self.world.sign_up(email).await;
        let id: ids::OrganizationId = answer.organization.unwrap().id.parse().unwrap();
        Tenant {
            owner: answer.tokens.unwrap().access_token,
            id: id.as_uuid(),
            email: email.to_owned(),
        }
    }

    /// Time passes; tokens that expired are replaced.
    pub(crate) async fn wait(&mut self, tenant: &mut Tenant, time: Duration) {
        self.world.hand.advance(time);
        self.service = self.world.service().await;
        tenant.owner = self
            .world
            .log_in(&tenant.email)
            .await
            .tokens
            .unwrap()
            .access_token;
    }

    /// As if the DNS record had been found.
    pub(crate) async fn own_domain(&self, tenant: &Tenant, domain: &str) {
        self.world
            .execute(&format!(
                "insert into identity.sso_domains (organization_id, domain, challenge, created_at, verified_at)
                 values ('{}', '{domain}', 'x', now(), now())",
                tenant.id
            ))
            .await;
    }

    pub(crate) async fn connect(
        &self,
        tenant: &Tenant,
        request: CreateSsoConnectionRequest,
    ) -> Result<SsoConnection, Status> {
        let request = as_caller(request, &tenant.owner);
        let created = self.sso.clone().create_sso_connection(request).await?;
        Ok(created.into_inner())
    }

    pub(crate) async fn begin(
        &self,
        connection: &SsoConnection,
        return_to: &str,
    ) -> Result<Begun, Status> {
        let request = BeginSsoRequest {
            connection_id: connection.id.clone(),
            return_to: return_to.to_owned(),
            login_hint: String::new(),
        };
        let request = as_caller(request, &self.service);
        let answer = self.sso.clone().begin_sso(request).await?.into_inner();
        Ok(Begun::new(answer))
    }

    /// The login was refused with the one answer for all reasons, and nothing was written down about it.
    pub(crate) async fn refused_without_a_trace(
        &self,
        tenant: &Tenant,
        connection: &SsoConnection,
        outcome: Result<FinishSsoResponse, Status>,
    ) {
        let problem = Problem::from_status(&outcome.unwrap_err());
        assert_eq!(problem.code, "auth.sso_failed");
        let traces = self.traces(tenant, connection).await;
        let found = traces
            .iter()
            .find(|trace| problem.detail.contains(&trace.id));
        assert!(found.is_none(), "{found:?}");
    }

    /// Newest first.
    pub(crate) async fn traces(
        &self,
        tenant: &Tenant,
        connection: &SsoConnection,
    ) -> Vec<SsoTrace> {
        let request = ListSsoTracesRequest {
            connection_id: connection.id.clone(),
            ..ListSsoTracesRequest::default()
        };
        let request = as_caller(request, &tenant.owner);
        let listed = self.sso.clone().list_sso_traces(request).await.unwrap();
        listed.into_inner().traces
    }

    /// The login was refused with the one answer for all reasons; the reason is in the trace that the answer names.
    pub(crate) async fn refusal(
        &self,
        tenant: &Tenant,
        connection: &SsoConnection,
        outcome: Result<FinishSsoResponse, Status>,
    ) -> String {
        let problem = Problem::from_status(&outcome.unwrap_err());
        assert_eq!(problem.code, "auth.sso_failed");
        let traces = self.traces(tenant, connection).await;
        let trace = traces
            .into_iter()
            .find(|trace| problem.detail.contains(&trace.id))
            .unwrap_or_else(|| panic!("no trace for {}", problem.detail));
        assert!(!trace.succeeded);
        assert!(trace.detail.ends_with('.'), "{}", trace.detail);
        assert!(!problem.detail.contains(&trace.detail));
        trace.reason
    }
}

/// A browser on its way.
#[derive(Clone)]
pub(crate) struct Begun {
    pub(crate) url: Url,
    pub(crate) secret: String,
}

impl Begun {
    fn new(answer: BeginSsoResponse) -> Self {
        let begun = Self {
            url: answer.redirect_url.parse().unwrap(),
            secret: answer.browser_secret,
        };
        // The gateway finds the browser's secret by what the provider sends back.
        let sent = ["state", "RelayState"].map(|name| begun.parameter(name));
        assert!(sent.contains(&answer.state), "{sent:?}");
        begun
    }

    pub(crate) fn parameter(&self, name: &str) -> String {
        parameter(&self.url, name)
    }
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    let mut pairs = url.query_pairs();
    let found = pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()));
    found.unwrap_or_default()
}

/// For providers that keep their own time.
pub(crate) fn today() -> DateTime<Utc> {
    Clock::system().now()
}
