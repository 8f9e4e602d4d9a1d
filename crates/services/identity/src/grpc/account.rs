//! One method per RPC: what a person does with the own account.

mod convert;

use proto::identity::v1 as wire;
use proto::identity::v1::account_service_server::AccountService;
use secrecy::SecretString;
use tonic::Request;

use super::service::{Answer, answer, open};
use crate::ops::{self, Tools, account, complete_login, mfa};

/// Behind `auth::GrpcLayer` and the validation of fields.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) tools: Tools,
}

#[tonic::async_trait]
impl AccountService for Account {
    async fn complete_login(
        &self,
        request: Request<wire::CompleteLoginRequest>,
    ) -> Answer<wire::LogInResponse> {
        let (caller, request) = open(request)?;
        let done = match convert::proof(request.totp_code, request.recovery_code) {
            Ok(proof) => {
                let token = &request.challenge_token;
                complete_login::complete_login(&self.tools, token, proof, &caller.origin).await
            }
            Err(error) => Err(error),
        };
        answer(done, super::convert::logged_in)
    }

    async fn start_enrolment(
        &self,
        request: Request<wire::StartEnrolmentRequest>,
    ) -> Answer<wire::TotpSetup> {
        let token = request.into_inner().challenge_token;
        let setup = complete_login::start_enrolment(&self.tools, &token).await;
        answer(setup, |setup| convert::setup(&setup))
    }

    async fn complete_enrolment(
        &self,
        request: Request<wire::CompleteEnrolmentRequest>,
    ) -> Answer<wire::CompleteEnrolmentResponse> {
        let (caller, request) = open(request)?;
        let (token, code) = (&request.challenge_token, &request.totp_code);
        let origin = &caller.origin;
        let done = complete_login::complete_enrolment(&self.tools, token, code, origin).await;
        answer(done, convert::enrolled)
    }

    async fn request_password_reset(
        &self,
        request: Request<wire::RequestPasswordResetRequest>,
    ) -> Answer<wire::RequestPasswordResetResponse> {
        let (caller, request) = open(request)?;
        let (tools, email) = (&self.tools, &request.email);
        let requested =
            account::request_password_reset::request_password_reset(tools, email, &caller.origin);
        answer(requested.await, |()| wire::RequestPasswordResetResponse {})
    }

    async fn reset_password(
        &self,
        request: Request<wire::ResetPasswordRequest>,
    ) -> Answer<wire::ResetPasswordResponse> {
        let (caller, request) = open(request)?;
        let password = SecretString::from(request.new_password);
        let (tools, secret, origin) = (&self.tools, &request.secret, &caller.origin);
        let reset = account::reset_password::reset_password(tools, secret, password, origin);
        answer(reset.await, |()| wire::ResetPasswordResponse {})
    }

    async fn verify_email(
        &self,
        request: Request<wire::VerifyEmailRequest>,
    ) -> Answer<wire::VerifyEmailResponse> {
        let (caller, request) = open(request)?;
        let password = SecretString::from(request.password);
        let (tools, secret, origin) = (&self.tools, &request.secret, &caller.origin);
        let verified = account::verify_email::verify_email(tools, secret, password, origin);
        answer(verified.await, |()| wire::VerifyEmailResponse {})
    }

    async fn resend_verification(
        &self,
        request: Request<wire::ResendVerificationRequest>,
    ) -> Answer<wire::ResendVerificationResponse> {
        let (caller, _) = open(request)?;
        let sent = account::resend_verification::resend_verification(&self.tools, &caller).await;
        answer(sent, |()| wire::ResendVerificationResponse {})
    }

    async fn change_password(
        &self,
        request: Request<wire::ChangePasswordRequest>,
    ) -> Answer<wire::ChangePasswordResponse> {
        let (caller, request) = open(request)?;
        let password = SecretString::from(request.new_password);
        let changed = account::change_password::change_password(&self.tools, &caller, password);
        answer(changed.await, |()| wire::ChangePasswordResponse {})
    }

    async fn confirm_identity(
        &self,
        request: Request<wire::ConfirmIdentityRequest>,
    ) -> Answer<wire::ConfirmIdentityResponse> {
        let (caller, request) = open(request)?;
        let confirmed = match convert::shown(request) {
            Ok(shown) => {
                account::confirm_identity::confirm_identity(&self.tools, &caller, shown).await
            }
            Err(error) => Err(error),
        };
        answer(confirmed, |tokens| wire::ConfirmIdentityResponse {
            tokens: Some(super::convert::session_tokens(&tokens)),
        })
    }

