//! What is wrong with a connection, said to its administrator.

use std::fmt;

use outbound::guard::Refused;

use crate::{
    http::{Endpoint, Trouble},
    shown::Shown,
};

/// One thing to put right, here or at the provider. `Display` is the sentence for the
/// administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupFault {
    /// Not a URL, or with a query, a fragment or credentials.
    #[error("The issuer must be a web address without a query or fragment.")]
    IssuerInvalid,
    /// Plain HTTP.
    #[error("The issuer must begin with https://.")]
    IssuerNotHttps,
    /// An address nobody outside can have.
    #[error("The issuer can't be called: {0}.")]
    IssuerRefused(Refused),
    /// Somebody else's server in Google's place.
    #[error(
        "Google's issuer is https://accounts.google.com. For another provider choose its own kind."
    )]
    IssuerNotGoogle,
    /// Somebody else's server in Microsoft's place.
    #[error(
        "This is not an issuer of Microsoft Entra ID. For another provider choose its own kind."
    )]
    IssuerNotEntra,
    /// Google by another kind's rules.
    #[error("This is Google's issuer. Choose the kind Google for it.")]
    IsGoogle,
    /// Entra by another kind's rules.
    #[error("This is an issuer of Microsoft Entra ID. Choose the kind Entra for it.")]
    IsEntra,
    /// Everybody's directory would be let in.
    #[error("Name the tenant ids (Directory ids) whose people may sign in.")]
    TenantsMissing,
    /// Everybody would be let in.
    #[error("Personal Microsoft accounts can't be admitted: they belong to no organization.")]
    PersonalAccounts,
    /// Nobody could sign in.
    #[error("The issuer names a tenant that is not in the list of tenant ids.")]
    TenantNotListed,
    /// No client id.
    #[error("The client id is missing.")]
    ClientIdMissing,
    /// A call failed.
    #[error("The provider's {endpoint} could not be read: {trouble}.")]
    Unreadable {
        /// Where.
        endpoint: Endpoint,
        /// How.
        trouble: Trouble,
    },
    /// The document is another issuer's.
    #[error(
        "The discovery document is for the issuer {found}, not for the one entered here. They must be equal to the letter."
    )]
    IssuerMismatch {
        /// The issuer in the document.
        found: Shown,
    },
    /// The document leaves an endpoint out.
    #[error("The discovery document names no {0}.")]
    EndpointMissing(Endpoint),
    /// Not a URL.
    #[error("The {0} in the discovery document is not a web address.")]
    EndpointInvalid(Endpoint),
    /// Plain HTTP.
    #[error("The {0} in the discovery document must begin with https://.")]
    EndpointNotHttps(Endpoint),
    /// The network guard would stop the call.
    #[error("The {endpoint} in the discovery document can't be called: {refused}.")]
    EndpointRefused {
        /// Which.
        endpoint: Endpoint,
        /// Why.
        refused: Refused,
    },
    /// Only flows that put tokens into the browser.
    #[error("The provider does not offer the authorization code flow (response type `code`).")]
    NoCodeFlow,
    /// No PKCE, or only in its plain form.
    #[error("The provider does not offer PKCE with S256 (code_challenge_methods_supported).")]
    NoPkce,
    /// Nothing but HS256 or none, say.
    #[error("The provider signs ID tokens with none of RS256, PS256, ES256 and EdDSA.")]
    NoAlgorithm,
    /// Nothing but signed assertions or client certificates.
    #[error(
        "The provider accepts a client secret neither by client_secret_basic nor by client_secret_post."
    )]
    NoClientAuthentication,
    /// The key set is something else.
    #[error("The provider's key set is not a JSON Web Key Set.")]
    KeysInvalid,
    /// Nothing to check a signature with.
    #[error(
        "The provider's key set has no key we can use: RSA from 2048 to 4096 bits, P-256 or Ed25519."
    )]
    NoKeys,
    /// More keys than any rotation needs.
    #[error("The provider's key set has more than {0} keys.")]
    TooManyKeys(usize),
    /// A shared secret everybody can read.
    #[error("The provider publishes a symmetric key: whoever reads it can sign as the provider.")]
    SymmetricKey,
    /// A private key everybody can read.
    #[error("The provider publishes a private key: whoever reads it can sign as the provider.")]
    PrivateKey,
}

impl SetupFault {
    pub(crate) const fn call(endpoint: Endpoint, trouble: Trouble) -> Self {
        Self::Unreadable { endpoint, trouble }
    }
}

/// Everything found wrong; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<SetupFault>);

impl Faults {
    /// `Ok` if there are none.
    pub(crate) fn none_or(faults: Vec<SetupFault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }

    /// The faults, at least one.
    pub fn all(&self) -> &[SetupFault] {
        &self.0
    }

    /// Whether the provider only could not be reached, so that what is known of it still stands.
    pub fn is_passing(&self) -> bool {
        self.0.iter().all(
            |fault| matches!(fault, SetupFault::Unreadable { trouble, .. } if trouble.is_passing()),
        )
    }
}

impl From<SetupFault> for Faults {
    fn from(fault: SetupFault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
