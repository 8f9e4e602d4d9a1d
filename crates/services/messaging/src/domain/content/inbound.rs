//! What a customer sent, as our [`MessageContent`]. Nothing is dropped: what has no form of ours
//! becomes [`Unsupported`] with WhatsApp's JSON.

use pbjson_types::{Struct, Value, value::Kind as Json};
use proto::messaging::v1::{
    ButtonReply, ContactCard, ContactCards, Edit, Location, Media, MediaKind, MessageContent,
    Order, OrderItem, Reaction, Revoke, System, Text, Unsupported, message_content::Kind,
};
use whatsapp::webhook::{self, Content, Interactive, Raw, SystemKind};

/// The content of an inbound message; `raw` is the message's JSON.
pub(crate) fn content(content: &Content, raw: &Raw) -> MessageContent {
    let kind = kind(content).unwrap_or_else(|| Kind::Unsupported(unsupported(content, raw)));
    MessageContent { kind: Some(kind) }
}

fn kind(content: &Content) -> Option<Kind> {
    Some(match content {
        Content::Text(body) => Kind::Text(Text {
            body: body.clone(),
            preview_url: false,
        }),
        Content::Media(found) => Kind::Media(media(found)),
        Content::Location(place) => Kind::Location(Location {
            latitude: place.latitude?,
            longitude: place.longitude?,
            name: text(place.name.as_ref()),
            address: text(place.address.as_ref()),
        }),
        Content::Contacts(cards) => Kind::Contacts(ContactCards {
            cards: cards.iter().map(card).collect(),
        }),
        Content::Button {
            payload,
            text: label,
        } => Kind::ButtonReply(ButtonReply {
            id: text(payload.as_ref()),
            title: text(label.as_ref()),
            ..ButtonReply::default()
        }),
        Content::Interactive(answer) => Kind::ButtonReply(answered(answer)?),
        Content::Order(basket) => Kind::Order(order(basket)),
        Content::Reaction(reaction) => Kind::Reaction(Reaction {
            wamid: text(reaction.message_id.as_ref()),
            emoji: text(reaction.emoji.as_ref()),
            message_id: String::new(),
        }),
        Content::System(notice) => Kind::System(System {
            r#type: system_type(&notice.kind),
            body: text(notice.body.as_ref()),
        }),
        Content::Edit(edit) => match edit.content.as_ref() {
            Content::Text(now) => Kind::Edit(Edit {
                original_wamid: text(edit.original_message_id.as_ref()),
                text: now.clone(),
            }),
            // An edited caption or a kind we can't show: the JSON says all of it.
            _ => return None,
        },
        Content::Revoke {
            original_message_id,
        } => Kind::Revoke(Revoke {
            original_wamid: text(original_message_id.as_ref()),
        }),
        Content::Unsupported { .. }
        | Content::MediaPlaceholder
        | Content::RequestWelcome
        | Content::Unknown { .. } => return None,
    })
}

fn media(found: &webhook::Media) -> Media {
    let kind = match found.kind {
        webhook::MediaKind::Image => MediaKind::Image,
        webhook::MediaKind::Video => MediaKind::Video,
        webhook::MediaKind::Audio => MediaKind::Audio,
        webhook::MediaKind::Document => MediaKind::Document,
        webhook::MediaKind::Sticker => MediaKind::Sticker,
    };
    Media {
        kind: kind.into(),
        link: String::new(),
        media_id: text(found.id.as_ref()),
        mime_type: text(found.mime_type.as_ref()),
        sha256: text(found.sha256.as_ref()),
        caption: text(found.caption.as_ref()),
        filename: text(found.filename.as_ref()),
        voice: found.voice,
    }
}

fn card(card: &webhook::SharedContact) -> ContactCard {
    let name = card.name.as_ref();
    ContactCard {
        formatted_name: text(name.and_then(|name| name.formatted.as_ref())),
        first_name: text(name.and_then(|name| name.first.as_ref())),
        last_name: text(name.and_then(|name| name.last.as_ref())),
        organization: text(card.organization.as_ref()),
        phones: card
            .phones
            .iter()
            .filter_map(|phone| phone.phone.clone().or_else(|| phone.wa_id.clone()))
            .collect(),
        emails: card.emails.clone(),
    }
}

