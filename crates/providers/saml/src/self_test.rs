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

/// Verifies a signature that is known to be good and one that is known to be bad, so that a missing library stops the
/// process when it starts and not the first person who logs in.
///
/// # Errors
/// [`SelfTestFailed`] if libxml2, xmlsec1 or its OpenSSL half is missing or broken.
pub fn self_test() -> Result<(), SelfTestFailed> {
    let certificate =
        Certificate::from_base64(CERTIFICATE).expect("the file beside this one is a certificate");
    verified_by(&certificate, SIGNED).map_err(SelfTestFailed)?;
    let forged = SIGNED.replace("xmlsec works", "xmlsec sleeps");
    match verified_by(&certificate, &forged) {
        Ok(_) => Err(SelfTestFailed(CryptoError::InvalidSignature)),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_underneath_work() {
        assert!(self_test().is_ok());
    }

    #[test]
    fn what_is_verified_is_what_was_digested() {
        let certificate = Certificate::from_base64(CERTIFICATE).expect("a certificate");
        let verified = verified_by(&certificate, SIGNED).expect("a good signature");
        assert_eq!(verified, "<SelfTest ID=\"_t\">xmlsec works</SelfTest>");
    }
}
