//! One method per RPC.

use auth::{RequestContext, context};
use errors::to_status;
use proto::identity::v1 as wire;
use proto::identity::v1::identity_service_server::IdentityService;
use secrecy::SecretString;
use tonic::{Request, Response, Status};

use super::convert;
use crate::{Error, ops, ops::Tools};

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) tools: Tools,
}

type Answer<T> = Result<Response<T>, Status>;

fn answer<T, M>(result: Result<T, Error>, encode: impl FnOnce(T) -> M) -> Answer<M> {
    match result {
        Ok(value) => Ok(Response::new(encode(value))),
        Err(error) => Err(to_status(&error)),
    }
}

/// The caller's context and the message.
fn open<T>(request: Request<T>) -> Result<(RequestContext, T), Status> {
    let caller = context(&request)?.clone();
    Ok((caller, request.into_inner()))
}

#[tonic::async_trait]
impl IdentityService for Service {
    async fn sign_up(&self, request: Request<wire::SignUpRequest>) -> Answer<wire::SignUpResponse> {
        let input = convert::sign_up(request.into_inner());
        answer(
            ops::sign_up::sign_up(&self.tools, input).await,
            convert::signed_up,
        )
    }

    async fn log_in(&self, request: Request<wire::LogInRequest>) -> Answer<wire::LogInResponse> {
        let request = request.into_inner();
        let password = SecretString::from(request.password);
        let logged_in = ops::log_in::log_in(&self.tools, &request.email, password).await;
        answer(logged_in, convert::logged_in)
    }

    async fn refresh_session(
        &self,
        request: Request<wire::RefreshSessionRequest>,
    ) -> Answer<wire::RefreshSessionResponse> {
        let token = SecretString::from(request.into_inner().refresh_token);
        let tokens = ops::refresh_session::refresh_session(&self.tools, &token).await;
        answer(tokens, |tokens| wire::RefreshSessionResponse {
            tokens: Some(convert::session_tokens(&tokens)),
        })
    }

    async fn log_out(&self, request: Request<wire::LogOutRequest>) -> Answer<wire::LogOutResponse> {
        let (caller, _) = open(request)?;
        let ended = ops::log_out::log_out(&self.tools, &caller).await;
        answer(ended, |()| wire::LogOutResponse {})
    }

    async fn get_caller(&self, request: Request<wire::GetCallerRequest>) -> Answer<wire::Caller> {
        let (caller, _) = open(request)?;
        let principal = caller.principal().map_err(Error::from);
        answer(principal, |principal| {
            convert::caller(principal, caller.organization_id, &self.tools.policy)
        })
    }

    async fn list_roles(
        &self,
        _: Request<wire::ListRolesRequest>,
    ) -> Answer<wire::ListRolesResponse> {
        Ok(Response::new(convert::roles(&self.tools.policy)))
    }

    async fn create_api_key(
        &self,
        request: Request<wire::CreateApiKeyRequest>,
    ) -> Answer<wire::CreateApiKeyResponse> {
        let (caller, request) = open(request)?;
        let created = match convert::new_api_key(request) {
            Ok(new) => ops::create_api_key::create_api_key(&self.tools, &caller, new).await,
            Err(error) => Err(error),
        };
        answer(created, convert::created_api_key)
    }

    async fn list_api_keys(
        &self,
        request: Request<wire::ListApiKeysRequest>,
    ) -> Answer<wire::ListApiKeysResponse> {
        let (caller, request) = open(request)?;
        let (size, token) = (request.page_size, request.page_token);
        let page = ops::list_api_keys::list_api_keys(&self.tools, &caller, size, &token).await;
        answer(page, convert::api_keys)
    }

    async fn revoke_api_key(
        &self,
        request: Request<wire::RevokeApiKeyRequest>,
    ) -> Answer<wire::ApiKey> {
        let (caller, request) = open(request)?;
        let revoked = match convert::api_key_id(&request.api_key_id) {
            Ok(id) => ops::revoke_api_key::revoke_api_key(&self.tools, &caller, id).await,
            Err(error) => Err(error),
        };
        answer(revoked, convert::api_key)
    }

    async fn get_jwks(&self, _: Request<wire::GetJwksRequest>) -> Answer<wire::Jwks> {
        let keys = self.tools.keys.current().await.jwks();
        Ok(Response::new(wire::Jwks { keys }))
    }

    async fn issue_service_token(
        &self,
        request: Request<wire::IssueServiceTokenRequest>,
    ) -> Answer<wire::AccessToken> {
        let request = request.into_inner();
        let secret = SecretString::from(request.client_secret);
        let issued =
            ops::issue_service_token::issue_service_token(&self.tools, &request.client_id, &secret)
                .await;
        answer(issued, |access| convert::access_token(&access))
    }

    async fn exchange_api_key(
        &self,
        request: Request<wire::ExchangeApiKeyRequest>,
    ) -> Answer<wire::AccessToken> {
        let secret = SecretString::from(request.into_inner().secret);
        let exchanged = ops::exchange_api_key::exchange_api_key(&self.tools, &secret).await;
        answer(exchanged, |access| convert::access_token(&access))
    }
}
