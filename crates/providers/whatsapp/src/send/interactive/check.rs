//! The limits of messages to tap on.

use super::{FlowParameters, Frame, Header, Interactive, List, ReplyButtons};
use crate::send::{content::Parts, limits::Check};

impl Interactive {
    pub(crate) fn check(&self, check: &mut Check) {
        match self {
            Self::Button(frame) => {
                frame.check(check, 1024);
                check.field("action", |check| frame.action.check(check));
            }
            Self::List(frame) => {
                // Meta's page allows 4096, its OpenAPI file 1024; the page is newer.
                frame.check(check, 4096);
                frame.text_header_only(check);
                check.field("action", |check| frame.action.check(check));
            }
            Self::CtaUrl(frame) => {
                frame.check(check, 1024);
                check.field("action.parameters", |check| {
                    let parameters = &frame.action.parameters;
                    check.text("display_text", &parameters.display_text, 20);
                    check.web_address("url", &parameters.url);
                });
            }
            Self::LocationRequestMessage(frame) => frame.check(check, 1024),
            Self::RequestContactInfo(frame) => frame.check(check, 1024),
            Self::Flow(frame) => {
                frame.check(check, 1024);
                check.field("action.parameters", |check| {
                    frame.action.parameters.check(check);
                });
            }
        }
    }
}

impl<A> Frame<A> {
    fn check(&self, check: &mut Check, max_body: usize) {
        if let Some(header) = &self.header {
            check.field("header", |check| header.check(check));
        }
        check.text("body.text", &self.body.text, max_body);
        if let Some(footer) = &self.footer {
            check.text("footer.text", &footer.text, 60);
        }
    }

    fn text_header_only(&self, check: &mut Check) {
        let other = !matches!(self.header, None | Some(Header::Text { .. }));
        check.absent("header", other, "must be a text above a list");
    }
}

impl Header {
    fn check(&self, check: &mut Check) {
        match self {
            Self::Text { text } => check.text("text", text, 60),
            Self::Image { image } => check.field("image", |check| image.check(check, Parts::NONE)),
            Self::Video { video } => check.field("video", |check| video.check(check, Parts::NONE)),
            Self::Document { document } => {
                check.field("document", |check| document.check(check, Parts::FILENAME));
            }
        }
    }
}

impl ReplyButtons {
    fn check(&self, check: &mut Check) {
        check.count("buttons", &self.buttons, 1, 3);
        check.each("buttons", &self.buttons, |check, button| {
            check.text("reply.id", &button.reply.id, 256);
            check.text("reply.title", &button.reply.title, 20);
        });
        let ids = self.buttons.iter().map(|button| button.reply.id.as_str());
        check.distinct("buttons", "id", ids);
        let titles = self
            .buttons
            .iter()
            .map(|button| button.reply.title.as_str());
        check.distinct("buttons", "title", titles);
    }
}

impl List {
    fn check(&self, check: &mut Check) {
        check.text("button", &self.button, 20);
        check.count("sections", &self.sections, 1, 10);
        let several = self.sections.len() > 1;
        check.each("sections", &self.sections, |check, section| {
            match &section.title {
                None if several => check.field("title", |check| {
                    check.wrong("is needed when there is more than one section");
                }),
                title => check.optional("title", title.as_ref(), 24),
            }
            check.count("rows", &section.rows, 1, 10);
            check.each("rows", &section.rows, |check, row| {
                check.text("id", &row.id, 200);
                check.text("title", &row.title, 24);
                check.optional("description", row.description.as_ref(), 72);
            });
        });
        let rows = || self.sections.iter().flat_map(|section| &section.rows);
        if rows().count() > 10 {
            check.field("sections", |check| {
                check.wrong("have more than 10 rows in total");
            });
        }
        check.distinct("sections", "row id", rows().map(|row| row.id.as_str()));
    }
}

impl FlowParameters {
    fn check(&self, check: &mut Check) {
        if self.flow_id.is_some() == self.flow_name.is_some() {
            check.field("flow_id", |check| {
                check.wrong("or flow_name is needed, not both");
            });
        }
        if self.flow_message_version != "3" {
            check.field("flow_message_version", |check| check.wrong("must be 3"));
        }
        // Pages say 20 and 30: the smaller one works everywhere.
        check.text("flow_cta", &self.flow_cta, 20);
    }
}
