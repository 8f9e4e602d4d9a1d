//! JSON mistakes, told so that the sender can correct them: which field, what is wrong, what would
//! be right. serde says where in the bytes it stopped; the path is found from there.

mod locate;
mod sentence;

use errors::{FieldViolation, codes};

use crate::ProblemResponse;

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The path of the value at fault, `content.text.body`; empty for the text as a whole.
    pub field: String,
    /// A plain sentence.
    pub message: String,
}

impl Mistake {
    /// Reads serde's words about `body`, with or without ` at line 1 column 7` at their end.
    pub fn of(body: &[u8], error: &str) -> Self {
        let (words, position) = sentence::split_position(error);
        let field = position
            .and_then(|(line, column)| locate::offset(body, line, column))
            .map(|offset| locate::path(body, offset))
            .filter(|path| !path.is_empty())
            .or_else(|| sentence::quoted_field(words))
            .unwrap_or_default();
        Self {
            field,
            message: sentence::plain(words),
        }
    }

    /// The same mistake in a field that is known from elsewhere, such as a query parameter.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }
}

impl From<Mistake> for ProblemResponse {
    fn from(mistake: Mistake) -> Self {
        let response = Self::new(&codes::REQUEST_MALFORMED);
        if mistake.field.is_empty() {
            return response.with_detail(mistake.message);
        }
        let FieldViolation { field, message } = FieldViolation::new(mistake.field, mistake.message);
        response
            .with_detail(format!("{field}: {message}"))
            .with_field(field, message)
    }
}

#[cfg(test)]
mod tests;
