//! Why nobody was logged in.

use crate::{Endpoint, Trouble, shown::Shown};

/// Why a login was refused. `Display` is a sentence for the trace an administrator of the tenant
/// reads; the person at the browser is told only that it did not work. For logs and metrics there
/// is [`Refusal::reason`], which holds nothing from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The answer belongs to no login.
    #[error("The answer has no state.")]
    StateMissing,
    /// The answer belongs to another login: an old one, another browser's, or a forged one.
    #[error("The state of the answer is not the one this login began with.")]
    StateMismatch,
    /// The login began at another connection, or the connection has another issuer since.
    #[error("The login was begun with another connection or issuer.")]
    ConnectionMismatch,
    /// Took too long.
    #[error("The login was begun too long ago.")]
    LoginExpired,
    /// The provider announces RFC 9207 and the answer lacks the name.
    #[error("The answer does not name its issuer, though the provider announces that it does.")]
    IssuerParameterMissing,
    /// The answer is another provider's: a mix-up.
    #[error("The answer is from the issuer {found}, to which this login did not go.")]
    IssuerParameterMismatch {
        /// Who answered.
        found: Shown,
    },
    /// The provider says no, or the person did.
    #[error("The provider answered with the error {error}: {description}")]
    Denied {
        /// The error's code.
        error: Shown,
        /// The provider's words.
        description: Shown,
    },
    /// Neither code nor error.
    #[error("The answer has no usable code.")]
    CodeMissing,
    /// A call failed.
    #[error("The provider's {endpoint} could not be used: {trouble}.")]
    ProviderFailed {
        /// Where.
        endpoint: Endpoint,
        /// How.
        trouble: Trouble,
    },
    /// A used, foreign or expired code, or wrong client credentials.
    #[error("The provider refused the code or the client with the error {error}: {description}")]
    CodeRefused {
        /// The error's code.
        error: Shown,
        /// The provider's words.
        description: Shown,
    },
    /// OAuth without OpenID Connect.
    #[error("The token endpoint gave no ID token. Is the scope openid allowed?")]
    IdTokenMissing,
    /// Not a signed JWT with the claims every ID token has.
    #[error("The ID token is malformed: {0}.")]
    IdTokenMalformed(&'static str),
    /// `none`, a shared secret, or one the provider does not announce.
    #[error("The ID token is signed with {found}, which is not among the accepted algorithms.")]
    AlgorithmRefused {
        /// The algorithm in the token's header.
        found: Shown,
    },
    /// Signed with a key the provider does not publish.
    #[error("The ID token is signed with the key {key}, which is not in the provider's key set.")]
    KeyUnknown {
        /// The key's id in the token's header.
        key: Shown,
    },
    /// Several keys could be meant.
    #[error("The ID token names no key and the provider's key set has several that fit.")]
    KeyAmbiguous,
    /// Forged or damaged.
    #[error("The signature of the ID token is wrong.")]
    SignatureInvalid,
    /// Another provider's token.
    #[error("The ID token is from the issuer {found}.")]
    IssuerMismatch {
        /// Its issuer.
        found: Shown,
    },
    /// Entra: no directory.
    #[error("The ID token does not say which tenant it is from (claim tid).")]
    TenantMissing,
    /// Entra: a directory that is not admitted.
    #[error("The ID token is from the tenant {found}, which is not in the list of tenant ids.")]
    TenantRefused {
        /// The directory.
        found: Shown,
    },
    /// A token for somebody else.
    #[error("The ID token is not for this client (claim aud).")]
    AudienceMismatch,
    /// A token somebody else asked for.
    #[error("The ID token was issued to another client (claim azp).")]
    AuthorizedPartyMismatch,
    /// Too old.
    #[error("The ID token has expired. Are both clocks right?")]
    Expired,
    /// `nbf` or `iat` is ahead of our clock.
    #[error("The ID token is from the future. Are both clocks right?")]
    NotYetValid,
    /// Not bound to this login.
    #[error("The ID token has no nonce.")]
    NonceMissing,
    /// Bound to another login: a replay.
    #[error("The ID token was issued for another login (claim nonce).")]
    NonceMismatch,
    /// The two tokens do not belong together.
    #[error("The access token is not the one the ID token was issued with (claim at_hash).")]
    AccessTokenMismatch,
    /// No usable name for the person.
    #[error("The ID token does not say who it is about (claim sub).")]
    SubjectInvalid,
    /// Entra: no lasting name for the person.
    #[error("The ID token has no object id (claim oid).")]
    ObjectIdMissing,
    /// Google: an account from outside.
    #[error("The account is not of an admitted Google Workspace domain, but of {found}.")]
    HostedDomainRefused {
        /// The account's domain, if it has one.
        found: Shown,
    },
    /// Facts about somebody else.
    #[error("The userinfo endpoint answered for another person (claim sub).")]
    UserinfoMismatch,
}

impl Refusal {
    /// A stable word for logs, metrics and the trace.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::StateMissing => "state_missing",
            Self::StateMismatch => "state_mismatch",
            Self::ConnectionMismatch => "connection_mismatch",
            Self::LoginExpired => "login_expired",
            Self::IssuerParameterMissing => "issuer_parameter_missing",
            Self::IssuerParameterMismatch { .. } => "issuer_parameter_mismatch",
            Self::Denied { .. } => "denied",
            Self::CodeMissing => "code_missing",
            Self::ProviderFailed { .. } => "provider_failed",
            Self::CodeRefused { .. } => "code_refused",
            Self::IdTokenMissing => "id_token_missing",
            Self::IdTokenMalformed(_) => "id_token_malformed",
            Self::AlgorithmRefused { .. } => "algorithm_refused",
            Self::KeyUnknown { .. } => "key_unknown",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::SignatureInvalid => "signature_invalid",
            Self::IssuerMismatch { .. } => "issuer_mismatch",
            Self::TenantMissing => "tenant_missing",
            Self::TenantRefused { .. } => "tenant_refused",
            Self::AudienceMismatch => "audience_mismatch",
            Self::AuthorizedPartyMismatch => "authorized_party_mismatch",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::NonceMissing => "nonce_missing",
            Self::NonceMismatch => "nonce_mismatch",
            Self::AccessTokenMismatch => "access_token_mismatch",
            Self::SubjectInvalid => "subject_invalid",
            Self::ObjectIdMissing => "object_id_missing",
            Self::HostedDomainRefused { .. } => "hosted_domain_refused",
            Self::UserinfoMismatch => "userinfo_mismatch",
        }
    }

    /// Whether beginning anew may well succeed, with nothing changed.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::ProviderFailed { trouble, .. } => trouble.is_passing(),
            Self::LoginExpired => true,
            _ => false,
        }
    }
}
