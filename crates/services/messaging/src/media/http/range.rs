//! Which bytes somebody wants.

use std::ops::Range;

use http::{HeaderMap, header};

/// What a `Range` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Part(Range<u64>),
    /// So many at the end.
    Last(u64),
}

impl Wanted {
    /// Anything but one range of bytes is answered with all of them, as RFC 9110 allows.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let header = headers.get(header::RANGE);
        let asked = header.and_then(|value| value.to_str().ok());
        // Ranges of an older file would be mixed with ours; the file of an address never changes, so this is rare.
        let conditional = headers.contains_key(header::IF_RANGE);
        match asked.filter(|_| !conditional).and_then(Self::parse) {
            Some(wanted) => wanted,
            None => Self::All,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
        let number = |text: &str| -> Option<u64> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        match (first, last) {
            ("", last) => number(last).filter(|count| *count > 0).map(Self::Last),
            (first, "") => Some(Self::Part(number(first)?..u64::MAX)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then(|| Self::Part(first..last.saturating_add(1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(text: &'static str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(text));
        Wanted::read(&headers)
    }

    #[test]
    fn one_range_is_read_and_anything_else_means_all() {
        assert_eq!(read("bytes=0-0"), Wanted::Part(0..1));
        assert_eq!(read("bytes=5-9"), Wanted::Part(5..10));
        assert_eq!(read("bytes=5-"), Wanted::Part(5..u64::MAX));
        assert_eq!(read("bytes=-7"), Wanted::Last(7));
        for other in [
            "bytes=9-5",
            "bytes=-",
            "bytes=-0",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "items=0-1",
            "bytes=0-99999999999999999999999",
        ] {
            assert_eq!(read(other), Wanted::All, "{other}");
        }
    }
}
