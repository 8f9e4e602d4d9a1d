//! Single sign-on over gRPC.

mod convert;
mod draft;

use errors::to_status;
use proto::identity::v1::{self as wire, sso_service_server::SsoService};
use tonic::{Request, Response, Status};

use crate::{
    Error,
    ops::{
        Tools,
        sso::{
            connections::{
                create_connection::create_connection,
                delete_connection::delete_connection,
                list_connections::{get_connection, list_connections},
                update_connection::update_connection,
            },
            domains::{add_domain, list_domains, remove_domain, route_domain, verify_domain},
            find_login_method::find_login_method,
            list_traces::list_traces,
            login::{
                begin_sso::begin_sso, finish_oidc::finish_oidc, finish_saml::finish_saml,
                get_saml_metadata::get_saml_metadata,
            },
            required::set_required,
        },
    },
};

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct Sso {
    pub(crate) tools: Tools,
}

type Answer<T> = Result<Response<T>, Status>;

fn answer<T, M>(result: Result<T, Error>, encode: impl FnOnce(T) -> M) -> Answer<M> {
    match result {
        Ok(value) => Ok(Response::new(encode(value))),
        Err(error) => Err(to_status(&error)),
    }
}

/// Runs the operation with the caller's context and the message; `?` in it is an operation's error.
macro_rules! run {
    ($self:ident, $request:ident, |$tools:ident, $caller:ident, $message:ident| $operation:expr) => {{
        let context = auth::context(&$request)?.clone();
        let ($tools, $caller, $message) = (&$self.tools, &context, $request.into_inner());
        Box::pin(async move { $operation }).await
    }};
}

#[tonic::async_trait]
impl SsoService for Sso {
    async fn create_sso_connection(
        &self,
        request: Request<wire::CreateSsoConnectionRequest>,
    ) -> Answer<wire::SsoConnection> {
        let created = run!(self, request, |tools, caller, message| {
            create_connection(tools, caller, draft::new(message)?).await
        });
        answer(created, convert::connection)
    }

    async fn list_sso_connections(
        &self,
        request: Request<wire::ListSsoConnectionsRequest>,
    ) -> Answer<wire::ListSsoConnectionsResponse> {
        let listed = run!(self, request, |tools, caller, _message| {
            list_connections(tools, caller).await
        });
        answer(listed, convert::connections)
    }

    async fn get_sso_connection(
        &self,
        request: Request<wire::GetSsoConnectionRequest>,
    ) -> Answer<wire::SsoConnection> {
        let found = run!(self, request, |tools, caller, message| {
            get_connection(
                tools,
                caller,
                convert::connection_id(&message.connection_id)?,
            )
            .await
        });
        answer(found, convert::connection)
    }

    async fn update_sso_connection(
        &self,
        request: Request<wire::UpdateSsoConnectionRequest>,
    ) -> Answer<wire::SsoConnection> {
        let updated = run!(self, request, |tools, caller, message| {
            let id = convert::connection_id(&message.connection_id)?;
            let version = message.version;
            update_connection(tools, caller, id, version, draft::replacing(message)?).await
        });
        answer(updated, convert::connection)
    }

    async fn delete_sso_connection(
        &self,
        request: Request<wire::DeleteSsoConnectionRequest>,
    ) -> Answer<wire::DeleteSsoConnectionResponse> {
        let deleted = run!(self, request, |tools, caller, message| {
            delete_connection(
                tools,
                caller,
                convert::connection_id(&message.connection_id)?,
            )
            .await
        });
        answer(deleted, |()| wire::DeleteSsoConnectionResponse {})
    }

    async fn list_sso_traces(
        &self,
        request: Request<wire::ListSsoTracesRequest>,
    ) -> Answer<wire::ListSsoTracesResponse> {
        let page = run!(self, request, |tools, caller, message| {
            let id = convert::connection_id(&message.connection_id)?;
            list_traces(tools, caller, id, message.page_size, &message.page_token).await
        });
        answer(page, convert::traces)
    }

