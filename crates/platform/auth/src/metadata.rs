//! Names and values of gRPC metadata and HTTP headers that say who calls.

use http::{HeaderMap, header::AUTHORIZATION};
use ids::OrganizationId;
use tonic::{Request, metadata::MetadataValue};

use crate::{Error, Origin};

/// The organization a service acts for. Ignored for everybody else: their token names their organization.
pub const ORGANIZATION_ID: &str = "sb-organization-id";
/// Makes a repeated call have one effect.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The network address of a caller of the gateway.
pub const CLIENT_ADDRESS: &str = "sb-client-address";
/// The `User-Agent` of a caller of the gateway.
pub const CLIENT_AGENT: &str = "sb-client-agent";
/// Longest user agent that is kept, in characters.
pub const CLIENT_AGENT_LENGTH: usize = 256;

/// Longest idempotency key. It is stored, and part of an index.
const IDEMPOTENCY_KEY_LENGTH: usize = 255;

/// The token of `Authorization: Bearer …` (RFC 6750); `None` without the header, with another scheme, or with several.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && plain).then_some(token)
}

/// Says which organization a service's own call is made for.
pub fn act_for<T>(request: &mut Request<T>, organization_id: OrganizationId) {
    let value = MetadataValue::try_from(organization_id.to_string()).expect("an id is plain ASCII");
    request.metadata_mut().insert(ORGANIZATION_ID, value);
}

/// The organization a service names. Nobody may name the platform itself.
pub(crate) fn organization_id(headers: &HeaderMap) -> Result<Option<OrganizationId>, Error> {
    let malformed = || Error::Metadata(ORGANIZATION_ID);
    headers
        .get(ORGANIZATION_ID)
        .map(|value| {
            let id: Option<OrganizationId> = value.to_str().ok().and_then(|text| text.parse().ok());
            id.filter(|id| *id != OrganizationId::PLATFORM)
                .ok_or_else(malformed)
        })
        .transpose()
}

/// Where a call comes from. Only the gateway and other callers inside the cluster can say it, so it is believed.
pub(crate) fn origin(headers: &HeaderMap) -> Origin {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Origin {
        address: text(CLIENT_ADDRESS).and_then(|address| address.parse().ok()),
        user_agent: text(CLIENT_AGENT)
            .unwrap_or_default()
            .chars()
            .take(CLIENT_AGENT_LENGTH)
            .collect(),
    }
}

/// The caller's idempotency key: one header of 1 to 255 visible ASCII characters, which is what services store and
/// compare. The gateway asks before it calls, the services for themselves.
///
/// # Errors
/// [`Error::Metadata`] for a key of another form, and for several.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .filter(|_| values.next().is_none())
        .filter(|key| (1..=IDEMPOTENCY_KEY_LENGTH).contains(&key.len()))
        .filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(Some)
        .ok_or(Error::Metadata(IDEMPOTENCY_KEY))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        for value in ["Bearer abc.def", "bearer abc.def", "BEARER  abc.def"] {
            assert_eq!(
                bearer(&headers("authorization", &[value])),
                Some("abc.def"),
                "{value}"
            );
        }
    }

    #[test]
    fn other_schemes_blanks_and_repeated_headers_are_no_bearer() {
        for value in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "abc"] {
            assert_eq!(
                bearer(&headers("authorization", &[value])),
                None,
                "{value:?}"
            );
        }
        assert_eq!(
            bearer(&headers("authorization", &["Bearer a", "Bearer b"])),
            None
        );
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn an_idempotency_key_that_could_not_be_stored_is_refused() {
        let key = |value: &str| {
            idempotency_key(&headers(IDEMPOTENCY_KEY, &[value])).map(|key| key.map(str::to_owned))
        };
        assert_eq!(key("order-17").unwrap().as_deref(), Some("order-17"));
        assert!(key("").is_err());
        assert!(key("a b").is_err());
        assert!(key("schlüssel").is_err());
        assert!(key(&"k".repeat(255)).is_ok());
        assert!(key(&"k".repeat(256)).is_err());
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        let twice = headers(IDEMPOTENCY_KEY, &["order-17", "order-17"]);
        assert!(idempotency_key(&twice).is_err());
    }

    #[test]
    fn an_organization_is_read_strictly() {
        let id = OrganizationId::generate();
        let read = |value: &str| organization_id(&headers(ORGANIZATION_ID, &[value]));
        assert_eq!(read(&id.to_string()).unwrap(), Some(id));
        assert!(read(&id.as_uuid().to_string()).is_err());
        assert!(read("").is_err());
        assert!(read(&OrganizationId::PLATFORM.to_string()).is_err());
        assert_eq!(organization_id(&HeaderMap::new()).unwrap(), None);
    }
}
