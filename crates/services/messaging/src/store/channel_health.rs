//! `channel_health`: how numbers are doing.

use chrono::{DateTime, Utc};
use ids::{ChannelId, OrganizationId};
use sqlx::{PgConnection, types::Json};

use crate::{
    domain::health::{Health, Obstacle, Restriction, Token, Webhooks},
    store::routes::Route,
};

struct Row {
    number_status: String,
    quality_rating: String,
    messaging_limit: String,
    throughput_level: String,
    name_status: String,
    name_reason: String,
    code_verification: String,
    account_review: String,
    ban_state: String,
    ban_date: String,
    restrictions: Json<Vec<Restriction>>,
    can_send: String,
    obstacles: Json<Vec<Obstacle>>,
    token_state: String,
    token_expires_at: Option<DateTime<Utc>>,
    token_missing: Vec<String>,
    webhook_state: String,
    webhook_host: String,
    pin_reset_at: Option<DateTime<Utc>>,
    checked_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    failure: String,
    failure_hint: String,
    failing_since: Option<DateTime<Utc>>,
    told_at: Option<DateTime<Utc>>,
    diagnosis: Vec<String>,
}

impl From<Row> for Health {
    fn from(row: Row) -> Self {
        Self {
            number_status: row.number_status,
            quality_rating: row.quality_rating,
            messaging_limit: row.messaging_limit,
            throughput_level: row.throughput_level,
            name_status: row.name_status,
            name_reason: row.name_reason,
            code_verification: row.code_verification,
            account_review: row.account_review,
            ban_state: row.ban_state,
            ban_date: row.ban_date,
            restrictions: row.restrictions.0,
            can_send: row.can_send,
            obstacles: row.obstacles.0,
            token: Token::read(&row.token_state),
            token_expires_at: row.token_expires_at,
            token_missing: row.token_missing,
            webhooks: Webhooks::read(&row.webhook_state),
            webhook_host: row.webhook_host,
            pin_reset_at: row.pin_reset_at,
            checked_at: row.checked_at,
            tried_at: row.tried_at,
            failure: row.failure,
            failure_hint: row.failure_hint,
            failing_since: row.failing_since,
            told_at: row.told_at,
            diagnosis: row.diagnosis,
        }
    }
}

/// Reads one; `$rest` says how.
macro_rules! health {
    ($rest:literal, $route:expr) => {
        sqlx::query_as!(
            Row,
            r#"select number_status, quality_rating, messaging_limit, throughput_level, name_status, name_reason,
                      code_verification, account_review, ban_state, ban_date,
                      restrictions as "restrictions: Json<Vec<Restriction>>", can_send,
                      obstacles as "obstacles: Json<Vec<Obstacle>>", token_state, token_expires_at, token_missing,
                      webhook_state, webhook_host, pin_reset_at, checked_at, tried_at, failure, failure_hint,
                      failing_since, told_at, diagnosis
               from messaging.channel_health where organization_id = $1 and channel_id = $2 "# + $rest,
            $route.organization_id.as_uuid(),
            $route.channel_id.as_uuid(),
        )
    };
}

/// How a number is doing; nothing is known of one that was never looked at.
pub(crate) async fn find(conn: &mut PgConnection, route: Route) -> sqlx::Result<Health> {
    let row = health!("", route).fetch_optional(conn).await?;
    Ok(row.map(Health::from).unwrap_or_default())
}

/// The same to be changed: others wait for the end of the transaction. `None` for a number that is gone.
pub(crate) async fn lock(conn: &mut PgConnection, route: Route) -> sqlx::Result<Option<Health>> {
    sqlx::query!(
        "insert into messaging.channel_health (organization_id, channel_id)
         select organization_id, id from messaging.channels where organization_id = $1 and id = $2
         on conflict do nothing",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
    )
    .execute(&mut *conn)
    .await?;
    let row = health!("for update", route).fetch_optional(conn).await?;
    Ok(row.map(Health::from))
}

/// Stores what is known of a number that is locked.
pub(crate) async fn update(
    conn: &mut PgConnection,
    route: Route,
    health: &Health,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.channel_health
         set number_status = $3, quality_rating = $4, messaging_limit = $5, throughput_level = $6, name_status = $7,
             name_reason = $8, code_verification = $9, account_review = $10, ban_state = $11, ban_date = $12,
             restrictions = $13, can_send = $14, obstacles = $15, token_state = $16, token_expires_at = $17,
             token_missing = $18, webhook_state = $19, webhook_host = $20, pin_reset_at = $21, checked_at = $22,
             tried_at = $23, failure = $24, failure_hint = $25, failing_since = $26, told_at = $27, diagnosis = $28
         where organization_id = $1 and channel_id = $2",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        health.number_status,
        health.quality_rating,
        health.messaging_limit,
        health.throughput_level,
        health.name_status,
        health.name_reason,
        health.code_verification,
        health.account_review,
        health.ban_state,
        health.ban_date,
        Json(&health.restrictions) as _,
        health.can_send,
        Json(&health.obstacles) as _,
        health.token.as_str(),
        health.token_expires_at,
        &health.token_missing,
        health.webhooks.as_str(),
        health.webhook_host,
        health.pin_reset_at,
        health.checked_at,
        health.tried_at,
        health.failure,
        health.failure_hint,
        health.failing_since,
        health.told_at,
        &health.diagnosis,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Numbers that nobody has tried to look at since `before`, after `after` in order.
pub(crate) async fn list_forgotten(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    after: Option<Route>,
    limit: i64,
) -> sqlx::Result<Vec<Route>> {
    let rows = sqlx::query!(
        r#"select c.organization_id as "organization_id: OrganizationId", c.id as "channel_id: ChannelId"
           from messaging.channels c
           left join messaging.channel_health h on h.organization_id = c.organization_id and h.channel_id = c.id
           where (h.tried_at is null or h.tried_at < $1)
             and ($2::uuid is null or (c.organization_id, c.id) > ($2, $3::uuid))
           order by c.organization_id, c.id limit $4"#,
        before,
        after.map(|after| after.organization_id.as_uuid()),
        after.map(|after| after.channel_id.as_uuid()),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Route {
            organization_id: row.organization_id,
            channel_id: row.channel_id,
        })
        .collect())
}
