//! A letter as HTML and as plain text.

use askama::Template;

/// The words of a letter. Everything in it is plain text: the template escapes.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) heading: String,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) action: Option<Action>,
    /// Why the reader gets it.
    pub(crate) footer: &'static str,
}

/// The one thing to do.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) label: &'static str,
    pub(crate) url: String,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    subject: &'a str,
    heading: &'a str,
    paragraphs: &'a [String],
    action: Option<&'a Action>,
    footer: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Text<'a> {
    heading: &'a str,
    paragraphs: &'a [String],
    action: Option<&'a Action>,
    footer: &'a str,
}

impl Words {
    /// The HTML version.
    pub(crate) fn html(&self) -> Result<String, askama::Error> {
        Html {
            subject: &self.subject,
            heading: &self.heading,
            paragraphs: &self.paragraphs,
            action: self.action.as_ref(),
            footer: self.footer,
        }
        .render()
    }

    /// The plain version.
    pub(crate) fn text(&self) -> Result<String, askama::Error> {
        Text {
            heading: &self.heading,
            paragraphs: &self.paragraphs,
            action: self.action.as_ref(),
            footer: self.footer,
        }
        .render()
    }
}
