//! One line per RPC that is not special. A new RPC of a proto file is a line here.

use auth::Principal;
use futures::{StreamExt, stream::BoxStream};
use proto::{
    identity::v1::{
        self as identity, account_service_server::AccountService,
        audit_service_server::AuditService, identity_service_server::IdentityService,
        people_service_server::PeopleService, scim_service_server::ScimService,
        sso_service_server::SsoService,
    },
    messaging::v1::{
        self as messaging, channel_health_service_server::ChannelHealthService,
        contact_service_server::ContactService, inbox_service_server::InboxService,
        messaging_service_server::MessagingService, template_service_server::TemplateService,
    },
};
use tonic::{Request, Response, Status};

use super::{Act, Script};

/// Every method notes the call and answers with an empty message, or with what is given.
macro_rules! played {
    ($service:path, $module:ident, {
        $($rpc:ident $name:ident($request:ident) -> $response:ident;)*
    }, { $($own:tt)* }) => {
        #[tonic::async_trait]
        impl $service for Script {
            $(async fn $name(
                &self,
                request: Request<$module::$request>,
            ) -> Result<Response<$module::$response>, Status> {
                self.note(stringify!($rpc), &request);
                self.answer().await
            })*
            $($own)*
        }
    };
}

played!(IdentityService, identity, {
    SignUp sign_up(SignUpRequest) -> SignUpResponse;
    LogOut log_out(LogOutRequest) -> LogOutResponse;
    GetCaller get_caller(GetCallerRequest) -> Caller;
    ListRoles list_roles(ListRolesRequest) -> ListRolesResponse;
    CreateApiKey create_api_key(CreateApiKeyRequest) -> CreateApiKeyResponse;
    ListApiKeys list_api_keys(ListApiKeysRequest) -> ListApiKeysResponse;
    RotateApiKey rotate_api_key(RotateApiKeyRequest) -> CreateApiKeyResponse;
    RevokeApiKey revoke_api_key(RevokeApiKeyRequest) -> ApiKey;
}, {
    async fn get_jwks(
        &self,
        request: Request<identity::GetJwksRequest>,
    ) -> Result<Response<identity::Jwks>, Status> {
        self.note("GetJwks", &request);
        Ok(Response::new(identity::Jwks { keys: vec![self.key.jwk()] }))
    }

    /// Not noted: the gateway asks whenever it likes.
    async fn list_revocations(
        &self,
        _: Request<identity::ListRevocationsRequest>,
    ) -> Result<Response<identity::ListRevocationsResponse>, Status> {
        let state = self.state();
        Ok(Response::new(identity::ListRevocationsResponse {
            revocations: state.revoked.clone(),
            as_of: Some(self.clock.now().into()),
        }))
    }

    async fn issue_service_token(
        &self,
        request: Request<identity::IssueServiceTokenRequest>,
    ) -> Result<Response<identity::AccessToken>, Status> {
        self.note("IssueServiceToken", &request);
        assert_eq!(request.get_ref().client_secret, "gateway-secret");
        Ok(self.access_token(&Principal::Service { name: "gateway".into() }))
    }

    async fn log_in(
        &self,
        request: Request<identity::LogInRequest>,
    ) -> Result<Response<identity::LogInResponse>, Status> {
        self.note("LogIn", &request);
        let mut answer = self.answer::<identity::LogInResponse>().await?;
        answer.get_mut().tokens = self.begin_session();
        Ok(answer)
    }

    async fn refresh_session(
        &self,
        request: Request<identity::RefreshSessionRequest>,
    ) -> Result<Response<identity::RefreshSessionResponse>, Status> {
        self.note("RefreshSession", &request);
        let mut answer = self.answer::<identity::RefreshSessionResponse>().await?;
        answer.get_mut().tokens = self.refresh(&request.get_ref().refresh_token)?;
        Ok(answer)
    }

    async fn exchange_api_key(
        &self,
        request: Request<identity::ExchangeApiKeyRequest>,
    ) -> Result<Response<identity::AccessToken>, Status> {
        self.note("ExchangeApiKey", &request);
        let known = self.state().api_key.clone();
        if self.state().refusals.front().is_some() {
            return self.answer().await;
        }
        if known.as_deref() == Some(request.get_ref().secret.as_str()) {
            Ok(self.access_token(&self.program))
        } else {
            Err(errors::status_of(&errors::codes::AUTH_API_KEY_INVALID))
        }
    }
});

