//! One line that stands for a message in a list.

use proto::messaging::v1::{MediaKind, MessageContent, interactive::Action, message_content::Kind};

/// Characters of a preview.
const LENGTH: usize = 120;

/// The line. It may quote the customer: it is content, not for logs.
pub(crate) fn line(content: &MessageContent) -> String {
    let Some(kind) = &content.kind else {
        return String::new();
    };
    match kind {
        Kind::Text(text) => shorten(&text.body),
        Kind::Media(media) if !media.caption.is_empty() => shorten(&media.caption),
        Kind::Media(media) => media_word(media.kind(), media.voice).to_owned(),
        Kind::Template(template) if !template.text.is_empty() => shorten(&template.text),
        Kind::Template(template) => format!("[Template] {}", template.name),
        Kind::Interactive(interactive) if !interactive.body.is_empty() => {
            shorten(&interactive.body)
        }
        Kind::Interactive(interactive) => match &interactive.action {
            Some(Action::List(list)) => shorten(&list.button),
            Some(Action::CtaUrl(link)) => shorten(&link.display_text),
            Some(Action::Buttons(_)) | None => "[Buttons]".to_owned(),
        },
        Kind::Location(place) if !place.name.is_empty() => shorten(&place.name),
        Kind::Location(_) => "[Location]".to_owned(),
        Kind::Contacts(_) => "[Contact]".to_owned(),
        Kind::Reaction(reaction) if reaction.emoji.is_empty() => "[Reaction removed]".to_owned(),
        Kind::Reaction(reaction) => shorten(&reaction.emoji),
        Kind::ButtonReply(reply) => shorten(&reply.title),
        Kind::Order(_) => "[Order]".to_owned(),
        Kind::System(system) => shorten(&system.body),
        Kind::Edit(edit) => shorten(&edit.text),
        Kind::Revoke(_) => "[Deleted]".to_owned(),
        Kind::Note(note) => shorten(&note.body),
        Kind::Activity(activity) => format!("[{}]", activity.kind),
        Kind::Unsupported(unsupported) => {
            format!("[Unsupported: {}]", shorten(&unsupported.r#type))
        }
    }
}

const fn media_word(kind: MediaKind, voice: bool) -> &'static str {
    match kind {
        MediaKind::Image => "[Image]",
        MediaKind::Video => "[Video]",
        MediaKind::Audio if voice => "[Voice message]",
        MediaKind::Audio => "[Audio]",
        MediaKind::Document => "[Document]",
        MediaKind::Sticker => "[Sticker]",
        MediaKind::Unspecified => "[Media]",
    }
}

/// The first line, cut at a character.
fn shorten(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proto::messaging::v1::Text;

    use super::*;

    fn text(body: &str) -> MessageContent {
        MessageContent {
            kind: Some(Kind::Text(Text {
                body: body.to_owned(),
                preview_url: false,
            })),
        }
    }

    #[test]
    fn a_preview_is_one_short_line_cut_between_characters() {
        assert_eq!(line(&text("\n  hello \nworld")), "hello");
        let long = line(&text(&"é".repeat(500)));
        assert_eq!(long.chars().count(), LENGTH + 1);
        assert!(long.ends_with('…'));
    }
}
