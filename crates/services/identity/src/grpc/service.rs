//! One method per RPC.

use std::time::Duration;

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

pub(super) type Answer<T> = Result<Response<T>, Status>;

pub(super) fn answer<T, M>(result: Result<T, Error>, encode: impl FnOnce(T) -> M) -> Answer<M> {
    match result {
        Ok(value) => Ok(Response::new(encode(value))),
        Err(error) => Err(to_status(&error)),
    }
}

/// The caller's context and the message.
pub(super) fn open<T>(request: Request<T>) -> Result<(RequestContext, T), Status> {
    let caller = context(&request)?.clone();
    Ok((caller, request.into_inner()))
}

#[tonic::async_trait]
impl IdentityService for Service {
    async fn sign_up(&self, request: Request<wire::SignUpRequest>) -> Answer<wire::SignUpResponse> {
        let (caller, request) = open(request)?;
        let input = convert::sign_up(request);
        answer(
            ops::sign_up::sign_up(&self.tools, input, &caller.origin).await,
            convert::signed_up,
        )
    }

    async fn log_in(&self, request: Request<wire::LogInRequest>) -> Answer<wire::LogInResponse> {
        let (caller, request) = open(request)?;
        let progress = match convert::log_in(request) {
            Ok(input) => ops::log_in::log_in(&self.tools, input, &caller.origin).await,
            Err(error) => Err(error),
        };
        answer(progress, convert::progress)
    }

    async fn refresh_session(
        &self,
        request: Request<wire::RefreshSessionRequest>,
    ) -> Answer<wire::RefreshSessionResponse> {
        let (caller, request) = open(request)?;
        let token = SecretString::from(request.refresh_token);
        let refreshed = ops::refresh_session::refresh_session(&self.tools, &token, &caller.origin);
        let tokens = refreshed.await;
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
        request: Request<wire::ListRolesRequest>,
    ) -> Answer<wire::ListRolesResponse> {
        let (caller, _) = open(request)?;
        let custom = ops::roles::list_roles::list_roles(&self.tools, &caller).await;
        answer(custom, |custom| convert::roles(&self.tools.policy, custom))
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

    async fn rotate_api_key(
        &self,
        request: Request<wire::RotateApiKeyRequest>,
    ) -> Answer<wire::CreateApiKeyResponse> {
        let (caller, request) = open(request)?;
        let overlap = Duration::from_hours(request.overlap_hours.into());
        let rotated = match convert::api_key_id(&request.api_key_id) {
            Ok(id) => ops::rotate_api_key::rotate_api_key(&self.tools, &caller, id, overlap).await,
            Err(error) => Err(error),
        };
        answer(rotated, convert::created_api_key)
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

    async fn list_revocations(
        &self,
        request: Request<wire::ListRevocationsRequest>,
    ) -> Answer<wire::ListRevocationsResponse> {
        let news = match convert::since(request.into_inner()) {
            Ok(since) => ops::list_revocations::list_revocations(&self.tools.db, since).await,
            Err(error) => Err(error),
        };
        answer(news, convert::news)
    }

    async fn exchange_api_key(
        &self,
        request: Request<wire::ExchangeApiKeyRequest>,
    ) -> Answer<wire::AccessToken> {
        let request = request.into_inner();
        // What is no address is in no network.
        let address = request.client_address.parse().ok();
        let secret = SecretString::from(request.secret);
        let exchanged =
            ops::exchange_api_key::exchange_api_key(&self.tools, &secret, address).await;
        answer(exchanged, |access| convert::access_token(&access))
    }
}