fn answered(answer: &Interactive) -> Option<ButtonReply> {
    Some(match answer {
        Interactive::ButtonReply { id, title } => ButtonReply {
            id: text(id.as_ref()),
            title: text(title.as_ref()),
            ..ButtonReply::default()
        },
        Interactive::ListReply {
            id,
            title,
            description,
        } => ButtonReply {
            id: text(id.as_ref()),
            title: text(title.as_ref()),
            description: text(description.as_ref()),
            form: None,
        },
        Interactive::FlowReply(form) => ButtonReply {
            id: text(form.name.as_ref()),
            title: text(form.body.as_ref()),
            description: String::new(),
            form: form.response_json.as_deref().map(structure),
        },
        Interactive::CallPermissionReply { .. } | Interactive::Unknown { .. } => return None,
    })
}

fn order(basket: &webhook::Order) -> Order {
    Order {
        catalog_id: text(basket.catalog_id.as_ref()),
        text: text(basket.text.as_ref()),
        items: basket
            .items
            .iter()
            .map(|item| OrderItem {
                product_retailer_id: text(item.product_retailer_id.as_ref()),
                quantity: item
                    .quantity
                    .and_then(|count| u32::try_from(count).ok())
                    .unwrap_or(0),
                price: text(item.item_price.as_ref()),
                currency: text(item.currency.as_ref()),
            })
            .collect(),
    }
}

fn system_type(kind: &SystemKind) -> String {
    match kind {
        SystemKind::UserChangedNumber => "user_changed_number".to_owned(),
        SystemKind::UserChangedUserId => "user_changed_user_id".to_owned(),
        SystemKind::CustomerIdentityChanged => "customer_identity_changed".to_owned(),
        SystemKind::Other(name) => name.clone().unwrap_or_default(),
    }
}

fn unsupported(content: &Content, raw: &Raw) -> Unsupported {
    let told = match content {
        Content::Unsupported { kind } | Content::Unknown { kind } => kind.clone(),
        _ => None,
    };
    Unsupported {
        r#type: told.unwrap_or_else(|| content.name().to_owned()),
        raw: Some(structure(raw.get())),
    }
}

/// JSON text as a `Struct`; a text that is no object becomes the member `text`.
pub(crate) fn structure(json: &str) -> Struct {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Object(members)) => object(members),
        Ok(_) | Err(_) => Struct {
            fields: [(
                "text".to_owned(),
                Value {
                    kind: Some(Json::StringValue(storable(json.to_owned()))),
                },
            )]
            .into(),
        },
    }
}

fn object(members: serde_json::Map<String, serde_json::Value>) -> Struct {
    Struct {
        fields: members
            .into_iter()
            .map(|(key, value)| (storable(key), json_value(value)))
            .collect(),
    }
}

/// PostgreSQL's `jsonb` refuses NUL. The provider has replaced those of the webhook itself; a form's
/// answer is JSON within its JSON and may hide more.
fn storable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

fn json_value(value: serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => Json::NullValue(0),
        serde_json::Value::Bool(flag) => Json::BoolValue(flag),
        // A Struct's numbers are doubles: what would lose digits stays text.
        serde_json::Value::Number(number) => match number.as_f64() {
            Some(double) if double.abs() < 9_007_199_254_740_992.0 => Json::NumberValue(double),
            _ => Json::StringValue(number.to_string()),
        },
        serde_json::Value::String(text) => Json::StringValue(storable(text)),
        serde_json::Value::Array(values) => Json::ListValue(pbjson_types::ListValue {
            values: values.into_iter().map(json_value).collect(),
        }),
        serde_json::Value::Object(members) => Json::StructValue(object(members)),
    };
    Value { kind: Some(kind) }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_nul_can_be_stored() {
        let answers = structure(r#"{"a\u0000b": ["c\u0000", {"\u0000": "d"}], "e": "\\u0000"}"#);
        let stored = serde_json::to_string(&answers).expect("JSON");
        assert!(
            stored.contains("a\u{fffd}b") && stored.contains("c\u{fffd}"),
            "{stored}"
        );
        assert!(stored.contains("\"\u{fffd}\":\"d\""), "{stored}");
        assert!(
            !stored.replace(r"\\u0000", "").contains(r"\u0000"),
            "{stored}"
        );
    }
}
