//! A good response, and how it can be changed before it is signed.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

pub(crate) const ENTITY_ID: &str = "https://switchboard.example/saml/con_1";
pub(crate) const ACS: &str = "https://switchboard.example/saml/con_1/acs";
pub(crate) const IDP: &str = "https://idp.example/metadata";
pub(crate) const REQUEST: &str = "_request";
pub(crate) const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a time")
}

pub(crate) fn after(seconds: i64) -> String {
    (now() + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The parts of a response. A time or address that is `None` is not written.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) response_id: &'static str,
    pub(crate) assertion_id: &'static str,
    pub(crate) version: &'static str,
    pub(crate) status: String,
    pub(crate) response_issuer: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) destination: Option<String>,
    pub(crate) recipient: Option<String>,
    pub(crate) response_answers: Option<String>,
    pub(crate) confirmation_answers: Option<String>,
    pub(crate) response_issued: Option<String>,
    pub(crate) issued: Option<String>,
    pub(crate) not_before: Option<String>,
    pub(crate) conditions_end: Option<String>,
    pub(crate) confirmation_end: Option<String>,
    pub(crate) session_end: Option<String>,
    pub(crate) authn_instant: Option<String>,
    pub(crate) method: &'static str,
    pub(crate) name_id: String,
    pub(crate) name_id_format: String,
    /// Inside `Conditions`.
    pub(crate) audience: String,
    /// Inside `AttributeStatement`.
    pub(crate) attributes: String,
    /// Behind `Status`.
    pub(crate) before_assertion: String,
    /// Last in the assertion.
    pub(crate) in_assertion: String,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            response_id: "_r",
            assertion_id: "_a",
            version: "2.0",
            status: format!("<samlp:StatusCode Value=\"{SUCCESS}\"/>"),
            response_issuer: Some(IDP.to_owned()),
            issuer: Some(IDP.to_owned()),
            destination: Some(ACS.to_owned()),
            recipient: Some(ACS.to_owned()),
            response_answers: Some(REQUEST.to_owned()),
            confirmation_answers: Some(REQUEST.to_owned()),
            response_issued: Some(after(-2)),
            issued: Some(after(-2)),
            not_before: Some(after(-300)),
            conditions_end: Some(after(300)),
            confirmation_end: Some(after(300)),
            session_end: None,
            authn_instant: Some(after(-3600)),
            method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
            name_id: "ada@corp.example".to_owned(),
            name_id_format: EMAIL_FORMAT.to_owned(),
            audience: restriction(&[ENTITY_ID]),
            attributes: [
                attribute("email", &["ada@corp.example"]),
                attribute("groups", &["staff", "admins"]),
            ]
            .concat(),
            before_assertion: String::new(),
            in_assertion: String::new(),
        }
    }
}

pub(crate) fn restriction(audiences: &[&str]) -> String {
    let audiences = audiences
        .iter()
        .map(|audience| format!("<saml:Audience>{audience}</saml:Audience>"))
        .collect::<Vec<_>>()
        .concat();
    format!("<saml:AudienceRestriction>{audiences}</saml:AudienceRestriction>")
}

pub(crate) fn attribute(name: &str, values: &[&str]) -> String {
    let values = values
        .iter()
        .map(|value| format!("<saml:AttributeValue>{value}</saml:AttributeValue>"))
        .collect::<Vec<_>>()
        .concat();
    format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
}

impl Parts {
    pub(crate) fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut parts = Self::default();
        change(&mut parts);
        parts
    }

    /// As a provider begins a login.
    pub(crate) fn unsolicited() -> Self {
        Self::with(|parts| {
            parts.response_answers = None;
            parts.confirmation_answers = None;
        })
    }

    pub(crate) fn xml(&self) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{}\" Version=\"{}\"{}{}{}>\
             {}<samlp:Status>{}</samlp:Status>{}{}</samlp:Response>",
            self.response_id,
            self.version,
            optional("IssueInstant", self.response_issued.as_ref()),
            optional("Destination", self.destination.as_ref()),
            optional("InResponseTo", self.response_answers.as_ref()),
            issuer(self.response_issuer.as_ref()),
            self.status,
            self.before_assertion,
            self.assertion(),
        )
    }

    pub(crate) fn assertion(&self) -> String {
        format!(
            "<saml:Assertion ID=\"{}\" Version=\"{}\"{}>{}{}\
             <saml:Conditions{}{}>{}</saml:Conditions>\
             <saml:AuthnStatement{}{} SessionIndex=\"_s\"><saml:AuthnContext><saml:AuthnContextClassRef>\
             urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>\
             </saml:AuthnStatement>\
             <saml:AttributeStatement>{}</saml:AttributeStatement>{}</saml:Assertion>",
            self.assertion_id,
            self.version,
            optional("IssueInstant", self.issued.as_ref()),
            issuer(self.issuer.as_ref()),
            self.subject(),
            optional("NotBefore", self.not_before.as_ref()),
            optional("NotOnOrAfter", self.conditions_end.as_ref()),
            self.audience,
            optional("AuthnInstant", self.authn_instant.as_ref()),
            optional("SessionNotOnOrAfter", self.session_end.as_ref()),
            self.attributes,
            self.in_assertion,
        )
    }

    fn subject(&self) -> String {
        format!(
            "<saml:Subject><saml:NameID Format=\"{}\">{}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"{}\"><saml:SubjectConfirmationData{}{}{}/>\
             </saml:SubjectConfirmation></saml:Subject>",
            self.name_id_format,
            self.name_id,
            self.method,
            optional("NotOnOrAfter", self.confirmation_end.as_ref()),
            optional("Recipient", self.recipient.as_ref()),
            optional("InResponseTo", self.confirmation_answers.as_ref()),
        )
    }
}

fn optional(name: &str, value: Option<&String>) -> String {
    value.map_or_else(String::new, |value| format!(" {name}=\"{value}\""))
}

fn issuer(value: Option<&String>) -> String {
    value.map_or_else(String::new, |value| {
        format!("<saml:Issuer>{value}</saml:Issuer>")
    })
}

/// Metadata of the provider with these certificates.
pub(crate) fn idp_metadata(certificates: &[&str]) -> String {
    let keys = certificates
        .iter()
        .map(|certificate| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect::<Vec<_>>().concat();
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"{IDP}\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.example/sso?tenant=7\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}
