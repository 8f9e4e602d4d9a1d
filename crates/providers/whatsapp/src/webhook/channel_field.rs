//! Everything about the account, its numbers and templates.

mod account;
mod template;

pub use account::{AccountAlert, AccountUpdate, Restriction, VolumeTier, WabaInfo};
pub use template::{TemplateCategory, TemplateQuality, TemplateRef, TemplateStatus};

use super::json::Object;

/// One account-level change. Texts in capitals are Meta's and open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelField {
    /// A template was approved, rejected, paused, …
    TemplateStatus(TemplateStatus),
    /// A template's quality changed.
    TemplateQuality(TemplateQuality),
    /// A template's category changed or is about to.
    TemplateCategory(TemplateCategory),
    /// Meta found a template in the wrong category; leads to limits (131064).
    TemplateMisuse {
        /// Which template.
        template: TemplateRef,
        /// Its category.
        category: Option<String>,
        /// What Meta thinks it is.
        correct_category: Option<String>,
    },
    /// A template's text or buttons changed.
    TemplateComponents(TemplateRef),
    /// A number's limit or throughput changed; the number is in the item's origin.
    NumberQuality {
        /// `ONBOARDING`, `THROUGHPUT_UPGRADE`; older: `FLAGGED`, `DOWNGRADE`, …
        event: Option<String>,
        /// `TIER_250` … `TIER_UNLIMITED`.
        current_limit: Option<String>,
        /// The limit before.
        old_limit: Option<String>,
    },
    /// The display name of a number was reviewed. Register the number again after approval.
    NumberName {
        /// `APPROVED`, `REJECTED`, …
        decision: Option<String>,
        /// The name asked for.
        requested_name: Option<String>,
        /// Why not.
        rejection_reason: Option<String>,
    },
    /// The portfolio's limits changed.
    Capability {
        /// A count or a `TIER_…`; -1 is unlimited.
        max_daily_conversations: Option<String>,
        /// Numbers per portfolio.
        max_numbers_per_business: Option<i64>,
        /// Numbers per WABA.
        max_numbers_per_waba: Option<i64>,
    },
    /// The account itself: restrictions, bans, partners, pricing tiers.
    AccountUpdate(Box<AccountUpdate>),
    /// A warning or news.
    AccountAlert(AccountAlert),
    /// The account was reviewed.
    AccountReview {
        /// `APPROVED`, `REJECTED`, `PENDING`, `DEFERRED`.
        decision: Option<String>,
    },
    /// The two-step PIN of a number. An unexpected `PIN_RESET_REQUEST` is a sign of a takeover.
    Security {
        /// `PIN_CHANGED`, `PIN_RESET_REQUEST`, …
        event: Option<String>,
        /// Who asked for it.
        requester: Option<String>,
    },
    /// The business's own username.
    Username {
        /// The username.
        username: Option<String>,
        /// `approved`, `deleted`, `reserved`.
        status: Option<String>,
    },
    /// A flow changed its state or has trouble.
    Flow {
        /// `FLOW_STATUS_CHANGE`, …
        event: Option<String>,
        /// Which flow.
        flow_id: Option<String>,
        /// The state before.
        old_status: Option<String>,
        /// The state now.
        new_status: Option<String>,
    },
    /// A payment configuration changed.
    PaymentConfiguration {
        /// Its name.
        name: Option<String>,
        /// Its state.
        status: Option<String>,
    },
    /// A partner solution changed.
    PartnerSolution {
        /// `SOLUTION_CREATED`, …
        event: Option<String>,
        /// Which solution.
        solution_id: Option<String>,
        /// Its state.
        status: Option<String>,
    },
    /// Settings of a number changed; they are in the item's JSON.
    AccountSettings,
    /// One of the four group fields; details are in the item's JSON.
    Group,
    /// Meta recognised a purchase or lead in a conversation; details are in the item's JSON.
    AutomaticEvent,
    /// A field this version does not know. The item's JSON has it.
    Unknown,
}

