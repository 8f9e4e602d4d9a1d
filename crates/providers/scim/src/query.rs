//! The parameters of a list.

use crate::{Error, Filter, Projection};

/// The parameters of `GET /Users` and `GET /Groups` (RFC 7644, 3.4.2). `sortBy` and `sortOrder` are
/// ignored, as a server without sorting does.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub filter: Option<Filter>,
    /// 1 for the first.
    pub start_index: u64,
    /// How many at most; 0 if only the total is asked for.
    pub count: u32,
    pub projection: Projection,
}

impl Query {
    /// The most resources one answer has; more are not an error, the answer has only as many.
    pub const MAX_COUNT: u32 = 200;

    /// How many resources an answer has if the client does not say.
    pub const DEFAULT_COUNT: u32 = 100;

    /// Reads decoded parameters; unknown ones are ignored, of a repeated one the last counts.
    ///
    /// # Errors
    /// [`Error::Filter`], and [`Error::Value`] for a number that is none or too many names.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        parameters: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, Error> {
        let (mut filter, mut start_index, mut count) = (None, 1, None);
        let (mut attributes, mut excluded) = (None, None);
        for (key, value) in parameters {
            let value = value.as_ref().trim();
            match key.as_ref().to_ascii_lowercase().as_str() {
                "filter" if value.is_empty() => filter = None,
                "filter" => filter = Some(Filter::parse(value)?),
                "startindex" => start_index = whole_number("startIndex", value)?.max(1),
                "count" => count = Some(whole_number("count", value)?),
                "attributes" => attributes = Some(value.to_owned()),
                "excludedattributes" => excluded = Some(value.to_owned()),
                _ => {}
            }
        }
        let count = count.unwrap_or_else(|| u64::from(Self::DEFAULT_COUNT));
        Ok(Self {
            filter,
            start_index,
            count: u32::try_from(count).map_or(Self::MAX_COUNT, |count| count.min(Self::MAX_COUNT)),
            projection: Projection::new(attributes.as_deref(), excluded.as_deref())?,
        })
    }

    /// How many resources come before the page.
    pub const fn offset(&self) -> u64 {
        self.start_index.saturating_sub(1)
    }
}

/// A negative number is 0 (RFC 7644, 3.4.2.4); one beyond all lists is the largest that a database
/// can count to.
fn whole_number(parameter: &'static str, text: &str) -> Result<u64, Error> {
    const LARGEST: u64 = i64::MAX.unsigned_abs();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::Value {
            attribute: parameter,
            problem: "must be a whole number",
        });
    }
    if is_negative {
        return Ok(0);
    }
    Ok(digits.parse().unwrap_or(LARGEST).min(LARGEST))
}