played!(AccountService, identity, {
    StartEnrolment start_enrolment(StartEnrolmentRequest) -> TotpSetup;
    CompleteEnrolment complete_enrolment(CompleteEnrolmentRequest) -> CompleteEnrolmentResponse;
    RequestPasswordReset request_password_reset(RequestPasswordResetRequest) -> RequestPasswordResetResponse;
    ResetPassword reset_password(ResetPasswordRequest) -> ResetPasswordResponse;
    VerifyEmail verify_email(VerifyEmailRequest) -> VerifyEmailResponse;
    ResendVerification resend_verification(ResendVerificationRequest) -> ResendVerificationResponse;
    ChangePassword change_password(ChangePasswordRequest) -> ChangePasswordResponse;
    ConfirmIdentity confirm_identity(ConfirmIdentityRequest) -> ConfirmIdentityResponse;
    ListSessions list_sessions(ListSessionsRequest) -> ListSessionsResponse;
    RevokeSession revoke_session(RevokeSessionRequest) -> RevokeSessionResponse;
    RevokeOtherSessions revoke_other_sessions(RevokeOtherSessionsRequest) -> RevokeOtherSessionsResponse;
    ListMyOrganizations list_my_organizations(ListMyOrganizationsRequest) -> ListMyOrganizationsResponse;
    GetMfa get_mfa(GetMfaRequest) -> Mfa;
    StartTotp start_totp(StartTotpRequest) -> TotpSetup;
    ConfirmTotp confirm_totp(ConfirmTotpRequest) -> RecoveryCodes;
    DisableTotp disable_totp(DisableTotpRequest) -> DisableTotpResponse;
    RegenerateRecoveryCodes regenerate_recovery_codes(RegenerateRecoveryCodesRequest) -> RecoveryCodes;
}, {
    async fn switch_organization(
        &self,
        request: Request<identity::SwitchOrganizationRequest>,
    ) -> Result<Response<identity::LogInResponse>, Status> {
        self.note("SwitchOrganization", &request);
        let mut answer = self.answer::<identity::LogInResponse>().await?;
        answer.get_mut().tokens = self.begin_session();
        Ok(answer)
    }

    async fn complete_login(
        &self,
        request: Request<identity::CompleteLoginRequest>,
    ) -> Result<Response<identity::LogInResponse>, Status> {
        self.note("CompleteLogin", &request);
        let mut answer = self.answer::<identity::LogInResponse>().await?;
        answer.get_mut().tokens = self.begin_session();
        Ok(answer)
    }
});

played!(AuditService, identity, {
    ListAuditEntries list_audit_entries(ListAuditEntriesRequest) -> ListAuditEntriesResponse;
    ExportAuditEntries export_audit_entries(ExportAuditEntriesRequest) -> ExportAuditEntriesResponse;
    VerifyAuditChain verify_audit_chain(VerifyAuditChainRequest) -> VerifyAuditChainResponse;
}, {});