    async fn add_sso_domain(
        &self,
        request: Request<wire::AddSsoDomainRequest>,
    ) -> Answer<wire::SsoDomain> {
        let added = run!(self, request, |tools, caller, message| {
            add_domain(tools, caller, &message.domain).await
        });
        answer(added, convert::domain)
    }

    async fn verify_sso_domain(
        &self,
        request: Request<wire::VerifySsoDomainRequest>,
    ) -> Answer<wire::SsoDomain> {
        let verified = run!(self, request, |tools, caller, message| {
            verify_domain(tools, caller, &message.domain).await
        });
        answer(verified, convert::domain)
    }

    async fn route_sso_domain(
        &self,
        request: Request<wire::RouteSsoDomainRequest>,
    ) -> Answer<wire::SsoDomain> {
        let routed = run!(self, request, |tools, caller, message| {
            let id = match message.connection_id.as_str() {
                "" => None,
                text => Some(convert::connection_id(text)?),
            };
            route_domain(tools, caller, &message.domain, id).await
        });
        answer(routed, convert::domain)
    }

    async fn list_sso_domains(
        &self,
        request: Request<wire::ListSsoDomainsRequest>,
    ) -> Answer<wire::ListSsoDomainsResponse> {
        let listed = run!(self, request, |tools, caller, _message| {
            list_domains(tools, caller).await
        });
        answer(listed, convert::domains)
    }

    async fn remove_sso_domain(
        &self,
        request: Request<wire::RemoveSsoDomainRequest>,
    ) -> Answer<wire::RemoveSsoDomainResponse> {
        let removed = run!(self, request, |tools, caller, message| {
            remove_domain(tools, caller, &message.domain).await
        });
        answer(removed, |()| wire::RemoveSsoDomainResponse {})
    }

    async fn set_sso_required(
        &self,
        request: Request<wire::SetSsoRequiredRequest>,
    ) -> Answer<wire::SetSsoRequiredResponse> {
        let required = request.get_ref().required;
        let set = run!(self, request, |tools, caller, message| {
            set_required(tools, caller, message.required).await
        });
        answer(set, |()| wire::SetSsoRequiredResponse { required })
    }

    async fn find_login_method(
        &self,
        request: Request<wire::FindLoginMethodRequest>,
    ) -> Answer<wire::FindLoginMethodResponse> {
        let route = find_login_method(&self.tools, &request.into_inner().email).await;
        answer(route, convert::login_method)
    }

    async fn begin_sso(
        &self,
        request: Request<wire::BeginSsoRequest>,
    ) -> Answer<wire::BeginSsoResponse> {
        let begun = run!(self, request, |tools, caller, message| {
            let id = convert::connection_id(&message.connection_id)?;
            let (return_to, hint) = (&message.return_to, &message.login_hint);
            begin_sso(tools, id, return_to, hint, &caller.origin).await
        });
        answer(begun, convert::begun)
    }

    async fn finish_oidc(
        &self,
        request: Request<wire::FinishOidcRequest>,
    ) -> Answer<wire::FinishSsoResponse> {
        let finished = run!(self, request, |tools, caller, message| {
            let id = convert::connection_id(&message.connection_id)?;
            finish_oidc(tools, id, convert::oidc_back(message), &caller.origin).await
        });
        answer(finished, convert::finished)
    }

    async fn finish_saml(
        &self,
        request: Request<wire::FinishSamlRequest>,
    ) -> Answer<wire::FinishSsoResponse> {
        let finished = run!(self, request, |tools, caller, message| {
            let id = convert::connection_id(&message.connection_id)?;
            finish_saml(tools, id, convert::saml_back(message), &caller.origin).await
        });
        answer(finished, convert::finished)
    }

    async fn get_saml_metadata(
        &self,
        request: Request<wire::GetSamlMetadataRequest>,
    ) -> Answer<wire::GetSamlMetadataResponse> {
        let xml = run!(self, request, |tools, _caller, message| {
            get_saml_metadata(tools, convert::connection_id(&message.connection_id)?).await
        });
        answer(xml, |xml| wire::GetSamlMetadataResponse { xml })
    }
}
