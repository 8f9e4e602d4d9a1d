//! What Meta would refuse of a new template: said at once and with the field, not a day later by a reviewer.

use errors::FieldViolation;
use proto::messaging::v1::{
    HeaderFormat, ParameterFormat, TemplateButton, TemplateButtonKind, TemplateCategory,
    TemplateDefinition, TemplateExample, TemplateHeader,
};

use super::places::{self, Piece};

// Meta: template components, lengths in characters.
const BODY: usize = 1_024;
const CARD_BODY: usize = 160;
const SHORT: usize = 60;
const LABEL: usize = 25;
const OFFER: usize = 16;
const URL: usize = 2_000;
const CODE: usize = 15;
const PHONE: usize = 20;

/// Every rule that the definition breaks.
pub(crate) fn problems(
    definition: &TemplateDefinition,
    category: TemplateCategory,
    format: ParameterFormat,
) -> Vec<FieldViolation> {
    let mut rules = Rules {
        named: format == ParameterFormat::Named,
        broken: Vec::new(),
    };
    if definition.partial {
        rules.breaks("definition.partial", "has parts that can't be written here");
    }
    if category == TemplateCategory::Authentication {
        rules.authentication(definition);
        return rules.broken;
    }
    if definition.security_recommendation || definition.code_expiration_minutes > 0 {
        rules.breaks(
            "definition",
            "only authentication templates speak of a code",
        );
    }
    if let Some(header) = &definition.header {
        rules.header("definition.header", header);
    }
    if definition.body.trim().is_empty() {
        rules.breaks("definition.body", "must not be empty");
    }
    rules.text("definition.body", &definition.body, BODY);
    let examples = &definition.examples;
    rules.examples("definition.examples", &definition.body, examples);
    rules.most("definition.footer", &definition.footer, SHORT);
    if !places::names(&definition.footer).is_empty() {
        rules.breaks("definition.footer", "must have no places");
    }
    let offer = &definition.limited_time_offer;
    rules.most("definition.limitedTimeOffer", offer, OFFER);
    rules.buttons("definition.buttons", &definition.buttons);
    rules.cards(definition);
    rules.broken
}

struct Rules {
    named: bool,
    broken: Vec<FieldViolation>,
}

impl Rules {
    fn breaks(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.broken.push(FieldViolation::new(field, message));
    }

    fn most(&mut self, field: &str, text: &str, characters: usize) {
        if text.chars().count() > characters {
            self.breaks(field, format!("must have at most {characters} characters"));
        }
    }

    /// Meta writes the text; ours is only the button and what is said of the code.
    fn authentication(&mut self, definition: &TemplateDefinition) {
        let parts = [
            ("definition.header", definition.header.is_some()),
            ("definition.body", !definition.body.is_empty()),
            ("definition.footer", !definition.footer.is_empty()),
            ("definition.cards", !definition.cards.is_empty()),
        ];
        for (field, present) in parts {
            if present {
                self.breaks(
                    field,
                    "must be empty: Meta writes the text of authentication templates",
                );
            }
        }
        let one_code = matches!(definition.buttons.as_slice(),
            [button] if button.kind() == TemplateButtonKind::Otp);
        if !one_code {
            self.breaks("definition.buttons", "must be one button of kind OTP");
        }
    }

    fn header(&mut self, field: &str, header: &TemplateHeader) {
        match header.format() {
            HeaderFormat::Text | HeaderFormat::Unspecified => {
                let text = format!("{field}.text");
                if header.text.trim().is_empty() {
                    self.breaks(text.clone(), "must not be empty");
                }
                self.most(&text, &header.text, SHORT);
                let places = places::names(&header.text);
                if places.len() > 1 {
                    self.breaks(text, "must have one place at most");
                }
                if !places.is_empty() && header.example.is_empty() {
                    self.breaks(format!("{field}.example"), "must show what fills the place");
                }
            }
            HeaderFormat::Image | HeaderFormat::Video | HeaderFormat::Document => {
                if header.example.is_empty() {
                    let message = "must be the handle of an uploaded example";
                    self.breaks(format!("{field}.example"), message);
                }
            }
            HeaderFormat::Location => {}
        }
    }

    /// Places stand between words: not first, not last, not beside each other (Meta 2388299, 2388293).
    fn text(&mut self, field: &str, text: &str, characters: usize) {
        self.most(field, text, characters);
        let trimmed = text.trim();
        let pieces: Vec<Piece<'_>> = places::pieces(trimmed).collect();
        let is_place = |piece: Option<&Piece<'_>>| matches!(piece, Some(Piece::Place(_)));
        if is_place(pieces.first()) || is_place(pieces.last()) {
            self.breaks(field, "must not begin or end with a place");
        }
        let mut since_place = None;
        for piece in &pieces {
            match piece {
                Piece::Text(text) if !text.trim().is_empty() => since_place = None,
                Piece::Text(_) => {}
                Piece::Place(name) => {
                    if since_place.replace(*name).is_some() {
                        self.breaks(field, "must have words between two places");
                    }
                }
            }
        }
        for (at, name) in places::names(text).into_iter().enumerate() {
            if self.named {
                let lower =
                    |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit();
                if !name.bytes().all(lower) || name.bytes().all(|byte| byte.is_ascii_digit()) {
                    self.breaks(
                        field,
                        format!(
                            "{{{{{name}}}}} must be lower-case letters, digits and underscores"
                        ),
                    );
                }
            } else if name != (at + 1).to_string() {
                self.breaks(
                    field,
                    format!(
                        "{{{{{name}}}}} must be {{{{{}}}}}: places count from 1",
                        at + 1
                    ),
                );
            }
        }
    }

