//! Why a response was refused: a sentence for the administrator who reads the trace, and a word for machines.

use std::fmt;

use crate::document::DocumentFault;

/// A value out of a document, made harmless: short, one line, printable ASCII. For names of systems only, never for
/// what is about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    const LENGTH: usize = 100;

    pub(crate) fn new(value: &str) -> Self {
        let harmless = |character: char| {
            if character.is_ascii_alphanumeric() || ":/.-_?=#@".contains(character) {
                character
            } else {
                '*'
            }
        };
        let mut shown: String = value.chars().take(Self::LENGTH).map(harmless).collect();
        if value.chars().nth(Self::LENGTH).is_some() {
            shown.push_str("...");
        }
        Self(shown)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which element a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The message as a whole.
    Response,
    /// The statement about a person inside it.
    Assertion,
    /// `Conditions` of the assertion.
    Conditions,
    /// `SubjectConfirmationData` of the assertion.
    Confirmation,
    /// `AuthnStatement` of the assertion.
    Authentication,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Response => "response",
            Self::Assertion => "assertion",
            Self::Conditions => "assertion's Conditions",
            Self::Confirmation => "assertion's SubjectConfirmationData",
            Self::Authentication => "assertion's AuthnStatement",
        })
    }
}

/// Why nobody is logged in. One variant for each reason; the text is for the administrator of the connection, not for
/// the person who tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // --- what arrived
    #[error("the form field SAMLResponse is not base64")]
    NotBase64,
    #[error(transparent)]
    Document(#[from] DocumentFault),
    #[error("the message is not a SAML 2.0 Response")]
    NotAResponse,
    #[error("the {0} does not say Version 2.0")]
    Version(Part),
    #[error("the identity provider refused the login with status {code}; its own log says why")]
    Status { code: Shown },

    // --- its shape
    #[error("the response contains no assertion")]
    NoAssertion,
    #[error("the response contains more than one assertion")]
    SeveralAssertions,
    #[error("the assertion is not a direct child of the response")]
    MisplacedAssertion,
    #[error(
        "the response contains encrypted parts; switch assertion encryption off at the identity provider (TLS already protects it)"
    )]
    Encrypted,
    #[error(
        "the {inside} contains an element that does not belong there, or belongs there once: {name}"
    )]
    UnexpectedElement { inside: Part, name: Shown },
    #[error("an ID is missing, malformed, used twice, or at an element that has none")]
    Id,

    // --- its signatures
    #[error("neither the response nor the assertion is signed")]
    Unsigned,
    #[error("there is a signature that belongs neither to the response nor to the assertion")]
    MisplacedSignature,
    #[error("the {part}'s signature is not of the SAML profile: {what}")]
    SignatureForm { part: Part, what: &'static str },
    #[error(
        "the {part}'s signature uses {algorithm}; choose RSA or ECDSA with SHA-256 at the identity provider"
    )]
    SignatureAlgorithm { part: Part, algorithm: Shown },
    #[error(
        "the {part}'s signature uses the digest {algorithm}; choose SHA-256 at the identity provider"
    )]
    DigestAlgorithm { part: Part, algorithm: Shown },
    #[error(
        "the {part}'s signature uses the transform {algorithm}; only enveloped-signature and exclusive canonicalisation are allowed"
    )]
    Transform { part: Part, algorithm: Shown },
    #[error("the {part}'s signature does not refer to the {part} it is in")]
    Reference { part: Part },
    #[error(
        "the signature does not verify with any certificate of the stored metadata; if the identity provider changed its certificate, upload its metadata again"
    )]
    InvalidSignature,

    // --- from whom, to whom
    #[error("the {part} is issued by {issuer}, but the stored metadata is of {expected}")]
    Issuer {
        part: Part,
        issuer: Shown,
        expected: Shown,
    },
    #[error("the {0} names no issuer")]
    IssuerMissing(Part),
    #[error("the response is addressed to {destination}, not to our address {expected}")]
    Destination { destination: Shown, expected: Shown },
    #[error("the signed response has no Destination")]
    DestinationMissing,
    #[error("the assertion may be delivered to {recipient}, not to our address {expected}")]
    Recipient { recipient: Shown, expected: Shown },
    #[error("the assertion does not say to which address it may be delivered (Recipient)")]
    RecipientMissing,
    #[error("the assertion is for the audience {audience}, not for our entity id {expected}")]
    Audience { audience: Shown, expected: Shown },
    #[error("the assertion does not say for which audience it is (AudienceRestriction)")]
    AudienceMissing,

    // --- to which question
    #[error("the {0} does not say which request it answers (InResponseTo)")]
    InResponseToMissing(Part),
    #[error("the {0} answers another request than the one this browser sent")]
    InResponseTo(Part),
    #[error(
        "the {0} answers a request, but came where only logins begun by the identity provider are accepted"
    )]
    NotUnsolicited(Part),

    // --- when
    #[error("a time of the {part} ({what}) is missing")]
    InstantMissing { part: Part, what: &'static str },
    #[error("a time of the {part} ({what}) is not a UTC time")]
    Instant { part: Part, what: &'static str },
    #[error(
        "the {part} was issued {seconds} s in the future; compare the clocks of the identity provider and ours"
    )]
    IssuedInFuture { part: Part, seconds: i64 },
    #[error("the {part} was issued {seconds} s ago; the login took too long, or the clocks differ")]
    TooOld { part: Part, seconds: i64 },
    #[error(
        "the {part} is valid only in {seconds} s; compare the clocks of the identity provider and ours"
    )]
    NotYetValid { part: Part, seconds: i64 },
    #[error(
        "the {part} expired {seconds} s ago; compare the clocks of the identity provider and ours"
    )]
    Expired { part: Part, seconds: i64 },
    #[error("the {part} is valid for another {hours} hours; at most 24 are accepted")]
    LastsTooLong { part: Part, hours: i64 },

    // --- about whom
    #[error("the assertion names nobody: there is no NameID, or it is not plain text")]
    NameIdMissing,
    #[error("the NameID is longer than 512 characters or contains control characters")]
    NameIdForm,
    #[error(
        "the NameID is transient: it changes at each login; choose persistent or emailAddress at the identity provider"
    )]
    TransientNameId,
    #[error("the assertion must have one SubjectConfirmation with the method bearer and its data")]
    SubjectConfirmation,
    #[error("the assertion has no Conditions, so it says neither for whom nor until when it is")]
    ConditionsMissing,
    #[error("the assertion has a condition we do not know: {name}")]
    UnknownCondition { name: Shown },
    #[error("the assertion does not say when the person logged in (AuthnStatement)")]
    AuthenticationMissing,
    #[error("an attribute has no name")]
    AttributeName,
}

