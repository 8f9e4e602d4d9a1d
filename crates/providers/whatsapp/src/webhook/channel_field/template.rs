//! Templates.

use chrono::{DateTime, Utc};

use crate::webhook::json::Object;

/// Which template. Names are per language; the id is the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRef {
    /// Meta's id; a number in webhooks, a string in the API.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its language as the API writes it, `en_US` (webhooks also write `en-US`).
    pub language: Option<String>,
}

impl TemplateRef {
    pub(crate) fn read(value: &Object<'_>) -> Self {
        Self {
            id: value.id("message_template_id"),
            name: value.id("message_template_name"),
            language: value
                .id("message_template_language")
                .map(|language| language.replace('-', "_")),
        }
    }
}

/// A template's state changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateStatus {
    /// Which template.
    pub template: TemplateRef,
    /// `APPROVED`, `REJECTED`, `PAUSED`, …: only approved ones can be sent.
    pub event: Option<String>,
    /// Its category; may differ from the one asked for.
    pub category: Option<String>,
    /// Why, unless `NONE`.
    pub reason: Option<String>,
    /// When it will be disabled, as a date for people.
    pub disable_date: Option<String>,
    /// `FIRST_PAUSE`, `SECOND_PAUSE`, `RATE_LIMITING_PAUSE`, `UNPAUSE`, `DISABLED`.
    pub title: Option<String>,
    /// A sentence to it.
    pub description: Option<String>,
    /// What to change.
    pub recommendation: Option<String>,
}

impl TemplateStatus {
    pub(crate) fn read(value: &Object<'_>) -> Self {
        let other = value.object("other_info");
        let rejection = value.object("rejection_info");
        let of =
            |object: &Option<Object<'_>>, key| object.as_ref().and_then(|object| object.id(key));
        Self {
            template: TemplateRef::read(value),
            event: value.id("event"),
            category: value.id("message_template_category"),
            reason: value
                .id("reason")
                .filter(|reason| reason != "NONE")
                .or_else(|| of(&rejection, "reason")),
            disable_date: of(&value.object("disable_info"), "disable_date"),
            title: of(&other, "title"),
            description: of(&other, "description"),
            recommendation: of(&rejection, "recommendation"),
        }
    }
}

/// A template's quality changed: `GREEN`, `YELLOW`, `RED` (leads to a pause) or `UNKNOWN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateQuality {
    /// Which template.
    pub template: TemplateRef,
    /// Before.
    pub previous: Option<String>,
    /// Now.
    pub current: Option<String>,
}

impl TemplateQuality {
    pub(crate) fn read(value: &Object<'_>) -> Self {
        Self {
            template: TemplateRef::read(value),
            previous: value.id("previous_quality_score"),
            current: value.id("new_quality_score"),
        }
    }
}

/// A template's category changed, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateCategory {
    /// Which template.
    pub template: TemplateRef,
    /// The category it leaves.
    pub from: Option<String>,
    /// The category it gets.
    pub to: Option<String>,
    /// Set if the change is only announced: when it will happen.
    pub effective_at: Option<DateTime<Utc>>,
    /// Whether the change is only announced.
    pub announced: bool,
}

impl TemplateCategory {
    pub(crate) fn read(value: &Object<'_>) -> Self {
        // In the announcement `new_category` is the present one and `correct_category` the future.
        let future = value.id("correct_category");
        let announced = future.is_some();
        let (from, to) = if announced {
            (value.id("new_category"), future)
        } else {
            (value.id("previous_category"), value.id("new_category"))
        };
        Self {
            template: TemplateRef::read(value),
            from,
            to,
            effective_at: value.time("category_update_timestamp"),
            announced,
        }
    }
}
