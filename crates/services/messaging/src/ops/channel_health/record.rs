//! What was seen becomes what is known.

use std::time::Duration;

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, TenantTx, outbox};
use outbound::Url;
use proto::messaging::events::v1::ChannelHealthChanged;

use super::look::{Looked, Seen};
use crate::{
    domain::health::{self, Diagnosis, Health, Obstacle, Token, Webhooks, word},
    error::Error,
    events::publish,
    ops::connect_channel::throughput,
    outbound::Engine,
    store::{
        channel_health,
        channels::{self, Channel},
        routes::Route,
    },
};

const HOURLY: Duration = Duration::from_hours(1);
/// After an answer that may be older than what a webhook told meanwhile.
const SOON: Duration = Duration::from_mins(1);
/// After a failure at first; the pauses grow with how long it lasts.
const AGAIN: Duration = Duration::from_mins(5);
/// After Meta said that the app asks too much.
const LIMITED: Duration = Duration::from_mins(15);

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next(pub(crate) Duration);

/// Everything to be said of a channel.
pub(crate) fn diagnoses(channel: &Channel, health: &Health, now: DateTime<Utc>) -> Vec<Diagnosis> {
    let blocked = (channel.state != "active").then_some(channel.state_reason.as_str());
    health::diagnose(health, blocked, now)
}

/// Stores what came of a look that `began` then; `None` for a number that is gone.
pub(crate) async fn record(
    engine: &Engine,
    tx: &mut TenantTx,
    route: Route,
    looked: Looked,
    began: DateTime<Utc>,
) -> Result<Option<Next>, Error> {
    let now = engine.clock().now();
    let Some(mut health) = channel_health::lock(tx.conn(), route).await? else {
        return Ok(None);
    };
    let mut pause = HOURLY;
    match looked {
        Looked::Seen(seen) => {
            let number = &seen.number.number;
            let name = number.verified_name.as_deref();
            channels::refresh(tx.conn(), route, name, throughput(number)).await?;
            apply(&mut health, &seen, now);
            health.succeed(now);
            if health.told_at.is_some_and(|told| told >= began) {
                pause = SOON;
            }
        }
        Looked::TokenRefused => {
            health.token = Token::Refused;
            health.succeed(now);
        }
        Looked::NoAccess => {
            health.token = Token::NoAccess;
            health.succeed(now);
        }
        Looked::Failed {
            failure,
            hint,
            at_least,
        } => {
            health.fail(failure, hint, now);
            let lasts = health.failing_since.map(|since| now - since);
            let lasts = lasts.and_then(|lasts| lasts.to_std().ok());
            let first = if failure == "rate_limited" {
                LIMITED
            } else {
                AGAIN
            };
            pause = (lasts.unwrap_or_default() / 2)
                .clamp(first, HOURLY)
                .max(at_least);
        }
    }
    diagnosed(tx, route, &mut health, now, publish::HEALTH).await?;
    channel_health::update(tx.conn(), route, &health).await?;
    Ok(Some(Next(pause)))
}

/// Tells of it when there is something else to be said than before.
pub(crate) async fn diagnosed(
    tx: &mut impl AsTx,
    route: Route,
    health: &mut Health,
    now: DateTime<Utc>,
    actor: &str,
) -> Result<(), DbError> {
    let channel = channels::find(tx.conn(), route.organization_id, route.channel_id).await?;
    let Some(channel) = channel else {
        return Ok(());
    };
    let found = diagnoses(&channel, health, now);
    let codes: Vec<String> = found.iter().map(|it| it.code.to_owned()).collect();
    if codes == health.diagnosis {
        return Ok(());
    }
    let changed = ChannelHealthChanged {
        channel_id: route.channel_id.to_string(),
        state: health::state(health, &found).into(),
        diagnoses: codes.clone(),
        changed_at: Some(now.into()),
    };
    health.diagnosis = codes;
    let actor = Some(actor.to_owned());
    let event = bus::event(&changed, Some(route.organization_id), actor, now);
    outbox::push(tx, &[event]).await?;
    Ok(())
}

fn apply(health: &mut Health, seen: &Seen, now: DateTime<Utc>) {
    let number = &seen.number.number;
    health.number_status = word(number.status.as_deref());
    health.quality_rating = word(number.quality_rating.as_deref());
    health.throughput_level = word(number.throughput_level.as_deref());
    health.code_verification = word(number.code_verification_status.as_deref());
    let name = word(number.name_status.as_deref());
    if name != health.name_status {
        // The reason came with the former decision.
        health.name_reason.clear();
        health.name_status = name;
    }
    if let Some(limit) = &seen.number.messaging_limit {
        health.messaging_limit = health::limit(limit);
    }
    health.can_send = word(seen.number.can_send.as_deref());
    health.obstacles = seen.number.obstacles.iter().map(obstacle).collect();
    if health.can_send == "available" {
        // What Meta took back without saying so; what has an end ends by itself.
        health
            .restrictions
            .retain(|it| it.expires_at.is_some_and(|at| at > now));
        health.ban_state.clear();
        health.ban_date.clear();
    }
    let host = seen.number.callback_override.as_deref();
    let host = host.and_then(|address| Url::parse(address).ok());
    let host = host.and_then(|address| address.host_str().map(str::to_owned));
    health.webhook_host = host.unwrap_or_default();
    if let Some(account) = &seen.account {
        health.account_review = word(account.review_status.as_deref());
    }
    of_token(health, seen);
}

fn of_token(health: &mut Health, seen: &Seen) {
    // It opened the number a moment ago.
    health.token = Token::Valid;
    if let Some(info) = &seen.token {
        if !info.is_valid {
            health.token = Token::Refused;
        }
        health.token_expires_at = info.expires_at;
        health.token_missing = health::missing_permissions(&info.scopes);
    }
    if let Some(apps) = &seen.apps {
        // Without knowing our app, any may be it.
        let ours = seen.token.as_ref().and_then(|info| info.app_id.as_deref());
        let mut apps = apps.iter();
        let subscribed = apps.any(|app| ours.is_none_or(|ours| app.id.as_deref() == Some(ours)));
        health.webhooks = if subscribed {
            Webhooks::Subscribed
        } else {
            Webhooks::Missing
        };
    }
}

fn obstacle(seen: &whatsapp::client::Obstacle) -> Obstacle {
    Obstacle {
        entity: word(seen.entity.as_deref()),
        code: seen.code.unwrap_or(0),
        description: seen.description.clone().unwrap_or_default(),
        solution: seen.solution.clone().unwrap_or_default(),
    }
}
