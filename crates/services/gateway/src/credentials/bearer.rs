//! Telling the credentials apart that `Authorization: Bearer` may carry.

use http::{HeaderMap, header};

use super::Refused;

/// What our API keys begin with; no JWT does.
const API_KEY_PREFIX: &str = "sbk_";
/// Longer ones are not ours, and need not be hashed to know it.
const LONGEST_TOKEN: usize = 8 * 1024;
const LONGEST_API_KEY: usize = 256;

/// A presented credential.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearer<'h> {
    Token(&'h str),
    ApiKey(&'h str),
}

pub(super) fn read(headers: &HeaderMap) -> Result<Bearer<'_>, Refused> {
    let Some(credential) = auth::bearer(headers) else {
        return Err(if headers.contains_key(header::AUTHORIZATION) {
            Refused::Malformed
        } else {
            Refused::Missing
        });
    };
    let (longest, bearer) = if credential.starts_with(API_KEY_PREFIX) {
        (LONGEST_API_KEY, Bearer::ApiKey(credential))
    } else {
        (LONGEST_TOKEN, Bearer::Token(credential))
    };
    if credential.len() > longest {
        return Err(Refused::Invalid);
    }
    Ok(bearer)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(value).expect("a header value");
        headers.append(header::AUTHORIZATION, value);
        headers
    }

    #[test]
    fn tokens_and_keys_are_told_apart() {
        let headers = with("Bearer abc.def.ghi");
        assert_eq!(
            read(&headers).expect("a token"),
            Bearer::Token("abc.def.ghi")
        );
        let headers = with("bearer sbk_1");
        assert_eq!(read(&headers).expect("a key"), Bearer::ApiKey("sbk_1"));
    }

    #[test]
    fn nothing_and_nonsense_are_told_apart() {
        for value in ["abc", "Basic YTpi", "Bearer ", "Bearer a b"] {
            let refused = read(&with(value)).expect_err("malformed");
            assert!(matches!(refused, Refused::Malformed), "{value}");
        }
        let nothing = HeaderMap::new();
        assert!(matches!(read(&nothing), Err(Refused::Missing)));
    }

    #[test]
    fn a_credential_of_impossible_length_is_not_looked_at() {
        for long in [
            format!("Bearer {}", "a".repeat(LONGEST_TOKEN + 1)),
            format!("Bearer sbk_{}", "a".repeat(LONGEST_API_KEY)),
        ] {
            assert!(matches!(read(&with(&long)), Err(Refused::Invalid)));
        }
    }
}
