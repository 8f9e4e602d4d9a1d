//! What we send, in WhatsApp's form.

mod template;

use errors::FieldViolation;
use proto::messaging::v1::{
    ContactCard, Interactive, Location, Media, MediaKind, MessageContent, interactive::Action,
    message_content::Kind,
};
use whatsapp::send::{
    self, CardEmail, CardName, CardOrganization, CardPhone, Content, CtaUrl, Draft, Frame, Header,
    Label, List, ListRow, ListSection, Reaction, Recipient, ReplyButton, ReplyButtons, Source,
    Text,
};

type Violations = Vec<FieldViolation>;

/// Whether WhatsApp would take the content, whoever it goes to: every wrong field with its limit.
pub(crate) fn check(content: &MessageContent) -> Result<(), Violations> {
    // The reaction's target is resolved later; any id shows whether the rest is right.
    let mut content = content.clone();
    if let Some(Kind::Reaction(reaction)) = &mut content.kind {
        if reaction.message_id.is_empty() {
            return Err(wrong("reaction.messageId", "names the message to react to"));
        }
        "wamid.target".clone_into(&mut reaction.wamid);
    }
    let anybody = Recipient::Phone("+16505551234".to_owned());
    match Draft::new(anybody, convert(&content)?).build() {
        Ok(_) => Ok(()),
        Err(violations) => Err(violations.as_slice().iter().map(ours).collect()),
    }
}

/// Their field names are `text.body`, ours `content.text.body` in JSON's spelling.
fn ours(violation: &FieldViolation) -> FieldViolation {
    FieldViolation::new(
        format!("content.{}", violation.field),
        violation.message.clone(),
    )
}

fn wrong(field: &str, message: &str) -> Violations {
    vec![FieldViolation::new(format!("content.{field}"), message)]
}

/// The content in WhatsApp's form.
pub(crate) fn convert(content: &MessageContent) -> Result<Content, Violations> {
    match content.kind.as_ref() {
        Some(Kind::Text(text)) => Ok(Content::Text {
            text: Text {
                body: text.body.clone(),
                preview_url: text.preview_url,
            },
        }),
        Some(Kind::Media(found)) => media(found),
        Some(Kind::Template(wanted)) => Ok(Content::Template {
            template: template::convert(wanted)?,
        }),
        Some(Kind::Interactive(wanted)) => Ok(Content::Interactive {
            interactive: Box::new(interactive(wanted)?),
        }),
        Some(Kind::Location(place)) => Ok(Content::Location {
            location: location(place),
        }),
        Some(Kind::Contacts(cards)) => Ok(Content::Contacts {
            contacts: cards.cards.iter().map(card).collect(),
        }),
        Some(Kind::Reaction(reaction)) => Ok(Content::Reaction {
            reaction: Reaction {
                message_id: reaction.wamid.clone(),
                emoji: reaction.emoji.clone(),
            },
        }),
        Some(
            Kind::ButtonReply(_)
            | Kind::Order(_)
            | Kind::System(_)
            | Kind::Edit(_)
            | Kind::Revoke(_)
            | Kind::Unsupported(_),
        ) => Err(wrong("kind", "only customers send this kind of message")),
        Some(Kind::Note(_) | Kind::Activity(_)) => Err(wrong(
            "kind",
            "is never sent; write a note with its own request",
        )),
        None => Err(wrong(
            "kind",
            "say what to send: text, media, template, interactive, …",
        )),
    }
}

fn media(found: &Media) -> Result<Content, Violations> {
    let source = if found.media_id.is_empty() {
        Source::Link(found.link.clone())
    } else {
        Source::Id(found.media_id.clone())
    };
    let media = send::Media {
        source,
        caption: some(&found.caption),
        filename: some(&found.filename),
        voice: found.voice.then_some(true),
    };
    Ok(match found.kind() {
        MediaKind::Image => Content::Image { image: media },
        MediaKind::Video => Content::Video { video: media },
        MediaKind::Audio => Content::Audio { audio: media },
        MediaKind::Document => Content::Document { document: media },
        MediaKind::Sticker => Content::Sticker { sticker: media },
        MediaKind::Unspecified => {
            return Err(wrong(
                "media.kind",
                "is image, video, audio, document or sticker",
            ));
        }
    })
}

fn location(place: &Location) -> send::Location {
    send::Location {
        latitude: place.latitude.to_string(),
        longitude: place.longitude.to_string(),
        name: some(&place.name),
        address: some(&place.address),
    }
}

fn card(card: &ContactCard) -> send::ContactCard {
    send::ContactCard {
        name: CardName {
            formatted_name: card.formatted_name.clone(),
            first_name: some(&card.first_name),
            last_name: some(&card.last_name),
            ..CardName::default()
        },
        phones: card
            .phones
            .iter()
            .map(|phone| CardPhone {
                phone: Some(phone.clone()),
                ..CardPhone::default()
            })
            .collect(),
        emails: card
            .emails
            .iter()
            .map(|email| CardEmail {
                email: Some(email.clone()),
                ..CardEmail::default()
            })
            .collect(),
        addresses: Vec::new(),
        urls: Vec::new(),
        org: some(&card.organization).map(|company| CardOrganization {
            company: Some(company),
            ..CardOrganization::default()
        }),
        birthday: None,
    }
}

fn interactive(wanted: &Interactive) -> Result<send::Interactive, Violations> {
    match &wanted.action {
        Some(Action::Buttons(buttons)) => {
            let buttons = buttons
                .buttons
                .iter()
                .map(|button| ReplyButton::new(&button.id, &button.title))
                .collect();
            Ok(send::Interactive::Button(frame(
                wanted,
                ReplyButtons { buttons },
            )))
        }
        Some(Action::List(list)) => {
            let sections = list
                .sections
                .iter()
                .map(|section| ListSection {
                    title: some(&section.title),
                    rows: section
                        .rows
                        .iter()
                        .map(|row| ListRow {
                            id: row.id.clone(),
                            title: row.title.clone(),
                            description: some(&row.description),
                        })
                        .collect(),
                })
                .collect();
            let list = List {
                button: list.button.clone(),
                sections,
            };
            Ok(send::Interactive::List(frame(wanted, list)))
        }
        Some(Action::CtaUrl(link)) => Ok(send::Interactive::CtaUrl(frame(
            wanted,
            CtaUrl::new(&link.display_text, &link.url),
        ))),
        None => Err(wrong("interactive", "give buttons, a list or a link")),
    }
}

fn frame<A>(wanted: &Interactive, action: A) -> Frame<A> {
    Frame {
        header: some(&wanted.header).map(|text| Header::Text { text }),
        body: Label {
            text: wanted.body.clone(),
        },
        footer: some(&wanted.footer).map(|text| Label { text }),
        action,
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
