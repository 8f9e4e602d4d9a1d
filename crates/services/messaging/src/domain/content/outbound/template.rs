//! Template messages.

use std::collections::BTreeMap;

use proto::messaging::v1::{Template, TemplateComponent, TemplateParameter};
use whatsapp::send::{
    self, ButtonIndex, ButtonKind, Card, Component, Language, LimitedTimeOffer, Parameter, Source,
};

use super::{Violations, some, wrong};

/// The template in WhatsApp's form.
pub(super) fn convert(wanted: &Template) -> Result<send::Template, Violations> {
    let mut components = Vec::new();
    let mut cards: BTreeMap<u32, Vec<Component>> = BTreeMap::new();
    for (at, wanted) in wanted.components.iter().enumerate() {
        let component = component(&format!("template.components[{at}]"), wanted)?;
        match wanted.card {
            Some(card) => cards.entry(card).or_default().push(component),
            None => components.push(component),
        }
    }
    if !cards.is_empty() {
        let cards = cards.into_iter().map(|(card_index, components)| Card {
            card_index,
            components,
        });
        components.push(Component::Carousel {
            cards: cards.collect(),
        });
    }
    Ok(send::Template {
        name: wanted.name.clone(),
        language: Language {
            code: wanted.language.clone(),
        },
        components,
    })
}

fn component(path: &str, wanted: &TemplateComponent) -> Result<Component, Violations> {
    let parameters = wanted
        .parameters
        .iter()
        .enumerate()
        .map(|(index, wanted)| parameter(&format!("{path}.parameters[{index}]"), wanted))
        .collect::<Result<Vec<_>, _>>()?;
    match wanted.r#type.as_str() {
        "header" => Ok(Component::Header { parameters }),
        "body" => Ok(Component::Body { parameters }),
        "button" => Ok(Component::Button {
            sub_type: button_kind(path, &wanted.sub_type)?,
            index: ButtonIndex(u8::try_from(wanted.index).unwrap_or(u8::MAX)),
            parameters,
        }),
        "limited_time_offer" => Ok(Component::LimitedTimeOffer { parameters }),
        _ => {
            let kinds = "is header, body, button or limited_time_offer";
            Err(wrong(&format!("{path}.type"), kinds))
        }
    }
}

fn button_kind(path: &str, name: &str) -> Result<ButtonKind, Violations> {
    match name {
        "quick_reply" => Ok(ButtonKind::QuickReply),
        "url" => Ok(ButtonKind::Url),
        "copy_code" => Ok(ButtonKind::CopyCode),
        "flow" => Ok(ButtonKind::Flow),
        _ => Err(wrong(
            &format!("{path}.subType"),
            "is quick_reply, url, copy_code or flow",
        )),
    }
}

fn parameter(path: &str, wanted: &TemplateParameter) -> Result<Parameter, Violations> {
    let media = || send::Media {
        source: Source::Link(wanted.link.clone()),
        caption: None,
        filename: None,
        voice: None,
    };
    Ok(match wanted.r#type.as_str() {
        "text" => Parameter::Text {
            parameter_name: some(&wanted.parameter_name),
            text: wanted.text.clone(),
        },
        "payload" => Parameter::Payload {
            payload: wanted.text.clone(),
        },
        "coupon_code" => Parameter::CouponCode {
            coupon_code: wanted.text.clone(),
        },
        "location" => match &wanted.location {
            Some(place) => Parameter::Location {
                location: super::location(place),
            },
            None => return Err(wrong(&format!("{path}.location"), "names the place")),
        },
        "expiration" => match wanted.expires_at {
            Some(at) => Parameter::LimitedTimeOffer {
                limited_time_offer: LimitedTimeOffer {
                    expiration_time_ms: at.seconds.saturating_mul(1_000),
                },
            },
            None => {
                return Err(wrong(
                    &format!("{path}.expiresAt"),
                    "says when the offer ends",
                ));
            }
        },
        "image" => Parameter::Image { image: media() },
        "video" => Parameter::Video { video: media() },
        "document" => Parameter::Document { document: media() },
        _ => {
            let kinds =
                "is text, payload, coupon_code, image, video, document, location or expiration";
            return Err(wrong(&format!("{path}.type"), kinds));
        }
    })
}
