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

    /// The sentence a caller reads; the code's title unless the variant can say more without
    /// revealing anything internal.
    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.code().title)
    }

    /// The fields at fault, for [`Kind::Invalid`](crate::Kind::Invalid).
    fn fields(&self) -> Vec<FieldViolation> {
        Vec::new()
    }

    /// How long to wait before trying again, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
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
