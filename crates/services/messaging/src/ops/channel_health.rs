//! How a number is doing: read, asked of WhatsApp, and told by webhook.

pub(crate) mod follow;
mod look;
mod record;

use chrono::{DateTime, TimeDelta, Utc};
use db::{Db, TenantTx};
use ids::{ChannelId, TenantScope};
use proto::messaging::v1::{
    AccountRestriction, ChannelHealth, HealthDiagnosis, HealthObstacle, HealthSeverity, TokenState,
    WebhookState,
};

pub(crate) use self::record::{Next, diagnosed};
use self::{look::look, record::record};
use crate::{
    domain::health::{self, Diagnosis, Health, Severity, Token, Webhooks},
    error::Error,
    outbound::Engine,
    store::{
        channel_health,
        channels::{self, Channel},
        routes::Route,
    },
};

/// A number that was looked at so recently is not looked at again.
const RECENT: TimeDelta = TimeDelta::seconds(10);

pub(crate) async fn get_channel_health(
    db: &Db,
    scope: &TenantScope,
    id: ChannelId,
) -> Result<ChannelHealth, Error> {
    let route = route(scope, id);
    let mut tx = TenantTx::begin(db, scope).await?;
    let channel = channels::find(tx.conn(), scope.organization_id, id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    let speed = channels::find_throughput(tx.conn(), route).await?;
    let health = channel_health::find(tx.conn(), route).await?;
    Ok(shown(&channel, speed, health, db.clock().now()))
}

pub(crate) async fn check_channel_health(
    engine: &Engine,
    scope: &TenantScope,
    id: ChannelId,
) -> Result<ChannelHealth, Error> {
    let route = route(scope, id);
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let health = channel_health::find(tx.conn(), route).await?;
    drop(tx);
    let now = engine.clock().now();
    if health.tried_at.is_none_or(|at| at < now - RECENT) {
        let (tx, _next) = check(engine, scope, id).await?;
        tx.commit().await?;
    }
    get_channel_health(&engine.db, scope, id).await
}

/// One look, stored in a transaction that begins after WhatsApp has answered and that the caller commits; and when to look
/// again, `None` for a number that is gone.
pub(crate) async fn check(
    engine: &Engine,
    scope: &TenantScope,
    id: ChannelId,
) -> Result<(TenantTx, Option<Next>), Error> {
    let began = engine.clock().now();
    let looked = match look(engine, scope, id).await {
        Ok(looked) => Some(looked),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let next = match looked {
        Some(looked) => record(engine, &mut tx, route(scope, id), looked, began).await?,
        None => None,
    };
    Ok((tx, next))
}

fn route(scope: &TenantScope, channel_id: ChannelId) -> Route {
    Route {
        organization_id: scope.organization_id,
        channel_id,
    }
}

fn shown(channel: &Channel, speed: i32, health: Health, now: DateTime<Utc>) -> ChannelHealth {
    let found = record::diagnoses(channel, &health, now);
    let state = health::state(&health, &found);
    let time = |at: Option<DateTime<Utc>>| at.map(Into::into);
    ChannelHealth {
        channel_id: channel.id.to_string(),
        state: state.into(),
        diagnoses: found.into_iter().map(diagnosis).collect(),
        messages_per_second: u32::try_from(speed).unwrap_or(0),
        account_restrictions: health
            .restrictions
            .into_iter()
            .filter(|it| it.expires_at.is_none_or(|at| at > now))
            .map(|it| AccountRestriction {
                kind: it.kind,
                expires_at: time(it.expires_at),
            })
            .collect(),
        obstacles: health
            .obstacles
            .into_iter()
            .map(|it| HealthObstacle {
                entity: it.entity,
                code: it.code,
                description: it.description,
                solution: it.solution,
            })
            .collect(),
        token_state: match health.token {
            Token::Unknown => TokenState::Unknown,
            Token::Valid => TokenState::Valid,
            Token::Refused => TokenState::Refused,
            Token::NoAccess => TokenState::NoAccess,
        }
        .into(),
        webhook_state: match health.webhooks {
            Webhooks::Unknown => WebhookState::Unknown,
            Webhooks::Subscribed => WebhookState::Subscribed,
            Webhooks::Missing => WebhookState::Missing,
        }
        .into(),
        quality_rating: health.quality_rating,
        messaging_limit: health.messaging_limit,
        throughput_level: health.throughput_level,
        number_status: health.number_status,
        name_status: health.name_status,
        name_rejection_reason: health.name_reason,
        code_verification_status: health.code_verification,
        account_review_status: health.account_review,
        can_send_messages: health.can_send,
        token_expires_at: time(health.token_expires_at),
        token_missing_permissions: health.token_missing,
        webhook_override_host: health.webhook_host,
        checked_at: time(health.checked_at),
        tried_at: time(health.tried_at),
        failure: health.failure,
    }
}

fn diagnosis(found: Diagnosis) -> HealthDiagnosis {
    let severity = match found.severity {
        Severity::Info => HealthSeverity::Info,
        Severity::Warning => HealthSeverity::Warning,
        Severity::Critical => HealthSeverity::Critical,
    };
    HealthDiagnosis {
        code: found.code.to_owned(),
        severity: severity.into(),
        sentence: found.sentence,
        what_to_do: found.what_to_do.to_owned(),
    }
}
