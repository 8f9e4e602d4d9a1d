//! A definition in the form that Meta takes.

use proto::messaging::v1::{
    HeaderFormat, ParameterFormat, TemplateButton, TemplateButtonKind, TemplateDefinition,
    TemplateExample, TemplateHeader,
};
use serde_json::{Map, Value, json};

/// The components.
pub(crate) fn components(definition: &TemplateDefinition, format: ParameterFormat) -> Value {
    let named = format == ParameterFormat::Named;
    let mut components = Vec::new();
    components.extend(definition.header.as_ref().map(|one| header(one, named)));
    let mut text = body(&definition.body, &definition.examples, named);
    if definition.security_recommendation {
        text.insert("add_security_recommendation".to_owned(), Value::Bool(true));
    }
    components.push(Value::Object(text));
    if !definition.limited_time_offer.is_empty() {
        components.push(json!({
            "type": "LIMITED_TIME_OFFER",
            "limited_time_offer": { "text": definition.limited_time_offer, "has_expiration": true },
        }));
    }
    if definition.code_expiration_minutes > 0 {
        components.push(json!({
            "type": "FOOTER", "code_expiration_minutes": definition.code_expiration_minutes,
        }));
    } else if !definition.footer.is_empty() {
        components.push(json!({ "type": "FOOTER", "text": definition.footer }));
    }
    if !definition.cards.is_empty() {
        let cards = definition.cards.iter().map(|card| {
            let mut parts: Vec<Value> = Vec::new();
            parts.extend(card.header.as_ref().map(|one| header(one, named)));
            if !card.body.is_empty() {
                parts.push(Value::Object(body(&card.body, &card.examples, named)));
            }
            parts.push(buttons(&card.buttons));
            json!({ "components": parts })
        });
        components.push(json!({ "type": "CAROUSEL", "cards": cards.collect::<Vec<_>>() }));
    }
    if !definition.buttons.is_empty() {
        components.push(buttons(&definition.buttons));
    }
    Value::Array(components)
}

fn header(header: &TemplateHeader, named: bool) -> Value {
    let format = match header.format() {
        HeaderFormat::Image => "IMAGE",
        HeaderFormat::Video => "VIDEO",
        HeaderFormat::Document => "DOCUMENT",
        HeaderFormat::Location => return json!({ "type": "HEADER", "format": "LOCATION" }),
        HeaderFormat::Text | HeaderFormat::Unspecified => return heading(header, named),
    };
    json!({
        "type": "HEADER", "format": format, "example": { "header_handle": [header.example] },
    })
}

fn heading(header: &TemplateHeader, named: bool) -> Value {
    let mut text = json!({ "type": "HEADER", "format": "TEXT", "text": header.text });
    if let Some(name) = super::places::names(&header.text).first() {
        text["example"] = if named {
            json!({ "header_text_named_params": [{ "param_name": name, "example": header.example }] })
        } else {
            json!({ "header_text": [header.example] })
        };
    }
    text
}

fn body(text: &str, examples: &[TemplateExample], named: bool) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".to_owned(), json!("BODY"));
    if !text.is_empty() {
        body.insert("text".to_owned(), json!(text));
    }
    if !examples.is_empty() {
        let example = if named {
            let named = examples
                .iter()
                .map(|one| json!({ "param_name": one.name, "example": one.value }));
            json!({ "body_text_named_params": named.collect::<Vec<_>>() })
        } else {
            let values: Vec<&str> = examples.iter().map(|one| one.value.as_str()).collect();
            json!({ "body_text": [values] })
        };
        body.insert("example".to_owned(), example);
    }
    body
}

fn buttons(buttons: &[TemplateButton]) -> Value {
    let buttons: Vec<Value> = buttons.iter().map(button).collect();
    json!({ "type": "BUTTONS", "buttons": buttons })
}

fn button(button: &TemplateButton) -> Value {
    let text = &button.text;
    match button.kind() {
        TemplateButtonKind::QuickReply | TemplateButtonKind::Unspecified => {
            json!({ "type": "QUICK_REPLY", "text": text })
        }
        TemplateButtonKind::Url => {
            let mut url = json!({ "type": "URL", "text": text, "url": button.url });
            if !button.example.is_empty() {
                url["example"] = json!([button.example]);
            }
            url
        }
        TemplateButtonKind::PhoneNumber => {
            json!({ "type": "PHONE_NUMBER", "text": text, "phone_number": button.phone_number })
        }
        TemplateButtonKind::CopyCode => json!({ "type": "COPY_CODE", "example": button.example }),
        TemplateButtonKind::Otp => {
            json!({ "type": "OTP", "otp_type": "COPY_CODE", "text": text })
        }
        TemplateButtonKind::Flow => {
            json!({ "type": "FLOW", "text": text, "flow_id": button.flow_id })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::template::from_meta;

    #[test]
    fn what_is_handed_in_comes_back_as_it_was() {
        let definition = TemplateDefinition {
            header: Some(TemplateHeader {
                format: HeaderFormat::Text.into(),
                text: "Order {{1}}".to_owned(),
                example: "17".to_owned(),
            }),
            body: "Hi {{1}}, it comes {{2}} to you".to_owned(),
            examples: ["Ada", "today"]
                .map(|value| TemplateExample {
                    name: String::new(),
                    value: value.to_owned(),
                })
                .to_vec(),
            footer: "Shop".to_owned(),
            limited_time_offer: "Ends soon".to_owned(),
            buttons: vec![TemplateButton {
                kind: TemplateButtonKind::Url.into(),
                text: "Follow".to_owned(),
                url: "https://shop.example/{{1}}".to_owned(),
                example: "https://shop.example/17".to_owned(),
                ..TemplateButton::default()
            }],
            ..TemplateDefinition::default()
        };
        let meta = components(&definition, ParameterFormat::Positional);
        assert_eq!(from_meta::definition(&meta), definition);
    }
}
