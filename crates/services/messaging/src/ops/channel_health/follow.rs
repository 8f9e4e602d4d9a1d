//! Follows what WhatsApp tells of numbers and accounts by webhook. What a webhook leaves out is asked for at once.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::NoticeId;
use whatsapp::webhook::{AccountUpdate, ChannelField};

use super::record::diagnosed;
use crate::{
    domain::health::{self, Health, Restriction, word},
    events::publish,
    jobs::check_channels,
    store::{channel_health, routes::Route},
};

/// What a webhook said of a number.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The notice that tells it.
    pub(crate) notice_id: NoticeId,
    pub(crate) route: Route,
    pub(crate) news: News,
    pub(crate) at: DateTime<Utc>,
}

/// What is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Limit(String),
    Flagged(bool),
    Throughput,
    Name {
        status: String,
        reason: String,
    },
    Review(String),
    Restricted(Vec<Restriction>),
    Ban {
        state: String,
        date: String,
    },
    PinReset(bool),
    /// Something that only asking shows.
    Other,
}

/// `None` for what says nothing of a number's health.
pub(crate) fn news(field: &ChannelField) -> Option<News> {
    Some(match field {
        ChannelField::NumberQuality {
            event,
            current_limit,
            ..
        } => match (event.as_deref(), current_limit) {
            (Some("FLAGGED"), _) => News::Flagged(true),
            (Some("UNFLAGGED"), _) => News::Flagged(false),
            (Some("THROUGHPUT_UPGRADE"), _) => News::Throughput,
            (_, Some(limit)) => News::Limit(health::limit(limit)),
            _ => News::Other,
        },
        ChannelField::Capability {
            max_daily_conversations: Some(limit),
            ..
        } => News::Limit(health::limit(limit)),
        ChannelField::NumberName {
            decision,
            rejection_reason,
            ..
        } => News::Name {
            status: word(decision.as_deref()),
            reason: rejection_reason.clone().unwrap_or_default(),
        },
        ChannelField::AccountReview { decision } => News::Review(word(decision.as_deref())),
        ChannelField::AccountUpdate(update) => of_account(update),
        ChannelField::Security { event, .. } => {
            News::PinReset(event.as_deref() == Some("PIN_RESET_REQUEST"))
        }
        ChannelField::AccountAlert(_) | ChannelField::Capability { .. } => News::Other,
        _ => return None,
    })
}

fn of_account(update: &AccountUpdate) -> News {
    match update.event.as_deref() {
        Some("ACCOUNT_RESTRICTION") => News::Restricted(
            update
                .restrictions
                .iter()
                .map(|it| Restriction {
                    kind: word(it.kind.as_deref()),
                    expires_at: it.expires_at,
                })
                .collect(),
        ),
        Some("DISABLED_UPDATE") => News::Ban {
            state: word(update.ban_state.as_deref()),
            date: update.ban_date.clone().unwrap_or_default(),
        },
        _ => News::Other,
    }
}

/// Applies it in the transaction of the webhook, and has the number looked at. Repeating it changes nothing.
pub(crate) async fn follow(
    tx: &mut SystemTx,
    mut told: Vec<Told>,
    fresh: &HashSet<NoticeId>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    // What was told before says nothing of now.
    told.retain(|told| fresh.contains(&told.notice_id));
    // One order for all who lock several.
    told.sort_by_key(|told| (told.route, told.at));
    for one in told {
        one.apply(tx, now).await?;
    }
    Ok(())
}

impl Told {
    async fn apply(self, tx: &mut SystemTx, now: DateTime<Utc>) -> Result<(), DbError> {
        let Some(mut health) = channel_health::lock(tx.conn(), self.route).await? else {
            return Ok(());
        };
        if health.told_at.is_none_or(|told| told <= self.at) {
            health.hear(self.news, self.at);
            health.told_at = Some(self.at);
            diagnosed(tx, self.route, &mut health, now, publish::WHATSAPP).await?;
            channel_health::update(tx.conn(), self.route, &health).await?;
        }
        check_channels::hurry(tx, self.route, now).await?;
        Ok(())
    }
}

impl Health {
    fn hear(&mut self, news: News, at: DateTime<Utc>) {
        match news {
            News::Limit(limit) => self.messaging_limit = limit,
            News::Flagged(true) => "flagged".clone_into(&mut self.number_status),
            News::Flagged(false) => "connected".clone_into(&mut self.number_status),
            News::Throughput => "high".clone_into(&mut self.throughput_level),
            News::Name { status, reason } => {
                self.name_status = status;
                self.name_reason = reason;
            }
            News::Review(decision) => self.account_review = decision,
            News::Restricted(restrictions) => self.restrictions = restrictions,
            News::Ban { state, .. } if state == "reinstate" => {
                self.ban_state.clear();
                self.ban_date.clear();
            }
            News::Ban { state, date } => {
                self.ban_state = state;
                self.ban_date = date;
            }
            News::PinReset(asked) => self.pin_reset_at = asked.then_some(at),
            News::Other => {}
        }
    }
}
