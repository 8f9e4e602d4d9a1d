//! Logins at a SAML provider.

use std::{
    io::Read,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::read::DeflateDecoder;
use proto::identity::v1::{
    CreateSsoConnectionRequest, FinishSamlRequest, FinishSsoResponse, Role, RoleMapping,
    SamlProvider, SsoConnection, sso_service_client::SsoServiceClient,
};
use tonic::{Status, transport::Channel};

use super::{
    documents::{Parts, attribute, idp_metadata, now, restriction},
    signer::{Signer, Style},
    stage::{Begun, Stage, Tenant},
};
use crate::world::as_caller;

static ASSERTIONS: AtomicUsize = AtomicUsize::new(0);

/// A provider, and an organization that is connected to it and owns `corp.example`.
pub(super) struct Corp {
    pub(super) stage: Stage,
    pub(super) idp: Idp,
    pub(super) tenant: Tenant,
    pub(super) connection: SsoConnection,
}

pub(super) struct Idp {
    signer: Signer,
    pub(super) metadata: String,
}

impl Idp {
    pub(super) fn start() -> Self {
        let mut signer = Signer::start();
        let certificate = signer.key("idp", "rsa-2048");
        Self {
            metadata: idp_metadata(&[&certificate]),
            signer,
        }
    }

    /// A signed response, as the browser posts it.
    pub(super) fn respond(&mut self, parts: &Parts) -> String {
        let ids = [parts.assertion_id];
        let xml = self.signer.sign(&parts.xml(), &ids, Style::RSA);
        BASE64_STANDARD.encode(xml)
    }
}

pub(super) fn connecting(metadata: &str) -> CreateSsoConnectionRequest {
    CreateSsoConnectionRequest {
        name: "Corp".to_owned(),
        oidc: None,
        saml: Some(SamlProvider {
            metadata_xml: metadata.to_owned(),
            ..SamlProvider::default()
        }),
        provisions: true,
        default_role: Role::Viewer.into(),
        role_mappings: vec![
            mapping("admins", Role::Admin),
            mapping("staff", Role::Agent),
        ],
    }
}

pub(super) fn mapping(group: &str, role: Role) -> RoleMapping {
    RoleMapping {
        group: group.to_owned(),
        role: role.into(),
        role_id: String::new(),
    }
}

/// What a provider says of somebody, at a connection.
pub(super) fn about(connection: &SsoConnection, email: &str, groups: &[&str]) -> Parts {
    let saml = connection.saml.as_ref().unwrap();
    let number = ASSERTIONS.fetch_add(1, Ordering::Relaxed);
    Parts::with(|parts| {
        parts.assertion_id = Box::leak(format!("_a{number}").into_boxed_str());
        parts.destination = Some(saml.acs_url.clone());
        parts.recipient = Some(saml.acs_url.clone());
        parts.audience = restriction(&[&saml.entity_id]);
        email.clone_into(&mut parts.name_id);
        parts.attributes = [attribute("email", &[email]), attribute("groups", groups)].concat();
    })
}

pub(super) fn answering(mut parts: Parts, request: Option<&str>) -> Parts {
    parts.response_answers = request.map(str::to_owned);
    parts.confirmation_answers = request.map(str::to_owned);
    parts
}

/// The id of the request that the browser carries.
pub(super) fn request_id(begun: &Begun) -> String {
    let deflated = BASE64_STANDARD
        .decode(begun.parameter("SAMLRequest"))
        .unwrap();
    let mut xml = String::new();
    DeflateDecoder::new(deflated.as_slice())
        .read_to_string(&mut xml)
        .unwrap();
    let (_, rest) = xml.split_once(" ID=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

impl Corp {
    pub(super) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut CreateSsoConnectionRequest)) -> Self {
        let stage = Stage::start(now(), |_| ()).await;
        let idp = Idp::start();
        let tenant = stage.tenant("owner@corp.example").await;
        stage.own_domain(&tenant, "corp.example").await;
        let mut request = connecting(&idp.metadata);
        change(&mut request);
        let connection = stage.connect(&tenant, request).await.unwrap();
        Self {
            stage,
            idp,
            tenant,
            connection,
        }
    }

    pub(super) async fn begin(&self) -> Begun {
        self.stage.begin(&self.connection, "/inbox").await.unwrap()
    }

    pub(super) async fn finish(
        &self,
        begun: &Begun,
        response: &str,
    ) -> Result<FinishSsoResponse, Status> {
        let request = posted(&self.connection, begun, response);
        finish(&self.stage.sso, &self.stage.service, request).await
    }

    /// A whole login.
    pub(super) async fn log_in(
        &mut self,
        email: &str,
        groups: &[&str],
    ) -> Result<FinishSsoResponse, Status> {
        let parts = about(&self.connection, email, groups);
        self.log_in_as(parts).await
    }

    pub(super) async fn log_in_as(&mut self, parts: Parts) -> Result<FinishSsoResponse, Status> {
        let begun = self.begin().await;
        let response = self
            .idp
            .respond(&answering(parts, Some(&request_id(&begun))));
        self.finish(&begun, &response).await
    }

    pub(super) async fn refused_without_a_trace(&self, outcome: Result<FinishSsoResponse, Status>) {
        self.stage
            .refused_without_a_trace(&self.tenant, &self.connection, outcome)
            .await;
    }

    pub(super) async fn refusal(&self, outcome: Result<FinishSsoResponse, Status>) -> String {
        self.stage
            .refusal(&self.tenant, &self.connection, outcome)
            .await
    }
}

pub(super) fn posted(
    connection: &SsoConnection,
    begun: &Begun,
    response: &str,
) -> FinishSamlRequest {
    FinishSamlRequest {
        connection_id: connection.id.clone(),
        saml_response: response.to_owned(),
        relay_state: begun.parameter("RelayState"),
        browser_secret: begun.secret.clone(),
    }
}

pub(super) async fn finish(
    sso: &SsoServiceClient<Channel>,
    service: &str,
    request: FinishSamlRequest,
) -> Result<FinishSsoResponse, Status> {
    let answer = sso.clone().finish_saml(as_caller(request, service)).await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn a_person_logs_in_and_is_a_member_from_then_on() {
    let mut corp = Corp::start().await;
    let first = corp.log_in("ada@corp.example", &["staff"]).await.unwrap();
    assert_eq!(first.return_to, "/inbox");
    let login = first.login.unwrap();
    assert_eq!(login.role(), Role::Agent);
    let user = login.user.unwrap();
    assert_eq!(user.email, "ada@corp.example");
    let token = login.tokens.unwrap().access_token;
    let caller = corp.stage.world.caller(&token).await.unwrap();
    assert_eq!(caller.id, user.id);
    // A move between groups counts with the next login.
    let second = corp
        .log_in("ada@corp.example", &["admins", "staff"])
        .await
        .unwrap();
    let second = second.login.unwrap();
    assert_eq!(second.role(), Role::Admin);
    assert_eq!(second.user.unwrap().id, user.id);
    // No group that is mapped any more.
    let third = corp.log_in("ada@corp.example", &["guests"]).await.unwrap();
    assert_eq!(third.login.unwrap().role(), Role::Viewer);
    let traces = corp.stage.traces(&corp.tenant, &corp.connection).await;
    assert_eq!(traces.len(), 3);
    assert!(
        traces
            .iter()
            .all(|trace| trace.succeeded && trace.reason == "succeeded")
    );
    let dump = corp.stage.world.dump().await;
    assert!(dump.contains("member.joined") && dump.contains("member.role_changed"));
}

#[tokio::test]
async fn an_answer_must_belong_to_a_login_of_this_browser() {
    let mut corp = Corp::start().await;
    let (begun, other) = (corp.begin().await, corp.begin().await);
    let parts = about(&corp.connection, "ada@corp.example", &[]);
    let response = corp
        .idp
        .respond(&answering(parts.clone(), Some(&request_id(&begun))));
    let foreign = Begun {
        secret: other.secret.clone(),
        ..begun.clone()
    };
    let outcome = corp.finish(&foreign, &response).await;
    assert_eq!(corp.refusal(outcome).await, "browser_mismatch");
    // It answers another request than the one of this relay state.
    let outcome = corp.finish(&other, &response).await;
    assert_eq!(corp.refusal(outcome).await, "in_response_to");
    let silent = corp.idp.respond(&answering(parts, None));
    let third = corp.begin().await;
    let outcome = corp.finish(&third, &silent).await;
    assert_eq!(corp.refusal(outcome).await, "in_response_to_missing");
    // Nobody's failure used the login up.
    corp.finish(&begun, &response).await.unwrap();
    let outcome = corp.finish(&begun, &response).await;
    assert_eq!(corp.refusal(outcome).await, "flow_used");
    let mut late = corp.begin().await;
    corp.stage
        .wait(&mut corp.tenant, Duration::from_mins(10))
        .await;
    let outcome = corp.finish(&late, &response).await;
    assert_eq!(corp.refusal(outcome).await, "flow_expired");
    late.url.set_query(None);
    let outcome = corp.finish(&late, &response).await;
    corp.refused_without_a_trace(outcome).await;
}

#[tokio::test]
async fn a_provider_begins_a_login_only_where_it_may() {
    let mut corp = Corp::start().await;
    let parts = about(&corp.connection, "ada@corp.example", &[]);
    let response = corp.idp.respond(&answering(parts, None));
    for relay_state in ["", "dashboard"] {
        let request = FinishSamlRequest {
            connection_id: corp.connection.id.clone(),
            saml_response: response.clone(),
            relay_state: relay_state.to_owned(),
            browser_secret: String::new(),
        };
        let outcome = finish(&corp.stage.sso, &corp.stage.service, request).await;
        corp.refused_without_a_trace(outcome).await;
    }
}

#[tokio::test]
async fn a_response_for_one_organization_is_worth_nothing_at_another() {
    let mut corp = Corp::start().await;
    let other = corp.stage.tenant("owner@other.example").await;
    // The same provider and the same keys, as with a hosted one.
    let request = connecting(&corp.idp.metadata);
    let connection = corp.stage.connect(&other, request).await.unwrap();
    let begun = corp.stage.begin(&connection, "/").await.unwrap();
    let parts = about(&corp.connection, "ada@corp.example", &[]);
    let response = corp
        .idp
        .respond(&answering(parts, Some(&request_id(&begun))));
    let request = posted(&connection, &begun, &response);
    let outcome = finish(&corp.stage.sso, &corp.stage.service, request).await;
    let reason = corp.stage.refusal(&other, &connection, outcome).await;
    assert_eq!(reason, "destination");
}

#[tokio::test]
async fn an_expired_assertion_leaves_a_readable_trace() {
    let mut corp = Corp::start().await;
    let begun = corp.begin().await;
    let parts = about(&corp.connection, "ada@corp.example", &[]);
    let response = corp
        .idp
        .respond(&answering(parts, Some(&request_id(&begun))));
    corp.stage
        .wait(&mut corp.tenant, Duration::from_mins(9))
        .await;
    let outcome = corp.finish(&begun, &response).await;
    assert_eq!(corp.refusal(outcome).await, "expired");
    let trace = corp
        .stage
        .traces(&corp.tenant, &corp.connection)
        .await
        .remove(0);
    assert!(
        trace.detail.contains("expired") && trace.detail.contains("clocks"),
        "{}",
        trace.detail
    );
    assert!(!trace.detail.contains("ada@"), "{}", trace.detail);
}

#[tokio::test]
async fn a_forged_response_logs_nobody_in() {
    let corp = Corp::start().await;
    let mut stranger = Idp::start();
    let begun = corp.begin().await;
    let parts = about(&corp.connection, "ada@corp.example", &["admins"]);
    let response = stranger.respond(&answering(parts, Some(&request_id(&begun))));
    let outcome = corp.finish(&begun, &response).await;
    assert_eq!(corp.refusal(outcome).await, "invalid_signature");
    let users = corp.stage.world.dump().await;
    assert!(!users.contains("ada@corp.example"));
}
