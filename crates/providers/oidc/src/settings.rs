//! What an administrator enters.

use secrecy::SecretString;
use uuid::Uuid;

/// A connection to an identity provider, as its administrator sets it up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer, exactly as the provider writes it: a slash at the end makes another issuer.
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<SecretString>,
    /// Whose rules apply.
    pub kind: Kind,
    /// What to ask for beside `openid`: mostly `email` and `profile`, for Okta also `groups`.
    pub scopes: Vec<String>,
    /// The claim with the person's groups, if groups are wanted.
    pub groups_claim: Option<String>,
    /// Whether to ask the userinfo endpoint for what the ID token leaves out.
    pub userinfo: bool,
}

/// Providers differ in how they name themselves and in when an e-mail address is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// By the letter of the standard.
    Generic,
    /// Google, for consumers and for Workspace.
    Google {
        /// Workspace domains whose people may come in; empty for anybody with a Google account.
        hosted_domains: Vec<String>,
    },
    /// Microsoft Entra ID.
    Entra {
        /// Directories whose people may come in. Never empty: the shared authorities speak for
        /// every directory there is.
        tenant_ids: Vec<Uuid>,
    },
    /// Okta, by the letter of the standard. The organization's server and each custom
    /// authorization server are issuers of their own, with their own keys.
    Okta,
}

impl Settings {
    /// What most connections need: e-mail address and name, the rest from the userinfo endpoint.
    pub fn new(
        kind: Kind,
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: Option<SecretString>,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret,
            kind,
            scopes: vec!["email".to_owned(), "profile".to_owned()],
            groups_claim: None,
            userinfo: true,
        }
    }
}