impl ChannelField {
    pub(crate) fn read(field: &str, value: &Object<'_>) -> Self {
        match field {
            // One of Meta's pages shows quality under this field: the content decides.
            "message_template_status_update" if !value.has("new_quality_score") => {
                Self::TemplateStatus(TemplateStatus::read(value))
            }
            "message_template_status_update" | "message_template_quality_update" => {
                Self::TemplateQuality(TemplateQuality::read(value))
            }
            "template_category_update" => Self::TemplateCategory(TemplateCategory::read(value)),
            "template_correct_category_detection" => Self::TemplateMisuse {
                template: TemplateRef::read(value),
                category: value.id("category"),
                correct_category: value.id("correct_category"),
            },
            "message_template_components_update" => {
                Self::TemplateComponents(TemplateRef::read(value))
            }
            "account_update" => Self::AccountUpdate(Box::new(AccountUpdate::read(value))),
            "account_alerts" => Self::AccountAlert(AccountAlert::read(value)),
            "account_review_update" => Self::AccountReview {
                decision: value.id("decision"),
            },
            "account_settings_update" => Self::AccountSettings,
            "automatic_events" => Self::AutomaticEvent,
            "group_lifecycle_update"
            | "group_participants_update"
            | "group_settings_update"
            | "group_status_update" => Self::Group,
            _ => Self::read_number(field, value),
        }
    }

    fn read_number(field: &str, value: &Object<'_>) -> Self {
        match field {
            "phone_number_quality_update" => Self::NumberQuality {
                event: value.id("event"),
                current_limit: value
                    .id("current_limit")
                    .or_else(|| value.id("max_daily_conversations_per_business")),
                old_limit: value.id("old_limit"),
            },
            "phone_number_name_update" => Self::NumberName {
                decision: value.id("decision"),
                requested_name: value.id("requested_verified_name"),
                rejection_reason: value.id("rejection_reason"),
            },
            "business_capability_update" => Self::Capability {
                max_daily_conversations: value
                    .id("max_daily_conversations_per_business")
                    .or_else(|| value.id("max_daily_conversation_per_phone")),
                max_numbers_per_business: value.int("max_phone_numbers_per_business"),
                max_numbers_per_waba: value.int("max_phone_numbers_per_waba"),
            },
            "security" => Self::Security {
                event: value.id("event"),
                requester: value.id("requester"),
            },
            "business_username_updates" => Self::Username {
                username: value.id("username"),
                status: value.id("status"),
            },
            "flows" => Self::Flow {
                event: value.id("event"),
                flow_id: value.id("flow_id"),
                old_status: value.id("old_status"),
                new_status: value.id("new_status"),
            },
            "payment_configuration_update" => Self::PaymentConfiguration {
                name: value.id("configuration_name"),
                status: value.id("status"),
            },
            "partner_solutions" => Self::PartnerSolution {
                event: value.id("event"),
                solution_id: value.id("solution_id"),
                status: value.id("solution_status"),
            },
            _ => Self::Unknown,
        }
    }

    /// A stable name for metrics and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TemplateStatus(_) => "template_status",
            Self::TemplateQuality(_) => "template_quality",
            Self::TemplateCategory(_) => "template_category",
            Self::TemplateMisuse { .. } => "template_misuse",
            Self::TemplateComponents(_) => "template_components",
            Self::NumberQuality { .. } => "number_quality",
            Self::NumberName { .. } => "number_name",
            Self::Capability { .. } => "capability",
            Self::AccountUpdate(_) => "account_update",
            Self::AccountAlert(_) => "account_alert",
            Self::AccountReview { .. } => "account_review",
            Self::Security { .. } => "security",
            Self::Username { .. } => "username",
            Self::Flow { .. } => "flow",
            Self::PaymentConfiguration { .. } => "payment_configuration",
            Self::PartnerSolution { .. } => "partner_solution",
            Self::AccountSettings => "account_settings",
            Self::Group => "group",
            Self::AutomaticEvent => "automatic_event",
            Self::Unknown => "field_unknown",
        }
    }
}
