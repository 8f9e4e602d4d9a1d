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
    AUTH_API_KEY_INVALID = "auth.api_key_invalid", Unauthenticated,
        "The API key is unknown, revoked or expired.",
        "Check the key, or create a new one.";
    EMAIL_TAKEN = "identity.email_taken", AlreadyExists,
        "There is an account with this e-mail address.",
        "Log in, or reset the password.";
    API_KEY_SCOPE_UNKNOWN = "identity.api_key_scope_unknown", Invalid,
        "A scope of the key is not a permission of its role.",
        "Choose scopes among the permissions of the role.";
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
    RECIPIENT_UNKNOWN = "messaging.recipient_unknown", Precondition,
        "There is no WhatsApp address for this contact.",
        "Add a phone number to the contact.";
    REPLY_TARGET_UNKNOWN = "messaging.reply_target_unknown", Precondition,
        "The message to reply or react to has no WhatsApp id.",
        "Choose a message of this conversation that was received, or accepted by WhatsApp.";
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
        "Sign the raw body with the app secret of this address.";
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