played!(PeopleService, identity, {
    ListMembers list_members(ListMembersRequest) -> ListMembersResponse;
    GetMember get_member(GetMemberRequest) -> Member;
    ChangeMemberRole change_member_role(ChangeMemberRoleRequest) -> Member;
    DeactivateMember deactivate_member(DeactivateMemberRequest) -> Member;
    ReactivateMember reactivate_member(ReactivateMemberRequest) -> Member;
    RemoveMember remove_member(RemoveMemberRequest) -> RemoveMemberResponse;
    CreateRole create_role(CreateRoleRequest) -> RoleInfo;
    UpdateRole update_role(UpdateRoleRequest) -> RoleInfo;
    DeleteRole delete_role(DeleteRoleRequest) -> DeleteRoleResponse;
    CreateTeam create_team(CreateTeamRequest) -> Team;
    RenameTeam rename_team(RenameTeamRequest) -> Team;
    DeleteTeam delete_team(DeleteTeamRequest) -> DeleteTeamResponse;
    ListTeams list_teams(ListTeamsRequest) -> ListTeamsResponse;
    AddTeamMembers add_team_members(AddTeamMembersRequest) -> Team;
    RemoveTeamMember remove_team_member(RemoveTeamMemberRequest) -> Team;
    Invite invite(InviteRequest) -> Invitation;
    ListInvitations list_invitations(ListInvitationsRequest) -> ListInvitationsResponse;
    ResendInvitation resend_invitation(ResendInvitationRequest) -> Invitation;
    RevokeInvitation revoke_invitation(RevokeInvitationRequest) -> Invitation;
    GetInvitation get_invitation(GetInvitationRequest) -> InvitationPreview;
    JoinOrganization join_organization(JoinOrganizationRequest) -> JoinedOrganization;
    AcceptInvitation accept_invitation(AcceptInvitationRequest) -> JoinedOrganization;
    GetOrganization get_organization(GetOrganizationRequest) -> OrganizationDetails;
    UpdateOrganization update_organization(UpdateOrganizationRequest) -> OrganizationDetails;
    DeleteOrganization delete_organization(DeleteOrganizationRequest) -> OrganizationDetails;
    CancelOrganizationDeletion cancel_organization_deletion(CancelOrganizationDeletionRequest) -> OrganizationDetails;
    SuspendOrganization suspend_organization(SuspendOrganizationRequest) -> OrganizationDetails;
    ResumeOrganization resume_organization(ResumeOrganizationRequest) -> OrganizationDetails;
}, {});

played!(ScimService, identity, {
    CreateScimDirectory create_scim_directory(CreateScimDirectoryRequest) -> CreateScimDirectoryResponse;
    ListScimDirectories list_scim_directories(ListScimDirectoriesRequest) -> ListScimDirectoriesResponse;
    RotateScimToken rotate_scim_token(RotateScimTokenRequest) -> CreateScimDirectoryResponse;
    DeleteScimDirectory delete_scim_directory(DeleteScimDirectoryRequest) -> DeleteScimDirectoryResponse;
    ListScimGroups list_scim_groups(ListScimGroupsRequest) -> ListScimGroupsResponse;
    SetScimGroupRole set_scim_group_role(SetScimGroupRoleRequest) -> ScimGroup;
}, {
    async fn serve_scim(
        &self,
        request: Request<identity::ServeScimRequest>,
    ) -> Result<Response<identity::ServeScimResponse>, Status> {
        self.note("ServeScim", &request);
        let mut answer = self.answer::<identity::ServeScimResponse>().await?;
        *answer.get_mut() = self.state().scim.clone();
        Ok(answer)
    }
});

played!(SsoService, identity, {
    CreateSsoConnection create_sso_connection(CreateSsoConnectionRequest) -> SsoConnection;
    ListSsoConnections list_sso_connections(ListSsoConnectionsRequest) -> ListSsoConnectionsResponse;
    GetSsoConnection get_sso_connection(GetSsoConnectionRequest) -> SsoConnection;
    UpdateSsoConnection update_sso_connection(UpdateSsoConnectionRequest) -> SsoConnection;
    DeleteSsoConnection delete_sso_connection(DeleteSsoConnectionRequest) -> DeleteSsoConnectionResponse;
    ListSsoTraces list_sso_traces(ListSsoTracesRequest) -> ListSsoTracesResponse;
    AddSsoDomain add_sso_domain(AddSsoDomainRequest) -> SsoDomain;
    VerifySsoDomain verify_sso_domain(VerifySsoDomainRequest) -> SsoDomain;
    RouteSsoDomain route_sso_domain(RouteSsoDomainRequest) -> SsoDomain;
    ListSsoDomains list_sso_domains(ListSsoDomainsRequest) -> ListSsoDomainsResponse;
    RemoveSsoDomain remove_sso_domain(RemoveSsoDomainRequest) -> RemoveSsoDomainResponse;
    SetSsoRequired set_sso_required(SetSsoRequiredRequest) -> SetSsoRequiredResponse;
    FindLoginMethod find_login_method(FindLoginMethodRequest) -> FindLoginMethodResponse;
}, {
    async fn begin_sso(
        &self,
        request: Request<identity::BeginSsoRequest>,
    ) -> Result<Response<identity::BeginSsoResponse>, Status> {
        self.note("BeginSso", &request);
        let mut answer = self.answer::<identity::BeginSsoResponse>().await?;
        *answer.get_mut() = self.state().begun.clone();
        Ok(answer)
    }

    async fn finish_oidc(
        &self,
        request: Request<identity::FinishOidcRequest>,
    ) -> Result<Response<identity::FinishSsoResponse>, Status> {
        self.note("FinishOidc", &request);
        let mut answer = self.answer::<identity::FinishSsoResponse>().await?;
        *answer.get_mut() = self.finish_sso();
        Ok(answer)
    }

    async fn finish_saml(
        &self,
        request: Request<identity::FinishSamlRequest>,
    ) -> Result<Response<identity::FinishSsoResponse>, Status> {
        self.note("FinishSaml", &request);
        let mut answer = self.answer::<identity::FinishSsoResponse>().await?;
        *answer.get_mut() = self.finish_sso();
        Ok(answer)
    }

    async fn get_saml_metadata(
        &self,
        request: Request<identity::GetSamlMetadataRequest>,
    ) -> Result<Response<identity::GetSamlMetadataResponse>, Status> {
        self.note("GetSamlMetadata", &request);
        let answer = self.answer::<identity::GetSamlMetadataResponse>().await?;
        Ok(answer.map(|_| identity::GetSamlMetadataResponse {
            xml: "<EntityDescriptor/>".to_owned(),
        }))
    }
});

