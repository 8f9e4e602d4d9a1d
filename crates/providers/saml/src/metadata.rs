//! The identity provider, as its metadata document describes it. An administrator uploads the document once; what is
//! stored is its text, which is parsed again, with all checks, at each login.
//!
//! A signature on the document is not checked: whoever may configure the connection vouches for it.

mod certificate;
mod descriptor;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

pub use certificate::{Certificate, CertificateFault};

use crate::document::{self, Comments, DocumentFault};

/// Which addresses of an identity provider are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// The only choice outside development.
    Https,
    /// Also `http` to this machine, where a developer's identity provider runs.
    HttpOnLoopback,
}

/// Metadata that can't be used, in words for the administrator who uploaded it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error(transparent)]
    Document(#[from] DocumentFault),
    #[error("this is not SAML metadata: the document must be an EntityDescriptor")]
    NotMetadata,
    #[error("the document describes no identity provider (IDPSSODescriptor for SAML 2.0)")]
    NoIdentityProvider,
    #[error("the document describes several identity providers; upload the metadata of one")]
    SeveralIdentityProviders,
    #[error(
        "the identity provider's entityID is missing, longer than 1024 characters, or contains spaces"
    )]
    EntityId,
    #[error("there is no SingleSignOnService with the HTTP-Redirect binding")]
    NoRedirectUrl,
    #[error(
        "the address of the SingleSignOnService must be a complete https URL without user name and fragment"
    )]
    RedirectUrl,
    #[error(
        "there is no signing certificate; without one nobody could tell a real login from a forged one"
    )]
    NoCertificate,
    #[error(
        "there are more than {} signing certificates",
        descriptor::MAX_CERTIFICATES
    )]
    TooManyCertificates,
    #[error("signing certificate {number} can't be used")]
    Certificate {
        /// Counted from one, in the document's order.
        number: usize,
        #[source]
        source: CertificateFault,
    },
    #[error("the validUntil of the document is not a UTC time")]
    ValidUntil,
}

impl MetadataError {
    /// A stable word for logs and for the API.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Document(fault) => fault.reason(),
            Self::NotMetadata => "not_metadata",
            Self::NoIdentityProvider => "no_identity_provider",
            Self::SeveralIdentityProviders => "several_identity_providers",
            Self::EntityId => "entity_id",
            Self::NoRedirectUrl => "no_redirect_url",
            Self::RedirectUrl => "redirect_url",
            Self::NoCertificate => "no_certificate",
            Self::TooManyCertificates => "too_many_certificates",
            Self::Certificate { .. } => "certificate",
            Self::ValidUntil => "valid_until",
        }
    }
}

/// An identity provider with at least one certificate we trust.
#[derive(Clone, PartialEq, Eq)]
pub struct IdpMetadata {
    xml: String,
    entity_id: String,
    sso_redirect_url: Url,
    certificates: Vec<Certificate>,
    wants_signed_requests: bool,
    valid_until: Option<DateTime<Utc>>,
}

impl IdpMetadata {
    /// Reads the metadata of one identity provider.
    ///
    /// # Errors
    /// [`MetadataError`] with a sentence for the administrator.
    pub fn parse(xml: &[u8], transport: Transport) -> Result<Self, MetadataError> {
        // Entra's and AD FS's files begin with a byte order mark.
        let xml = xml.strip_prefix(b"\xef\xbb\xbf").unwrap_or(xml);
        let text = document::screen(xml, Comments::Allowed)?;
        descriptor::read(text, transport)
    }

    /// The document, to store and to [`parse`](Self::parse) again.
    pub fn xml(&self) -> &str {
        &self.xml
    }

    /// The provider's name: the issuer of its assertions.
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Where people are sent to log in.
    pub const fn sso_redirect_url(&self) -> &Url {
        &self.sso_redirect_url
    }

    /// The keys its signatures are verified with: several during a rotation. An expired certificate still verifies,
    /// because what is trusted is the key the administrator uploaded; see [`expiring`](Self::expiring).
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether the provider says that it wants signed requests. We send none; most providers that say so
    /// take unsigned ones unless that is switched on as well, so it is a hint for the administrator.
    pub const fn wants_signed_requests(&self) -> bool {
        self.wants_signed_requests
    }

    /// Until when the provider meant the document to be used, if it says so. A hint as well: a file is not refreshed.
    pub const fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.valid_until
    }

    /// Certificates that are over, or will be within that time: to warn the administrator of.
    pub fn expiring(&self, now: DateTime<Utc>, within: TimeDelta) -> Vec<&Certificate> {
        self.certificates
            .iter()
            .filter(|certificate| certificate.not_after() <= now + within)
            .collect()
    }
}

impl fmt::Debug for IdpMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdpMetadata")
            .field("entity_id", &self.entity_id)
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}
