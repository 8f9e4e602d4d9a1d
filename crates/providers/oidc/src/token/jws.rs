//! The token's envelope: RFC 7515 compact serialization, in the one shape an ID token has.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::Object;
use crate::{Refusal, keys::Algorithm, shown::Shown};

/// The longest token that is looked at, in bytes. With 200 groups Microsoft's have about 10 KiB.
const MAX_BYTES: usize = 32 * 1024;

/// A token taken apart. Nothing in it is verified.
pub(super) struct Jws<'t> {
    pub(super) algorithm: Algorithm,
    pub(super) algorithm_name: String,
    pub(super) key_id: Option<String>,
    pub(super) claims: Object,
    /// What the signature is over.
    pub(super) signed: &'t str,
    pub(super) signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    pub(super) fn parse(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > MAX_BYTES {
            return Err(Refusal::IdTokenMalformed("it is too long"));
        }
        let not_three = Refusal::IdTokenMalformed("it has not three parts");
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(not_three);
        };
        let signed = &token[..header.len() + 1 + payload.len()];
        let header = object(header, "its header can't be read")?;
        let algorithm_name = header.text("alg").unwrap_or_default().to_owned();
        let algorithm =
            Algorithm::parse(&algorithm_name).ok_or_else(|| Refusal::AlgorithmRefused {
                found: Shown::new(&algorithm_name),
            })?;
        check_header(&header)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(id) => Some(
                id.as_str()
                    .ok_or(Refusal::IdTokenMalformed("its key id is not text"))?
                    .to_owned(),
            ),
        };
        Ok(Self {
            algorithm,
            algorithm_name,
            key_id,
            claims: object(payload, "its claims can't be read")?,
            signed,
            signature: decode(signature, "its signature can't be read")?,
        })
    }
}

fn check_header(header: &Object) -> Result<(), Refusal> {
    // An extension we must understand and don't (RFC 7515 section 4.1.11); `b64` is one.
    if header.has("crit") {
        return Err(Refusal::IdTokenMalformed("it needs an extension"));
    }
    // An access token (`at+jwt`) or a logout token is not an ID token, whoever signed it.
    match header.get("typ") {
        None => Ok(()),
        Some(kind)
            if kind
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("jwt")) =>
        {
            Ok(())
        }
        Some(_) => Err(Refusal::IdTokenMalformed("it is a token of another type")),
    }
}

fn object(part: &str, otherwise: &'static str) -> Result<Object, Refusal> {
    let bytes = decode(part, otherwise)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::IdTokenMalformed(otherwise))
}

fn decode(part: &str, otherwise: &'static str) -> Result<Vec<u8>, Refusal> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::IdTokenMalformed(otherwise))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, claims: &str) -> String {
        let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode(header), encode(claims))
    }

    fn reason(token: &str) -> Option<&'static str> {
        Jws::parse(token).err().map(|refusal| refusal.reason())
    }

    #[test]
    fn a_token_has_one_shape() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert_eq!(reason(&good), None);
        assert_eq!(reason(&token(r#"{"alg":"RS256","typ":"jwt"}"#, "{}")), None);
        let malformed = Some("id_token_malformed");
        for wrong in [
            String::new(),
            "..".to_owned(),
            good.replace('.', ""),
            format!("{good}."),
            format!("{good}.x.y"),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}\n"),
            token(r#"{"alg":"RS256""#, "{}"),
            token(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, "{}"),
            token(r#"{"alg":"RS256","typ":"at+jwt"}"#, "{}"),
            token(r#"{"alg":"RS256","typ":"logout+jwt"}"#, "{}"),
            token(r#"{"alg":"RS256","typ":7}"#, "{}"),
            token(r#"{"alg":"RS256","kid":7}"#, "{}"),
            token(r#"{"alg":"none","alg":"RS256"}"#, "{}"),
            token(r#"{"alg":"RS256"}"#, "[]"),
            token(r#"{"alg":"RS256"}"#, r#"{"sub":"a","sub":"b"}"#),
            token(r#"{"alg":"RS256"}"#, r#"{"sub":"a"}x"#),
            token(r#"{"alg":"RS256"}"#, &"[".repeat(5_000)),
            token(
                r#"{"alg":"RS256"}"#,
                &format!("{{\"a\":\"{}\"}}", "x".repeat(30_000)),
            ),
        ] {
            assert_eq!(reason(&wrong), malformed, "{wrong}");
        }
    }

    #[test]
    fn an_algorithm_outside_the_list_is_refused() {
        for header in [
            "{}",
            r#"{"alg":"none"}"#,
            r#"{"alg":"nOnE"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"RS512"}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":null}"#,
        ] {
            assert_eq!(
                reason(&token(header, "{}")),
                Some("algorithm_refused"),
                "{header}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(token in ".{0,40}(\\..{0,40}){0,4}") {
            let _parsed = Jws::parse(&token);
        }
    }
}