played!(TemplateService, messaging, {
    ListTemplates list_templates(ListTemplatesRequest) -> ListTemplatesResponse;
    GetTemplate get_template(GetTemplateRequest) -> MessageTemplate;
    PreviewTemplate preview_template(PreviewTemplateRequest) -> PreviewTemplateResponse;
    CreateTemplate create_template(CreateTemplateRequest) -> MessageTemplate;
    UpdateTemplate update_template(UpdateTemplateRequest) -> MessageTemplate;
    SubmitTemplate submit_template(SubmitTemplateRequest) -> MessageTemplate;
    DeleteTemplate delete_template(DeleteTemplateRequest) -> DeleteTemplateResponse;
    SyncTemplates sync_templates(SyncTemplatesRequest) -> SyncTemplatesResponse;
}, {});

played!(ChannelHealthService, messaging, {
    GetChannelHealth get_channel_health(GetChannelHealthRequest) -> ChannelHealth;
    CheckChannelHealth check_channel_health(CheckChannelHealthRequest) -> ChannelHealth;
    RotateChannelToken rotate_channel_token(RotateChannelTokenRequest) -> Channel;
}, {});

played!(ContactService, messaging, {
    CreateContact create_contact(CreateContactRequest) -> CreateContactResponse;
    UpdateContact update_contact(UpdateContactRequest) -> Contact;
    ListCandidates list_candidates(ListCandidatesRequest) -> ListCandidatesResponse;
    MergeContacts merge_contacts(MergeContactsRequest) -> MergeContactsResponse;
    UndoMerge undo_merge(UndoMergeRequest) -> UndoMergeResponse;
    ListMerges list_merges(ListMergesRequest) -> ListMergesResponse;
    CreateContactNote create_contact_note(CreateContactNoteRequest) -> ContactNote;
    UpdateContactNote update_contact_note(UpdateContactNoteRequest) -> ContactNote;
    DeleteContactNote delete_contact_note(DeleteContactNoteRequest) -> DeleteContactNoteResponse;
    ListContactNotes list_contact_notes(ListContactNotesRequest) -> ListContactNotesResponse;
    RecordConsent record_consent(RecordConsentRequest) -> Consent;
    ListConsents list_consents(ListConsentsRequest) -> ListConsentsResponse;
    BlockContact block_contact(BlockContactRequest) -> Contact;
    UnblockContact unblock_contact(UnblockContactRequest) -> Contact;
    CreateAttribute create_attribute(CreateAttributeRequest) -> Attribute;
    UpdateAttribute update_attribute(UpdateAttributeRequest) -> Attribute;
    DeleteAttribute delete_attribute(DeleteAttributeRequest) -> DeleteAttributeResponse;
    ListAttributes list_attributes(ListAttributesRequest) -> ListAttributesResponse;
}, {});

