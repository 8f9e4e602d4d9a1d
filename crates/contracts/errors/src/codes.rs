//! The catalogue. An id appears once and is never reused; add at the end of its area.
//!
//! `Invalid as PAYLOAD_TOO_LARGE` gives a code an HTTP status that says more than its kind's.

use http::StatusCode;

use crate::{Code, Kind};

macro_rules! catalogue {
    ($($name:ident = $id:literal, $kind:ident $(as $status:ident)?, $title:literal, $help:literal;)+) => {
        $(
            #[doc = $title]
            pub static $name: Code = Code {
                id: $id,
                kind: Kind::$kind,
                own_status: catalogue!(@status $($status)?),
                title: $title,
                help: $help,
            };
        )+

        /// Every code, in the order of the documentation.
        pub static ALL: &[&Code] = &[$(&$name),+];
    };
    (@status) => { None };
    (@status $status:ident) => { Some(StatusCode::$status) };
}

catalogue! {
    REQUEST_MALFORMED = "request.malformed", Invalid,
        "The request could not be read.",
        "Send valid JSON with the fields of the API reference; unknown fields are refused by name.";
    REQUEST_INVALID = "request.invalid", Invalid,
        "A field of the request is not acceptable.",
        "Correct the fields listed under `errors` and send the request again.";
    REQUEST_TOO_LARGE = "request.too_large", Invalid as PAYLOAD_TOO_LARGE,
        "The request body is too large.",
        "Send at most 1 MiB to the API and 4 MiB to a webhook address.";
    ROUTE_UNKNOWN = "request.route_unknown", NotFound,
        "There is no such address.",
        "Compare the method and path with the API reference at /openapi.json.";
    METHOD_NOT_ALLOWED = "request.method_not_allowed", Invalid as METHOD_NOT_ALLOWED,
        "This address does not know the method.",
        "Use a method named in the `Allow` header, or compare with /openapi.json.";
    MEDIA_TYPE_UNSUPPORTED = "request.media_type_unsupported", Invalid as UNSUPPORTED_MEDIA_TYPE,
        "The body's format is not accepted.",
        "Send `Content-Type: application/json`, in UTF-8, without Content-Encoding.";
    NOT_ACCEPTABLE = "request.not_acceptable", Invalid as NOT_ACCEPTABLE,
        "The answer is not available in a format you accept.",
        "Add the format named in the detail to the `Accept` header.";
    PAGE_TOKEN_INVALID = "request.page_token_invalid", Invalid,
        "The page token does not belong to this list.",
        "Use a token only with the filters it was given for; start again without one.";
    CURSOR_INVALID = "request.cursor_invalid", Invalid,
        "The event cursor can't be read.",
        "Send the last event id unchanged, or none to start at the present.";
    CURSOR_EXPIRED = "request.cursor_expired", Precondition,
        "Events after that cursor are no longer kept.",
        "Load the lists afresh, then watch events without a cursor.";
    REQUEST_TOO_SLOW = "request.too_slow", Timeout as REQUEST_TIMEOUT,
        "The request body did not arrive in time.",
        "Send it again, over a faster connection or in smaller parts.";
    IDEMPOTENCY_KEY_REUSED = "idempotency.key_reused", Precondition,
        "The idempotency key was used for a different request.",
        "Use a new key for each new request; repeat a key only with the same body.";
    AUTH_UNAUTHENTICATED = "auth.unauthenticated", Unauthenticated,
        "Please log in.",
        "Send `Authorization: Bearer` with a valid access token or API key.";
    AUTH_TOKEN_EXPIRED = "auth.token_expired", Unauthenticated,
        "The access token has expired.",
        "Get a new access token with the refresh token.";
    AUTH_REVOKED = "auth.revoked", Unauthenticated,
        "The session has ended.",
        "Get a new access token with the refresh token, or log in again.";
    AUTH_STEP_UP_REQUIRED = "auth.step_up_required", Forbidden,
        "This change needs a fresh proof of who you are.",
        "Confirm your password or a code with POST /v1/sessions/current/confirm, then repeat the request with the new token.";
    AUTH_FORBIDDEN = "auth.forbidden", Forbidden,
        "Your role does not allow this.",
        "Ask an owner of the organization for a role with the permission named in the API reference.";
    AUTH_CREDENTIALS_WRONG = "auth.credentials_wrong", Unauthenticated,
        "The e-mail address or the password is wrong.",
        "Try again, or reset the password.";
    AUTH_REFRESH_INVALID = "auth.refresh_invalid", Unauthenticated,
        "The refresh token is not valid any more.",
        "Log in again. If you did not log out yourself, review your active sessions.";
    AUTH_CLIENT_WRONG = "auth.client_wrong", Unauthenticated,
        "The client id or the client secret is wrong.",
        "Check the service's client credentials.";
    AUTH_BUSY = "auth.busy", RateLimited,
        "Too many logins at the moment.",
        "Try again after the time given.";
    AUTH_THROTTLED = "auth.throttled", RateLimited,
        "Too many wrong attempts.",
        "Wait for the time in `Retry-After`. If you forgot the password, reset it; a device you have logged in from before sends its `deviceToken` and is not kept waiting for others.";
    AUTH_CODE_WRONG = "auth.code_wrong", Unauthenticated,
        "The code is wrong or was used already.",
        "Enter the code that the app shows now; each works once. Check the clock of the phone.";
    AUTH_CHALLENGE_INVALID = "auth.challenge_invalid", Unauthenticated,
        "The login was not finished in time.",
        "Log in again with the password.";
    AUTH_FACTOR_WANTED = "auth.factor_wanted", Forbidden,
        "This organization wants a second factor.",
        "Log in to it with e-mail and password; setting up the second factor is part of that.";
    PASSWORD_GUESSABLE = "identity.password_guessable", Invalid,
        "The password would be guessed.",
        "Choose a few words that do not belong together, or have a password manager make one. Names, addresses and common passwords do not count.";
    LINK_INVALID = "identity.link_invalid", Precondition,
        "The link is not valid any more.",
        "Ask for a new one; only the newest link works, once, and not for long.";
    MFA_ACTIVE = "identity.mfa_active", Precondition,
        "A second factor protects the account already.",
        "Remove it before you set up another one.";
    MFA_MISSING = "identity.mfa_missing", Precondition,
        "There is no second factor.",
        "Set one up first.";
    AUTH_API_KEY_INVALID = "auth.api_key_invalid", Unauthenticated,
        "The API key is unknown, revoked, expired, or bound to other networks.",
        "Check the key and from where it is used, or create a new one.";
    AUTH_SSO_FAILED = "auth.sso_failed", Unauthenticated,
        "The login through your organization did not work.",
        "Try again. If it fails again, give the id in the detail to an administrator of your organization, who finds the reason there.";
    AUTH_SSO_REQUIRED = "auth.sso_required", Forbidden,
        "Your organization wants you to log in through its own login.",
        "Log in with single sign-on; a password is not accepted here.";
    SSO_PROVIDER_UNUSABLE = "sso.provider_unusable", Invalid,
        "The identity provider can't be used as it is set up.",
        "Correct what the detail names, here or at the provider, and save again.";
    SSO_DOMAIN_PUBLIC = "sso.domain_public", Invalid,
        "Nobody can claim this domain: anybody can have an address there.",
        "Use a domain that belongs to your organization alone.";
    SSO_DOMAIN_UNPROVEN = "sso.domain_unproven", Precondition,
        "The DNS record that proves the domain was not found.",
        "Publish the TXT record as it is shown. It can take an hour until it is seen everywhere.";
    SSO_DOMAIN_TAKEN = "sso.domain_taken", AlreadyExists,
        "Another organization proved that the domain is its own.",
        "If it is yours, remove the other organization's DNS record and write to support.";
    AUTH_NOT_MEMBER = "auth.not_member", Forbidden,
        "You do not belong to this organization any more.",
        "Ask an owner or admin of the organization to let you in again.";
    AUTH_CROSS_SITE = "auth.cross_site", Forbidden,
        "A cookie is not accepted for a request of another site, or without its token.",
        "Send the request from a page of the application, with the header X-CSRF-Token; programs use `Authorization: Bearer`.";
    ORGANIZATION_INACTIVE = "identity.organization_inactive", Forbidden,
        "The organization is suspended or being deleted.",
        "Ask its owner; an owner can take a deletion back until it is final.";
    EMAIL_TAKEN = "identity.email_taken", AlreadyExists,
        "There is an account with this e-mail address.",
        "Log in, or reset the password.";
    API_KEY_SCOPE_UNKNOWN = "identity.api_key_scope_unknown", Invalid,
        "A scope of the key is not a permission of its role.",
        "Choose scopes among the permissions of the role.";
    LAST_OWNER = "identity.last_owner", Precondition,
        "The organization would be left without an active owner.",
        "Make somebody else an owner first.";
    NAME_TAKEN = "identity.name_taken", AlreadyExists,
        "The name is taken.",
        "Choose another name; upper and lower case make no difference.";
    ROLE_IN_USE = "identity.role_in_use", Precondition,
        "Members or pending invitations have this role.",
        "Give them another role first.";
    ROLE_PERMISSION_UNKNOWN = "identity.role_permission_unknown", Invalid,
        "A permission of the role is not one of an admin's.",
        "Choose permissions among those that GET /v1/roles lists for admins.";
    TOO_MANY_TEAMS = "identity.too_many_teams", Precondition,
        "The member is in as many teams as possible.",
        "Take the member out of another team first; a member is in at most 50.";
    ALREADY_MEMBER = "identity.already_member", AlreadyExists,
        "The person is a member already.",
        "Change the member's role, or reactivate it.";
    ALREADY_INVITED = "identity.already_invited", AlreadyExists,
        "There is a pending invitation for this address.",
        "Send it once more, or take it back and invite again.";
    INVITATION_INVALID = "identity.invitation_invalid", NotFound,
        "The invitation is not valid any more.",
        "Ask whoever invited you for a new one.";
    INVITATION_OF_ANOTHER = "identity.invitation_of_another", Forbidden,
        "The invitation was sent to another person.",
        "Log in with the address it was sent to, or ask to be invited with yours.";
    NO_SEAT = "identity.no_seat", Precondition,
        "Every seat of the organization is taken or promised.",
        "Deactivate a member, take an invitation back, or get more seats.";
    NOT_FOUND = "not_found", NotFound,
        "There is no such resource.",
        "Check the id; it may have been deleted or belong to another organization.";
    ALREADY_EXISTS = "already_exists", AlreadyExists,
        "The resource exists already.",
        "Read it instead of creating it.";
    CONFLICT = "conflict", Conflict,
        "The resource was changed at the same time.",
        "Read it again and repeat the change.";
    PRECONDITION_FAILED = "precondition_failed", Precondition,
        "The present state does not allow this.",
        "Read the resource and see what is missing.";
    RATE_LIMITED = "rate_limited", RateLimited,
        "Too many requests.",
        "Wait for the time in `Retry-After`, then continue more slowly.";
    CHANNEL_TAKEN = "messaging.channel_taken", AlreadyExists,
        "This WhatsApp number is connected already.",
        "Disconnect the number where it is connected first.";
    CHANNEL_CREDENTIAL_REFUSED = "messaging.channel_credential_refused", Precondition,
        "WhatsApp did not accept the access token for this number.",
        "Check the phone number id, the WABA id, and that the token's system user has both WhatsApp permissions for them.";
    CHANNEL_UNAVAILABLE = "messaging.channel_unavailable", Precondition,
        "The channel can't send at the moment.",
        "Open the channel's health: the credential or the number needs attention.";
    WINDOW_CLOSED = "messaging.window_closed", Precondition,
        "The 24-hour window of this conversation is closed.",
        "Send an approved template; the window opens when the customer writes.";
    CONTENT_INVALID = "messaging.content_invalid", Invalid,
        "WhatsApp would not accept this message.",
        "Correct the fields listed under `errors`; they carry the limits.";
    MEDIA_LINK_INVALID = "messaging.media_link_invalid", NotFound,
        "The address of the file is not valid any more.",
        "Addresses of files live a few minutes: read the message or the file again for a new one.";
    MEDIA_TOO_LARGE = "messaging.media_too_large", Invalid as PAYLOAD_TOO_LARGE,
        "WhatsApp would not accept a file of this size.",
        "Upload a smaller one; `maxBytes` of the answer that began the upload has the limit.";
    MEDIA_TYPE_REFUSED = "messaging.media_type_refused", Invalid as UNSUPPORTED_MEDIA_TYPE,
        "The file is not of a type that WhatsApp accepts here, or not what its `Content-Type` says.",
        "Convert it, or upload it as another kind; the detail says what was found.";
    RECIPIENT_UNKNOWN = "messaging.recipient_unknown", Precondition,
        "There is no WhatsApp address for this contact.",
        "Add a phone number to the contact.";
    REPLY_TARGET_UNKNOWN = "messaging.reply_target_unknown", Precondition,
        "The message to reply or react to has no WhatsApp id.",
        "Choose a message of this conversation that was received, or accepted by WhatsApp.";
    TEMPLATE_NOT_SENDABLE = "messaging.template_not_sendable", Precondition,
        "This template can't be sent at the moment.",
        "Only approved templates are sent: look at its status and the reason, and choose another one meanwhile.";
    TEMPLATE_REFUSED = "messaging.template_refused", Precondition,
        "WhatsApp did not take this template.",
        "Change what WhatsApp names and submit it again; the draft is kept.";
    TEMPLATE_NOT_CHANGEABLE = "messaging.template_not_changeable", Precondition,
        "The template's present state does not allow this.",
        "Meta takes changes of approved, rejected and paused templates; drafts can be changed and submitted at any time.";
    CONTACT_EXISTS = "messaging.contact_exists", AlreadyExists,
        "A contact has this number or e-mail address already.",
        "Use the contact named in the detail, or merge the two.";
    CONTACT_BLOCKED = "messaging.contact_blocked", Precondition,
        "The contact is blocked.",
        "Unblock the contact before you write to it.";
    CONSENT_WITHDRAWN = "messaging.consent_withdrawn", Precondition,
        "The customer wants no messages of this purpose.",
        "Send no templates of the category that the detail names until the customer asks for them again.";
    ATTRIBUTE_IN_USE = "messaging.attribute_in_use", Precondition,
        "Contacts have an option that would be taken away.",
        "Keep the option, or change these contacts first.";
    TOO_MANY_ATTRIBUTES = "messaging.too_many_attributes", Precondition,
        "There are as many attributes as an organization may have.",
        "Delete one that is not used any more.";
    MERGE_UNDONE = "messaging.merge_undone", Precondition,
        "This merge was taken back before.",
        "There is nothing left to do.";
    MERGE_NOT_LATEST = "messaging.merge_not_latest", Precondition,
        "A later merge must be taken back first.",
        "Take back the later merges of this contact, newest first; GET /v1/contacts/{contact_id}/merges lists them.";
    ASSIGNEE_UNKNOWN = "messaging.assignee_unknown", Precondition,
        "The person can't be given conversations or mentioned.",
        "Choose an active member of the organization; somebody who has just joined is known within seconds.";
    TEAM_UNKNOWN = "messaging.team_unknown", Precondition,
        "The team can't be given conversations.",
        "Choose a team of the organization; one that was just made is known within seconds.";
    LABEL_UNKNOWN = "messaging.label_unknown", Precondition,
        "There is no such label.",
        "Choose among the labels that GET /v1/labels lists.";
    INBOX_NAME_TAKEN = "messaging.name_taken", AlreadyExists,
        "A label or saved reply has this name already.",
        "Choose another one; upper and lower case make no difference.";
    PERSON_WANTED = "messaging.person_wanted", Precondition,
        "Only a person can do this.",
        "Log in as a member; an API key reads no messages and has no views of its own.";
    UNAVAILABLE = "unavailable", Unavailable,
        "The service is not available at the moment.",
        "Try again in a moment; nothing was changed unless you got an answer.";
    TIMEOUT = "timeout", Timeout,
        "The service did not answer in time.",
        "Try again with the same idempotency key.";
    INTERNAL = "internal", Internal,
        "Something went wrong on our side.",
        "Try again; if it stays, tell support the request id.";
    WEBHOOK_SIGNATURE_INVALID = "webhook.signature_invalid", Unauthenticated,
        "The signature does not match the body.",
        "Sign the raw body with the secret of this address.";
    WEBHOOK_ENCODING_UNSUPPORTED = "webhook.encoding_unsupported", Invalid as UNSUPPORTED_MEDIA_TYPE,
        "Compressed webhook bodies are not accepted.",
        "Send the body without Content-Encoding.";
    WEBHOOK_CHALLENGE_INVALID = "webhook.challenge_invalid", Invalid,
        "The verification request is not acceptable.",
        "Send hub.mode, hub.verify_token and a challenge of letters, digits, dashes and underscores.";
    WEBHOOK_APP_UNKNOWN = "webhook.app_unknown", NotFound,
        "There is no such webhook address.",
        "Use the callback address shown in the settings of the app.";
    WEBHOOK_VERIFY_TOKEN_WRONG = "webhook.verify_token_wrong", Forbidden,
        "The verify token is wrong.",
        "Use the verify token from the settings of the app.";
}

/// The code with this id.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_sentences_are_finished() {
        let mut seen = HashSet::new();
        for code in ALL {
            assert!(seen.insert(code.id), "{} appears twice", code.id);
            for text in [code.title, code.help] {
                assert!(text.ends_with('.'), "{}: {text}", code.id);
                assert!(!text.contains("{}"), "{}: {text}", code.id);
            }
        }
    }
}
