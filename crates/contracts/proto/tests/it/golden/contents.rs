//! One example of each kind of message content, with every field set.

use proto::messaging::v1::{
    Activity, Button, ButtonReply, Buttons, ContactCard, ContactCards, CtaUrl, Edit, Interactive,
    List, ListRow, ListSection, Location, Media, MediaKind, MessageContent, Note, Order, OrderItem,
    Reaction, Revoke, System, Template, TemplateComponent, TemplateParameter, Text, Unsupported,
    interactive::Action, message_content::Kind,
};

fn content(kind: Kind) -> MessageContent {
    MessageContent { kind: Some(kind) }
}

pub(crate) fn text(body: &str) -> MessageContent {
    content(Kind::Text(Text {
        body: body.to_owned(),
        preview_url: false,
    }))
}

/// Each kind by the name of its golden file. A new kind does not compile until it has one.
pub(crate) fn all() -> Vec<(&'static str, MessageContent)> {
    let kinds = vec![
        Kind::Text(Text {
            body: "hello".into(),
            preview_url: true,
        }),
        media(),
        template(),
        interactive(Action::Buttons(Buttons {
            buttons: vec![Button {
                id: "yes".into(),
                title: "Yes".into(),
            }],
        })),
        interactive(list()),
        interactive(Action::CtaUrl(CtaUrl {
            display_text: "Open".into(),
            url: "https://example.com".into(),
        })),
        Kind::Location(Location {
            latitude: 52.5,
            longitude: 13.25,
            name: "Office".into(),
            address: "Street 1".into(),
        }),
        contacts(),
        Kind::Reaction(Reaction {
            message_id: "msg_0".into(),
            wamid: "wamid.1".into(),
            emoji: "\u{1f44d}".into(),
        }),
        Kind::ButtonReply(ButtonReply {
            id: "yes".into(),
            title: "Yes".into(),
            description: "Sure".into(),
            form: Some(structure()),
        }),
        order(),
        Kind::System(System {
            r#type: "user_changed_number".into(),
            body: "changed".into(),
        }),
        Kind::Edit(Edit {
            original_wamid: "wamid.1".into(),
            text: "better".into(),
        }),
        Kind::Revoke(Revoke {
            original_wamid: "wamid.1".into(),
        }),
        Kind::Unsupported(Unsupported {
            r#type: "hologram".into(),
            raw: Some(structure()),
        }),
        Kind::Note(Note {
            body: "ask billing".into(),
            mentioned_user_ids: vec!["usr_1".into()],
        }),
        Kind::Activity(Activity {
            kind: "status".into(),
            before: "open".into(),
            after: "snoozed".into(),
            snoozed_until: super::AT,
        }),
    ];
    let named = |kind| (name(&kind), content(kind));
    kinds.into_iter().map(named).collect()
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "text",
        Kind::Media(_) => "media",
        Kind::Template(_) => "template",
        Kind::Interactive(interactive) => match interactive.action {
            Some(Action::Buttons(_)) => "buttons",
            Some(Action::List(_)) => "list",
            Some(Action::CtaUrl(_)) => "cta_url",
            None => "interactive",
        },
        Kind::Location(_) => "location",
        Kind::Contacts(_) => "contacts",
        Kind::Reaction(_) => "reaction",
        Kind::ButtonReply(_) => "button_reply",
        Kind::Order(_) => "order",
        Kind::System(_) => "system",
        Kind::Edit(_) => "edit",
        Kind::Revoke(_) => "revoke",
        Kind::Unsupported(_) => "unsupported",
        Kind::Note(_) => "note",
        Kind::Activity(_) => "activity",
    }
}

/// One entry only: the order of a map's entries is not fixed.
fn structure() -> pbjson_types::Struct {
    let value = pbjson_types::Value {
        kind: Some(pbjson_types::value::Kind::StringValue("7".into())),
    };
    pbjson_types::Struct {
        fields: [("size".to_owned(), value)].into(),
    }
}

fn media() -> Kind {
    Kind::Media(Media {
        kind: MediaKind::Audio.into(),
        link: "https://example.com/a.ogg".into(),
        media_id: "1".into(),
        mime_type: "audio/ogg".into(),
        sha256: "ab".into(),
        caption: "listen".into(),
        filename: "a.ogg".into(),
        voice: true,
    })
}

fn template() -> Kind {
    Kind::Template(Template {
        name: "order_update".into(),
        language: "en_US".into(),
        components: vec![TemplateComponent {
            r#type: "button".into(),
            sub_type: "url".into(),
            index: 1,
            parameters: vec![TemplateParameter {
                r#type: "text".into(),
                text: "17".into(),
                parameter_name: "order".into(),
                link: "https://example.com/a.png".into(),
                ..TemplateParameter::default()
            }],
            ..TemplateComponent::default()
        }],
        ..Template::default()
    })
}

fn interactive(action: Action) -> Kind {
    Kind::Interactive(Interactive {
        action: Some(action),
        body: "body".into(),
        header: "header".into(),
        footer: "footer".into(),
    })
}

fn list() -> Action {
    Action::List(List {
        button: "Choose".into(),
        sections: vec![ListSection {
            title: "Sizes".into(),
            rows: vec![ListRow {
                id: "s".into(),
                title: "Small".into(),
                description: "Not large".into(),
            }],
        }],
    })
}

fn contacts() -> Kind {
    Kind::Contacts(ContactCards {
        cards: vec![ContactCard {
            formatted_name: "Ada Lovelace".into(),
            first_name: "Ada".into(),
            last_name: "Lovelace".into(),
            organization: "Engine".into(),
            phones: vec!["+15550100".into()],
            emails: vec!["ada@example.com".into()],
        }],
    })
}

fn order() -> Kind {
    Kind::Order(Order {
        catalog_id: "c1".into(),
        text: "please".into(),
        items: vec![OrderItem {
            product_retailer_id: "p1".into(),
            quantity: 2,
            price: "9.50".into(),
            currency: "EUR".into(),
        }],
    })
}