impl Refusal {
    /// A stable word for logs and traces.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotBase64 => "not_base64",
            Self::Document(fault) => fault.reason(),
            Self::NotAResponse => "not_a_response",
            Self::Version(_) => "version",
            Self::Status { .. } => "status",
            Self::NoAssertion => "no_assertion",
            Self::SeveralAssertions => "several_assertions",
            Self::MisplacedAssertion => "misplaced_assertion",
            Self::Encrypted => "encrypted",
            Self::UnexpectedElement { .. } => "unexpected_element",
            Self::Id => "id",
            Self::Unsigned => "unsigned",
            Self::MisplacedSignature => "misplaced_signature",
            Self::SignatureForm { .. } => "signature_form",
            Self::SignatureAlgorithm { .. } => "signature_algorithm",
            Self::DigestAlgorithm { .. } => "digest_algorithm",
            Self::Transform { .. } => "transform",
            Self::Reference { .. } => "reference",
            Self::InvalidSignature => "invalid_signature",
            Self::Issuer { .. } => "issuer",
            Self::IssuerMissing(_) => "issuer_missing",
            Self::Destination { .. } => "destination",
            Self::DestinationMissing => "destination_missing",
            Self::Recipient { .. } => "recipient",
            Self::RecipientMissing => "recipient_missing",
            Self::Audience { .. } => "audience",
            Self::AudienceMissing => "audience_missing",
            Self::InResponseToMissing(_) => "in_response_to_missing",
            Self::InResponseTo(_) => "in_response_to",
            Self::NotUnsolicited(_) => "not_unsolicited",
            Self::InstantMissing { .. } => "instant_missing",
            Self::Instant { .. } => "instant",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::TooOld { .. } => "too_old",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
            Self::LastsTooLong { .. } => "lasts_too_long",
            Self::NameIdMissing => "name_id_missing",
            Self::NameIdForm => "name_id_form",
            Self::TransientNameId => "transient_name_id",
            Self::SubjectConfirmation => "subject_confirmation",
            Self::ConditionsMissing => "conditions_missing",
            Self::UnknownCondition { .. } => "unknown_condition",
            Self::AuthenticationMissing => "authentication_missing",
            Self::AttributeName => "attribute_name",
        }
    }
}
