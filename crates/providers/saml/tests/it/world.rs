//! A service provider, an identity provider with an RSA key, and the signer that holds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use saml::{Assertion, Expectation, Flow, IdpMetadata, Refusal, ServiceProvider, Transport};

use crate::documents::{ACS, ENTITY_ID, Parts, REQUEST, idp_metadata, now};
use crate::signer::{Signer, Style};

/// What is signed: the assertion, the response, both.
pub(crate) const SIGNED: [&[&str]; 3] = [&["_a"], &["_r"], &["_a", "_r"]];

pub(crate) struct World {
    pub(crate) signer: Signer,
    pub(crate) certificate: String,
    pub(crate) sp: ServiceProvider,
    pub(crate) idp: IdpMetadata,
}

impl World {
    pub(crate) fn start() -> Self {
        let mut signer = Signer::start();
        let certificate = signer.key("idp", "rsa-2048");
        Self {
            signer,
            idp: trusting(&[&certificate]),
            certificate,
            sp: ServiceProvider {
                entity_id: ENTITY_ID.to_owned(),
                acs_url: ACS.parse().expect("a URL"),
            },
        }
    }

    pub(crate) fn verify(&self, xml: &str) -> Result<Assertion, Refusal> {
        self.verify_with(xml, &requested())
    }

    pub(crate) fn verify_with(
        &self,
        xml: &str,
        expected: &Expectation<'_>,
    ) -> Result<Assertion, Refusal> {
        saml::verify(&self.sp, &self.idp, expected, &STANDARD.encode(xml))
    }

    pub(crate) fn signed(&mut self, parts: &Parts, ids: &[&str]) -> String {
        self.signed_text(&parts.xml(), ids)
    }

    pub(crate) fn signed_text(&mut self, xml: &str, ids: &[&str]) -> String {
        self.signer.sign(xml, ids, Style::RSA)
    }

    /// Whatever of it is signed, it is accepted.
    pub(crate) fn assert_accepted(&mut self, what: &str, parts: &Parts) {
        for ids in SIGNED {
            let xml = self.signed(parts, ids);
            let verdict = self.verify(&xml);
            assert!(verdict.is_ok(), "{what}, signed {ids:?}: {verdict:?}");
        }
    }

    /// Whatever of it is signed, it is refused for that reason.
    pub(crate) fn assert_refused(&mut self, reason: &str, what: &str, parts: &Parts) {
        for ids in SIGNED {
            let xml = self.signed(parts, ids);
            assert_eq!(
                self.reason(&xml),
                reason,
                "{what}, signed {ids:?}: {:?}",
                self.verify(&xml)
            );
        }
    }

    /// Of the refusal, or `accepted`.
    pub(crate) fn reason(&self, xml: &str) -> &'static str {
        self.verify(xml)
            .map_or_else(|refusal| refusal.reason(), |_| "accepted")
    }
}

pub(crate) fn trusting(certificates: &[&str]) -> IdpMetadata {
    IdpMetadata::parse(idp_metadata(certificates).as_bytes(), Transport::Https)
        .expect("good metadata")
}

pub(crate) fn requested() -> Expectation<'static> {
    Expectation {
        flow: Flow::Requested(REQUEST),
        now: now(),
        skew: TimeDelta::minutes(3),
    }
}