    async fn list_sessions(
        &self,
        request: Request<wire::ListSessionsRequest>,
    ) -> Answer<wire::ListSessionsResponse> {
        let (caller, request) = open(request)?;
        let (size, token) = (request.page_size, &request.page_token);
        let listed = account::list_sessions::list_sessions(&self.tools, &caller, size, token);
        answer(listed.await, convert::sessions)
    }

    async fn revoke_session(
        &self,
        request: Request<wire::RevokeSessionRequest>,
    ) -> Answer<wire::RevokeSessionResponse> {
        let (caller, request) = open(request)?;
        let revoked = match convert::session_id(&request.session_id) {
            Ok(id) => account::revoke_session::revoke_session(&self.tools, &caller, id).await,
            Err(error) => Err(error),
        };
        answer(revoked, |()| wire::RevokeSessionResponse {})
    }

    async fn revoke_other_sessions(
        &self,
        request: Request<wire::RevokeOtherSessionsRequest>,
    ) -> Answer<wire::RevokeOtherSessionsResponse> {
        let (caller, _) = open(request)?;
        let ended = account::revoke_other_sessions::revoke_other_sessions(&self.tools, &caller);
        answer(ended.await, |ended| wire::RevokeOtherSessionsResponse {
            revoked: u32::try_from(ended).unwrap_or(u32::MAX),
        })
    }

    async fn list_my_organizations(
        &self,
        request: Request<wire::ListMyOrganizationsRequest>,
    ) -> Answer<wire::ListMyOrganizationsResponse> {
        let (caller, _) = open(request)?;
        let listed = account::list_my_organizations::list_my_organizations(&self.tools, &caller);
        answer(listed.await, convert::my_organizations)
    }

    async fn switch_organization(
        &self,
        request: Request<wire::SwitchOrganizationRequest>,
    ) -> Answer<wire::LogInResponse> {
        let (caller, request) = open(request)?;
        let switched = match super::convert::organization_id(&request.organization_id) {
            Ok(id) => {
                account::switch_organization::switch_organization(&self.tools, &caller, id).await
            }
            Err(error) => Err(error),
        };
        answer(switched, convert::switched)
    }

    async fn get_mfa(&self, request: Request<wire::GetMfaRequest>) -> Answer<wire::Mfa> {
        let (caller, _) = open(request)?;
        let mfa = ops::mfa::get_mfa::get_mfa(&self.tools, &caller).await;
        answer(mfa, |mfa| convert::mfa(&mfa))
    }

    async fn start_totp(
        &self,
        request: Request<wire::StartTotpRequest>,
    ) -> Answer<wire::TotpSetup> {
        let (caller, _) = open(request)?;
        let setup = mfa::start_totp::start_totp(&self.tools, &caller).await;
        answer(setup, |setup| convert::setup(&setup))
    }

    async fn confirm_totp(
        &self,
        request: Request<wire::ConfirmTotpRequest>,
    ) -> Answer<wire::RecoveryCodes> {
        let (caller, request) = open(request)?;
        let codes = mfa::confirm_totp::confirm_totp(&self.tools, &caller, &request.totp_code);
        answer(codes.await, |codes| convert::codes(&codes))
    }

    async fn disable_totp(
        &self,
        request: Request<wire::DisableTotpRequest>,
    ) -> Answer<wire::DisableTotpResponse> {
        let (caller, request) = open(request)?;
        let disabled = match convert::proof(request.totp_code, request.recovery_code) {
            Ok(proof) => mfa::disable_totp::disable_totp(&self.tools, &caller, proof).await,
            Err(error) => Err(error),
        };
        answer(disabled, |()| wire::DisableTotpResponse {})
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<wire::RegenerateRecoveryCodesRequest>,
    ) -> Answer<wire::RecoveryCodes> {
        let (caller, _) = open(request)?;
        let codes =
            mfa::regenerate_recovery_codes::regenerate_recovery_codes(&self.tools, &caller).await;
        answer(codes, |codes| convert::codes(&codes))
    }
}