    fn examples(&mut self, field: &str, text: &str, examples: &[TemplateExample]) {
        let places = places::names(text);
        if examples.len() != places.len() {
            let message = format!("must be {}: one for each place", places.len());
            self.breaks(field, message);
            return;
        }
        for (at, example) in examples.iter().enumerate() {
            if example.value.trim().is_empty() {
                self.breaks(format!("{field}[{at}].value"), "must not be empty");
            }
            if self.named && !places.contains(&example.name.as_str()) {
                self.breaks(
                    format!("{field}[{at}].name"),
                    "must name a place of the text",
                );
            }
        }
    }

    fn buttons(&mut self, field: &str, buttons: &[TemplateButton]) {
        // Meta: at most so many of a kind.
        let limits = [
            (TemplateButtonKind::Url, 2),
            (TemplateButtonKind::PhoneNumber, 1),
            (TemplateButtonKind::CopyCode, 1),
            (TemplateButtonKind::Flow, 1),
            (TemplateButtonKind::Otp, 0),
            (TemplateButtonKind::Unspecified, 0),
        ];
        for (kind, most) in limits {
            let count = buttons.iter().filter(|one| one.kind() == kind).count();
            if count > most {
                let name = kind
                    .as_str_name()
                    .trim_start_matches("TEMPLATE_BUTTON_KIND_");
                self.breaks(field, format!("must have at most {most} of kind {name}"));
            }
        }
        let changes = buttons
            .windows(2)
            .filter(|pair| is_reply(&pair[0]) != is_reply(&pair[1]))
            .count();
        if changes > 1 {
            self.breaks(field, "must have its quick replies together");
        }
        for (at, one) in buttons.iter().enumerate() {
            self.button(&format!("{field}[{at}]"), one);
        }
    }

    fn button(&mut self, field: &str, button: &TemplateButton) {
        let kind = button.kind();
        if kind != TemplateButtonKind::CopyCode && button.text.trim().is_empty() {
            self.breaks(format!("{field}.text"), "must not be empty");
        }
        self.most(&format!("{field}.text"), &button.text, LABEL);
        match kind {
            TemplateButtonKind::Url => self.address(field, button),
            TemplateButtonKind::PhoneNumber => {
                let phone = format!("{field}.phoneNumber");
                self.most(&phone, &button.phone_number, PHONE);
                if !button.phone_number.starts_with('+') {
                    self.breaks(phone, "must be a number with country code: +16505551234");
                }
            }
            TemplateButtonKind::CopyCode => {
                let example = format!("{field}.example");
                self.most(&example, &button.example, CODE);
                if button.example.is_empty() {
                    self.breaks(example, "must be an example of the code");
                }
            }
            TemplateButtonKind::Flow if button.flow_id.is_empty() => {
                self.breaks(format!("{field}.flowId"), "must name the flow");
            }
            _ => {}
        }
    }

    fn address(&mut self, field: &str, button: &TemplateButton) {
        let url = format!("{field}.url");
        self.most(&url, &button.url, URL);
        if !button.url.starts_with("https://") && !button.url.starts_with("http://") {
            self.breaks(url.clone(), "must be an address: https://…");
        }
        let places = places::names(&button.url);
        if places.len() > 1 || (places.len() == 1 && !button.url.ends_with("}}")) {
            self.breaks(url, "must have one place at most, at its end");
        }
        if !places.is_empty() && button.example.is_empty() {
            self.breaks(
                format!("{field}.example"),
                "must be the whole address, filled in",
            );
        }
    }

    fn cards(&mut self, definition: &TemplateDefinition) {
        let cards = &definition.cards;
        let Some(first) = cards.first() else {
            return;
        };
        if cards.len() < 2 {
            self.breaks("definition.cards", "must be two to ten");
        }
        for (at, card) in cards.iter().enumerate() {
            let field = format!("definition.cards[{at}]");
            let media = card.header.as_ref().map(TemplateHeader::format);
            if !matches!(media, Some(HeaderFormat::Image | HeaderFormat::Video)) {
                self.breaks(format!("{field}.header"), "must be an image or a video");
            }
            if let Some(header) = &card.header {
                self.header(&format!("{field}.header"), header);
            }
            self.text(&format!("{field}.body"), &card.body, CARD_BODY);
            self.examples(&format!("{field}.examples"), &card.body, &card.examples);
            if !(1..=2).contains(&card.buttons.len()) {
                self.breaks(format!("{field}.buttons"), "must be one or two");
            }
            self.buttons(&format!("{field}.buttons"), &card.buttons);
            let kinds = |buttons: &[TemplateButton]| -> Vec<i32> {
                buttons.iter().map(|one| one.kind).collect()
            };
            if kinds(&card.buttons) != kinds(&first.buttons)
                || card.body.is_empty() != first.body.is_empty()
            {
                self.breaks(field, "must have the same parts as the first card");
            }
        }
    }
}

fn is_reply(button: &TemplateButton) -> bool {
    button.kind() == TemplateButtonKind::QuickReply
}

#[cfg(test)]
mod tests;
