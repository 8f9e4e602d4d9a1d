//! What account-level fields of a webhook tell of templates.

use chrono::{DateTime, Utc};
use whatsapp::webhook::{ChannelField, Item, TemplateRef};

use crate::{domain::template::state, ops::templates::follow::Told, store::routes::Route};

/// `None` for what tells of no template, or of one without an id.
pub(super) fn told(
    item: &Item,
    field: &ChannelField,
    route: Route,
    now: DateTime<Utc>,
) -> Option<Told> {
    let of = |template: &TemplateRef| {
        Some(Told {
            organization_id: route.organization_id,
            waba_id: item.origin.waba_id.clone()?,
            provider_id: template.id.clone()?,
            status: None,
            status_reason: None,
            category: None,
            quality: None,
            outdated: false,
            // A clock that is ahead must not hide what comes later.
            at: item.origin.entry_at.map_or(now, |at| at.min(now)),
        })
    };
    let word = |text: &Option<String>| text.as_deref().map(state::word);
    match field {
        // These say what happened, not that it can't be sent: the list knows.
        ChannelField::TemplateStatus(told) if is_news(told.event.as_deref()) => Some(Told {
            outdated: true,
            ..of(&told.template)?
        }),
        ChannelField::TemplateStatus(told) => Some(Told {
            status: word(&told.event),
            status_reason: reason(&[&told.reason, &told.title, &told.recommendation]),
            category: word(&told.category),
            ..of(&told.template)?
        }),
        ChannelField::TemplateQuality(told) => Some(Told {
            quality: word(&told.current),
            ..of(&told.template)?
        }),
        // An announced change is news in the notices, not yet the category.
        ChannelField::TemplateCategory(told) if !told.announced => Some(Told {
            category: word(&told.to),
            ..of(&told.template)?
        }),
        ChannelField::TemplateComponents(template) => Some(Told {
            outdated: true,
            ..of(template)?
        }),
        _ => None,
    }
}

fn is_news(event: Option<&str>) -> bool {
    matches!(event, None | Some("FLAGGED" | "LOCKED" | "LIMIT_EXCEEDED"))
}

fn reason(parts: &[&Option<String>]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(". "))
}
