//! Small parts that several payloads share.

use super::json::Object;

kept_private!(Fault, |fault| format_args!("{:?}", fault.code));

/// An error as webhooks spell it: no `type` and no trace id, and `error_data` may be missing.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// The error code; see [`crate::codes`].
    pub code: Option<i64>,
    /// Meta's short text.
    pub title: Option<String>,
    /// Meta's text, usually the same as the title.
    pub message: Option<String>,
    /// What exactly is wrong.
    pub details: Option<String>,
    /// Link to the documentation; may be a relative path.
    pub href: Option<String>,
}

impl Fault {
    fn read(object: &Object<'_>) -> Self {
        let details = match object.object("error_data") {
            Some(data) => data.text("details"),
            // Old Graph answers have a bare string here.
            None => object.text("error_data"),
        };
        Self {
            code: object.int("code"),
            title: object.text("title"),
            message: object.text("message"),
            details,
            href: object.text("href"),
        }
    }

    pub(crate) fn list(object: &Object<'_>) -> Vec<Self> {
        object.objects("errors").iter().map(Self::read).collect()
    }
}
