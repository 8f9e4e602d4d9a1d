//! What is registered through the control API.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A team with a key, ready to send: `POST /_sandbox/resend/setup`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetupSpec {
    /// Any name; a team of this name is replaced.
    pub team: String,
    pub api_key: SecretString,
    /// Domains that may send.
    pub domains: Vec<String>,
    /// Whose account it is: `onboarding@resend.dev` writes to nobody else.
    pub account_email: String,
    pub webhooks: Vec<EndpointSpec>,
}

impl Default for SetupSpec {
    fn default() -> Self {
        Self {
            team: "sandbox".into(),
            api_key: "re_sandbox".into(),
            domains: vec!["switchboard.example".into()],
            account_email: "owner@switchboard.example".into(),
            webhooks: Vec::new(),
        }
    }
}

/// Another key of a team: `POST /_sandbox/resend/api_keys`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    pub team: String,
    pub api_key: SecretString,
    #[serde(default)]
    pub permission: Permission,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    #[default]
    FullAccess,
    /// `POST /emails` and `/emails/batch`.
    SendingAccess,
}

/// Where events go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSpec {
    pub url: String,
    /// `whsec_…`. During a rotation two: each delivery is signed with both.
    pub signing_secrets: Vec<SecretString>,
    /// Types wanted, such as `email.bounced`; all when absent.
    #[serde(default)]
    pub events: Option<Vec<String>>,
}
