//! Meta's list of components as a definition. What can't be shown makes it `partial`, never an error: such a template can
//! still be sent.

use proto::messaging::v1::{
    HeaderFormat, TemplateButton, TemplateButtonKind, TemplateCard, TemplateDefinition,
    TemplateExample, TemplateHeader,
};
use serde_json::Value;

use super::places;

/// The definition. `category` is Meta's: an authentication template has a fixed text that Meta does not always show.
pub(crate) fn definition(components: &Value) -> TemplateDefinition {
    let mut read = TemplateDefinition::default();
    let Some(components) = components.as_array() else {
        read.partial = true;
        return read;
    };
    for component in components {
        match word(component, "type").as_str() {
            "HEADER" => match header(component) {
                Some(header) => read.header = Some(header),
                None => read.partial = true,
            },
            "BODY" => {
                read.body = text(component, "text");
                read.examples = examples(component, &read.body);
                read.security_recommendation =
                    component["add_security_recommendation"] == Value::Bool(true);
            }
            "FOOTER" => {
                read.footer = text(component, "text");
                read.code_expiration_minutes = component["code_expiration_minutes"]
                    .as_u64()
                    .and_then(|minutes| u32::try_from(minutes).ok())
                    .unwrap_or_default();
            }
            "BUTTONS" => read.buttons = buttons(component, &mut read.partial),
            "CAROUSEL" => {
                let cards = component["cards"].as_array().map(Vec::as_slice);
                read.cards = cards
                    .unwrap_or_default()
                    .iter()
                    .map(|one| card(one, &mut read.partial))
                    .collect();
            }
            "LIMITED_TIME_OFFER" => {
                let offer = &component["limited_time_offer"];
                read.limited_time_offer = text(offer, "text");
                read.partial |= read.limited_time_offer.is_empty();
            }
            _ => read.partial = true,
        }
    }
    read
}

fn card(card: &Value, partial: &mut bool) -> TemplateCard {
    let inside = definition(&card["components"]);
    *partial |= inside.partial || !inside.limited_time_offer.is_empty() || !inside.cards.is_empty();
    TemplateCard {
        header: inside.header,
        body: inside.body,
        buttons: inside.buttons,
        examples: inside.examples,
    }
}

fn header(component: &Value) -> Option<TemplateHeader> {
    let format = match word(component, "format").as_str() {
        "TEXT" | "" => HeaderFormat::Text,
        "IMAGE" => HeaderFormat::Image,
        "VIDEO" => HeaderFormat::Video,
        "DOCUMENT" => HeaderFormat::Document,
        "LOCATION" => HeaderFormat::Location,
        _ => return None,
    };
    let example = &component["example"];
    // Of media Meta answers an address that ends soon, not the handle: of no use to anybody.
    let example = example["header_text_named_params"][0]["example"]
        .as_str()
        .or_else(|| example["header_text"][0].as_str());
    Some(TemplateHeader {
        format: format.into(),
        text: text(component, "text"),
        example: example.unwrap_or_default().to_owned(),
    })
}

fn examples(component: &Value, body: &str) -> Vec<TemplateExample> {
    let example = &component["example"];
    if let Some(named) = example["body_text_named_params"].as_array() {
        return named
            .iter()
            .map(|one| TemplateExample {
                name: text(one, "param_name"),
                value: text(one, "example"),
            })
            .collect();
    }
    let values = example["body_text"][0].as_array().map(Vec::as_slice);
    let values = values.unwrap_or_default().iter();
    values
        .zip(places::names(body))
        .map(|(value, _)| TemplateExample {
            name: String::new(),
            value: value.as_str().unwrap_or_default().to_owned(),
        })
        .collect()
}

fn buttons(component: &Value, partial: &mut bool) -> Vec<TemplateButton> {
    let buttons = component["buttons"].as_array().map(Vec::as_slice);
    let buttons = buttons.unwrap_or_default();
    buttons.iter().map(|one| button(one, partial)).collect()
}

/// One that is not known keeps its place: others are addressed by theirs.
fn button(button: &Value, partial: &mut bool) -> TemplateButton {
    let kind = match word(button, "type").as_str() {
        "QUICK_REPLY" => TemplateButtonKind::QuickReply,
        "URL" => TemplateButtonKind::Url,
        "PHONE_NUMBER" => TemplateButtonKind::PhoneNumber,
        "COPY_CODE" => TemplateButtonKind::CopyCode,
        "OTP" => TemplateButtonKind::Otp,
        "FLOW" => TemplateButtonKind::Flow,
        _ => {
            *partial = true;
            TemplateButtonKind::Unspecified
        }
    };
    let example = &button["example"];
    let example = example.as_str().or_else(|| example[0].as_str());
    TemplateButton {
        kind: kind.into(),
        text: text(button, "text"),
        url: text(button, "url"),
        phone_number: text(button, "phone_number"),
        example: example.unwrap_or_default().to_owned(),
        flow_id: button["flow_id"]
            .as_str()
            .map(str::to_owned)
            .or_else(|| button["flow_id"].as_u64().map(|id| id.to_string()))
            .unwrap_or_default(),
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// Meta's words come in either case.
fn word(value: &Value, key: &str) -> String {
    text(value, key).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_parts_of_a_template_are_read_whatever_their_case() {
        let read = definition(&json!([
            {"type": "header", "format": "IMAGE", "example": {"header_handle": ["https://soon.gone"]}},
            {"type": "BODY", "text": "Hi {{1}}, {{2}}", "example": {"body_text": [["Ada", "10 %"]]}},
            {"type": "FOOTER", "text": "Bye"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Stop"},
                {"type": "URL", "text": "Shop", "url": "https://shop.example/{{1}}",
                 "example": ["https://shop.example/a"]},
                {"type": "FLOW", "text": "Book", "flow_id": 12},
            ]},
        ]));
        let header = read.header.expect("a header");
        assert_eq!(header.format(), HeaderFormat::Image);
        assert_eq!(header.example, "", "an address of Meta's ends soon");
        assert_eq!(read.body, "Hi {{1}}, {{2}}");
        assert_eq!(read.examples[1].value, "10 %");
        assert_eq!(read.footer, "Bye");
        assert_eq!(read.buttons[1].example, "https://shop.example/a");
        assert_eq!(read.buttons[2].flow_id, "12");
        assert!(!read.partial);
    }

    #[test]
    fn what_is_not_known_makes_it_partial_and_keeps_the_places_of_the_rest() {
        let read = definition(&json!([
            {"type": "BODY", "text": "x"},
            {"type": "SOMETHING_NEW"},
            {"type": "BUTTONS", "buttons": [{"type": "SPM"}, {"type": "URL", "url": "https://a.example"}]},
        ]));
        assert!(read.partial);
        assert_eq!(read.buttons[1].kind(), TemplateButtonKind::Url);
        assert!(definition(&Value::Null).partial);
        assert!(definition(&json!({"type": "BODY"})).partial);
    }

    #[test]
    fn a_carousel_has_cards_and_each_its_parts() {
        let card = json!({"components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "{{1}}"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "More"}]},
        ]});
        let read = definition(&json!([
            {"type": "BODY", "text": "Look"},
            {"type": "CAROUSEL", "cards": [card.clone(), card]},
        ]));
        assert_eq!(read.cards.len(), 2);
        assert_eq!(read.cards[1].buttons[0].text, "More");
        assert!(!read.partial);
    }
}
