//! The account itself.

use chrono::{DateTime, Utc};

use crate::webhook::json::Object;

/// A change of the account, by `event`. Which parts are present depends on the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUpdate {
    /// `ACCOUNT_RESTRICTION`, `DISABLED_UPDATE`, `PARTNER_REMOVED`, …
    pub event: Option<String>,
    /// The account meant, where the entry names a business portfolio instead.
    pub waba: Option<WabaInfo>,
    /// What is forbidden for how long.
    pub restrictions: Vec<Restriction>,
    /// Which rule was broken.
    pub violation: Option<String>,
    /// `SCHEDULE_FOR_DISABLE`, `DISABLE` or `REINSTATE`.
    pub ban_state: Option<String>,
    /// A date for people, `April 17, 2025`.
    pub ban_date: Option<String>,
    /// The business's country.
    pub country: Option<String>,
    /// The price tier reached.
    pub volume_tier: Option<VolumeTier>,
    /// Why a number shared with the app was disconnected.
    pub disconnection_reason: Option<String>,
    /// `USER` or `SYSTEM`.
    pub disconnection_by: Option<String>,
}

/// An account as partner events name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WabaInfo {
    /// The account.
    pub waba_id: Option<String>,
    /// Its owner's portfolio.
    pub owner_business_id: Option<String>,
    /// The app installed or removed.
    pub partner_app_id: Option<String>,
    /// The solution.
    pub solution_id: Option<String>,
}

/// Something forbidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// `RESTRICTED_BIZ_INITIATED_MESSAGING`, …
    pub kind: Option<String>,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A price tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeTier {
    /// Its bounds, `25000001:50000000`.
    pub tier: Option<String>,
    /// Of which category.
    pub category: Option<String>,
    /// Of which market.
    pub region: Option<String>,
    /// The month it holds for, `2025-11`.
    pub effective_month: Option<String>,
}

impl AccountUpdate {
    pub(crate) fn read(value: &Object<'_>) -> Self {
        let of = |outer, key| value.object(outer).and_then(|object| object.id(key));
        let restrictions = value.objects("restriction_info");
        Self {
            event: value.id("event"),
            waba: value.object("waba_info").map(|waba| WabaInfo {
                waba_id: waba.id("waba_id"),
                owner_business_id: waba.id("owner_business_id"),
                partner_app_id: waba.id("partner_app_id"),
                solution_id: waba.id("solution_id"),
            }),
            restrictions: restrictions
                .iter()
                .map(|restriction| Restriction {
                    kind: restriction.id("restriction_type"),
                    expires_at: restriction.time("expiration"),
                })
                .collect(),
            violation: of("violation_info", "violation_type"),
            ban_state: of("ban_info", "waba_ban_state"),
            ban_date: of("ban_info", "waba_ban_date"),
            country: value.id("country"),
            volume_tier: value.object("volume_tier_info").map(|tier| VolumeTier {
                tier: tier.id("tier"),
                category: tier.id("pricing_category"),
                region: tier.id("region"),
                effective_month: tier.id("effective_month"),
            }),
            disconnection_reason: of("disconnection_info", "reason"),
            disconnection_by: of("disconnection_info", "initiated_by"),
        }
    }
}

/// A warning or news about the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAlert {
    /// `BUSINESS` or `PHONE_NUMBER`.
    pub entity_type: Option<String>,
    /// Which one.
    pub entity_id: Option<String>,
    /// `CRITICAL`, `WARNING`, `INFORMATIONAL`.
    pub severity: Option<String>,
    /// `ACTIVE`, …
    pub status: Option<String>,
    /// `OBA_APPROVED`, …
    pub kind: Option<String>,
    /// Meta's text.
    pub description: Option<String>,
}

impl AccountAlert {
    pub(crate) fn read(value: &Object<'_>) -> Self {
        let info = value.object("alert_info");
        // Older payloads have these beside the entity.
        let of = |key| match &info {
            Some(info) => info.id(key),
            None => value.id(key),
        };
        Self {
            entity_type: value.id("entity_type"),
            entity_id: value.id("entity_id"),
            severity: of("alert_severity"),
            status: of("alert_status"),
            kind: of("alert_type"),
            description: of("alert_description"),
        }
    }
}