played!(InboxService, messaging, {
    AssignConversation assign_conversation(AssignConversationRequest) -> Conversation;
    SetConversationStatus set_conversation_status(SetConversationStatusRequest) -> Conversation;
    SetConversationPriority set_conversation_priority(SetConversationPriorityRequest) -> Conversation;
    LabelConversation label_conversation(LabelConversationRequest) -> Conversation;
    ChangeConversations change_conversations(ChangeConversationsRequest) -> ChangeConversationsResponse;
    CreateNote create_note(CreateNoteRequest) -> Message;
    AddParticipants add_participants(AddParticipantsRequest) -> ListParticipantsResponse;
    RemoveParticipant remove_participant(RemoveParticipantRequest) -> ListParticipantsResponse;
    ListParticipants list_participants(ListParticipantsRequest) -> ListParticipantsResponse;
    MarkRead mark_read(MarkReadRequest) -> MarkReadResponse;
    ListMentions list_mentions(ListMentionsRequest) -> ListMentionsResponse;
    CreateLabel create_label(CreateLabelRequest) -> Label;
    UpdateLabel update_label(UpdateLabelRequest) -> Label;
    DeleteLabel delete_label(DeleteLabelRequest) -> DeleteLabelResponse;
    ListLabels list_labels(ListLabelsRequest) -> ListLabelsResponse;
    CreateView create_view(CreateViewRequest) -> View;
    UpdateView update_view(UpdateViewRequest) -> View;
    ShareView share_view(ShareViewRequest) -> View;
    DeleteView delete_view(DeleteViewRequest) -> DeleteViewResponse;
    ListViews list_views(ListViewsRequest) -> ListViewsResponse;
    CreateCannedReply create_canned_reply(CreateCannedReplyRequest) -> CannedReply;
    UpdateCannedReply update_canned_reply(UpdateCannedReplyRequest) -> CannedReply;
    DeleteCannedReply delete_canned_reply(DeleteCannedReplyRequest) -> DeleteCannedReplyResponse;
    ListCannedReplies list_canned_replies(ListCannedRepliesRequest) -> ListCannedRepliesResponse;
}, {});

played!(MessagingService, messaging, {
    ConnectChannel connect_channel(ConnectChannelRequest) -> Channel;
    ListChannels list_channels(ListChannelsRequest) -> ListChannelsResponse;
    GetChannel get_channel(GetChannelRequest) -> Channel;
    ListChannelNotices list_channel_notices(ListChannelNoticesRequest) -> ListChannelNoticesResponse;
    ListContacts list_contacts(ListContactsRequest) -> ListContactsResponse;
    GetContact get_contact(GetContactRequest) -> Contact;
    OpenConversation open_conversation(OpenConversationRequest) -> Conversation;
    ListConversations list_conversations(ListConversationsRequest) -> ListConversationsResponse;
    GetConversation get_conversation(GetConversationRequest) -> Conversation;
    ListMessages list_messages(ListMessagesRequest) -> ListMessagesResponse;
    GetMessage get_message(GetMessageRequest) -> Message;
    CreateMedia create_media(CreateMediaRequest) -> CreateMediaResponse;
    GetMedia get_media(GetMediaRequest) -> MediaFile;
    SendMessage send_message(SendMessageRequest) -> Message;
    ListQuarantine list_quarantine(ListQuarantineRequest) -> ListQuarantineResponse;
}, {
    type WatchEventsStream = BoxStream<'static, Result<messaging::Event, Status>>;

    async fn watch_events(
        &self,
        request: Request<messaging::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        self.note("WatchEvents", &request);
        let refusal = self.state().refusal();
        if let Some(status) = refusal {
            return Err(status);
        }
        let acts = self.state().streams.pop_front();
        // After its last act a stream stays open and silent, unless it was ended.
        let stream = futures::stream::iter(acts.unwrap_or_default())
            .map(Some)
            .chain(futures::stream::once(std::future::pending()))
            .scan(false, |ended, act| {
                let item = match act {
                    _ if *ended => None,
                    None | Some(Act::End) => None,
                    Some(Act::Send(event)) => Some(Ok(*event)),
                    Some(Act::Fail(status)) => {
                        *ended = true;
                        Some(Err(status))
                    }
                };
                std::future::ready(item)
            });
        Ok(Response::new(stream.boxed()))
    }
});
