//! What an error type says about itself.

use std::{borrow::Cow, error::Error, fmt::Write, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Code;

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldViolation {
    /// Path of the field in the request's JSON form, `template.components[0].type`.
    pub field: String,
    /// A plain sentence: what is wrong and what would be right.
    pub message: String,
}

impl FieldViolation {
    /// A violation of one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Implemented by every error that can reach a caller, a consumer or a job.
pub trait Classify: Error {
    /// The entry of the catalogue.
    fn code(&self) -> &'static Code;

    /// The error that this variant only carries on, such as the database's. It then answers for
    /// the three methods below.
    fn inner(&self) -> Option<&dyn Classify> {
        None
    }

    /// The sentence a caller reads; the code's title unless the variant can say more without
    /// revealing anything internal.
    fn detail(&self) -> Cow<'static, str> {
        match self.inner() {
            Some(inner) => inner.detail(),
            None => Cow::Borrowed(self.code().title),
        }
    }

    /// The fields at fault, for [`Kind::Invalid`](crate::Kind::Invalid).
    fn fields(&self) -> Vec<FieldViolation> {
        match self.inner() {
            Some(inner) => inner.fields(),
            None => Vec::new(),
        }
    }

    /// How long to wait before trying again, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        self.inner()?.retry_after()
    }
}

/// The error and its sources on one line, for the log.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String can't fail.
        let _infallible = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner;

    impl Classify for Inner {
        fn code(&self) -> &'static Code {
            &codes::RATE_LIMITED
        }
        fn detail(&self) -> Cow<'static, str> {
            "Two a second.".into()
        }
        fn fields(&self) -> Vec<FieldViolation> {
            vec![FieldViolation::new("to", "came too often")]
        }
        fn retry_after(&self) -> Option<Duration> {
            Some(Duration::from_secs(7))
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);

    impl Classify for Outer {
        fn code(&self) -> &'static Code {
            self.0.code()
        }
        fn inner(&self) -> Option<&dyn Classify> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_that_is_only_carried_on_keeps_all_it_says() {
        let outer = Outer(Inner);
        assert_eq!(outer.detail(), "Two a second.");
        assert_eq!(outer.fields(), Inner.fields());
        assert_eq!(outer.retry_after(), Some(Duration::from_secs(7)));
    }
}
