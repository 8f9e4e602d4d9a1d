use samael::crypto::CryptoError;

use crate::Certificate;
use crate::response::verified_by;

/// Made once with scripts/partners/saml_signer.py; the key was thrown away.
const SIGNED: &str = include_str!("self_test/signed.xml");
const CERTIFICATE: &str = include_str!("self_test/certificate.base64");

/// The C libraries underneath do not work, so no response could be verified.
#[derive(Debug, thiserror::Error)]
#[error("xmlsec does not verify a signature that is good: is libxmlsec1-openssl installed?")]
pub struct SelfTestFailed(#[source] CryptoError);

/// Verifies a signature that is known to be good, so that a missing library stops the process when it starts and not the
/// first person who logs in. That bad ones are refused is a matter of tests: `xmlsec` writes each to standard error in a
/// form of its own.
///
/// # Errors
/// [`SelfTestFailed`] if libxml2, xmlsec1 or its OpenSSL half is missing or broken.
pub fn self_test() -> Result<(), SelfTestFailed> {
    let certificate =
        Certificate::from_base64(CERTIFICATE).expect("the file beside this one is a certificate");
    verified_by(&certificate, SIGNED).map_err(SelfTestFailed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_underneath_work() {
        assert!(self_test().is_ok());
        let certificate = Certificate::from_base64(CERTIFICATE).expect("a certificate");
        let forged = SIGNED.replace("xmlsec works", "xmlsec sleeps");
        assert!(verified_by(&certificate, &forged).is_err());
    }

    #[test]
    fn what_is_verified_is_what_was_digested() {
        let certificate = Certificate::from_base64(CERTIFICATE).expect("a certificate");
        let verified = verified_by(&certificate, SIGNED).expect("a good signature");
        assert_eq!(verified, "<SelfTest ID=\"_t\">xmlsec works</SelfTest>");
    }
}
