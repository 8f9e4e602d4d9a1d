//! `channels`: connected WhatsApp numbers.

use chrono::{DateTime, Utc};
use ids::{ChannelId, OrganizationId};
use sqlx::PgConnection;

use crate::store::routes::Route;

/// A channel without its token.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) name: String,
    pub(crate) phone_number_id: String,
    pub(crate) waba_id: String,
    pub(crate) app: String,
    pub(crate) display_phone_number: String,
    pub(crate) verified_name: String,
    /// `active` or `blocked`.
    pub(crate) state: String,
    pub(crate) state_reason: String,
    pub(crate) created_at: DateTime<Utc>,
}

/// What the lane needs to send.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) phone_number_id: String,
    /// Sealed.
    pub(crate) access_token: Vec<u8>,
    pub(crate) active: bool,
    pub(crate) throughput_per_second: i32,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A channel to be stored.
#[derive(Debug)]
pub(crate) struct NewChannel<'a> {
    pub(crate) id: ChannelId,
    pub(crate) name: &'a str,
    pub(crate) phone_number_id: &'a str,
    pub(crate) waba_id: &'a str,
    /// The Meta app its webhooks come through.
    pub(crate) app: &'a str,
    pub(crate) display_phone_number: &'a str,
    pub(crate) verified_name: &'a str,
    /// Sealed.
    pub(crate) access_token: &'a [u8],
    pub(crate) throughput_per_second: i32,
}

/// Connects the number or, when this organization has it, replaces its token and unblocks it.
/// Returns the id it has.
pub(crate) async fn upsert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    channel: &NewChannel<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<ChannelId> {
    sqlx::query_scalar!(
        r#"insert into messaging.channels
               (organization_id, id, name, phone_number_id, waba_id, app, display_phone_number, verified_name,
                access_token, throughput_per_second, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
           on conflict on constraint channels_phone_number_id_key do update set
               name = excluded.name, waba_id = excluded.waba_id, app = excluded.app,
               display_phone_number = excluded.display_phone_number, verified_name = excluded.verified_name,
               access_token = excluded.access_token, throughput_per_second = excluded.throughput_per_second,
               state = 'active', state_reason = '', updated_at = excluded.updated_at
           returning id as "id: ChannelId""#,
        organization_id.as_uuid(),
        channel.id.as_uuid(),
        channel.name,
        channel.phone_number_id,
        channel.waba_id,
        channel.app,
        channel.display_phone_number,
        channel.verified_name,
        channel.access_token,
        channel.throughput_per_second,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Routes the number's webhooks here. Fails on `channel_routes_phone_number_id_key` when another
/// organization has the number.
pub(crate) async fn upsert_route(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    channel_id: ChannelId,
    channel: &NewChannel<'_>,
) -> sqlx::Result<()> {
    let digits: String = channel
        .display_phone_number
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    sqlx::query!(
        "insert into messaging.channel_routes (organization_id, channel_id, phone_number_id, waba_id, app,
                                               display_digits)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (organization_id, channel_id) do update set
             waba_id = excluded.waba_id, app = excluded.app, display_digits = excluded.display_digits",
        organization_id.as_uuid(),
        channel_id.as_uuid(),
        channel.phone_number_id,
        channel.waba_id,
        channel.app,
        digits,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The id the organization has this number under.
pub(crate) async fn find_id_by_number(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    phone_number_id: &str,
) -> sqlx::Result<Option<ChannelId>> {
    sqlx::query_scalar!(
        r#"select id as "id: ChannelId" from messaging.channels where organization_id = $1 and phone_number_id = $2"#,
        organization_id.as_uuid(),
        phone_number_id,
    )
    .fetch_optional(conn)
    .await
}

/// Reads channels; `$rest` says which and in what order.
macro_rules! channels {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Channel,
            r#"select id as "id: ChannelId", name, phone_number_id, waba_id, app, display_phone_number, verified_name,
                      state, state_reason, created_at
               from messaging.channels "# + $rest,
            $($argument),+
        )
    };
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ChannelId,
) -> sqlx::Result<Option<Channel>> {
    channels!(
        "where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// By id, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    after: Option<ChannelId>,
    limit: i64,
) -> sqlx::Result<Vec<Channel>> {
    channels!(
        "where organization_id = $1 and ($2::uuid is null or id > $2)
         order by id limit $3",
        organization_id.as_uuid(),
        after.map(ChannelId::as_uuid),
        limit,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn find_sender(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ChannelId,
) -> sqlx::Result<Option<Sender>> {
    sqlx::query_as!(
        Sender,
        r#"select phone_number_id, access_token, state = 'active' as "active!", throughput_per_second, updated_at
           from messaging.channels where organization_id = $1 and id = $2"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Whether the organization has a number of the account.
pub(crate) async fn has_account(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    waba_id: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from messaging.channels where organization_id = $1 and waba_id = $2) as "has!""#,
        organization_id.as_uuid(),
        waba_id,
    )
    .fetch_one(conn)
    .await
}

/// The sealed token of a channel of the account that works.
pub(crate) async fn find_token_of_account(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    waba_id: &str,
) -> sqlx::Result<Option<(ChannelId, Vec<u8>)>> {
    let row = sqlx::query!(
        r#"select id as "id: ChannelId", access_token from messaging.channels
           where organization_id = $1 and waba_id = $2 and state = 'active' order by updated_at desc, id limit 1"#,
        organization_id.as_uuid(),
        waba_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.access_token)))
}

/// Stops sending through the channel until it is connected again; true when it was active. A refusal
/// of an older `version` (its `updated_at`) says nothing about the channel as it is now.
pub(crate) async fn block(
    conn: &mut PgConnection,
    route: Route,
    version: Option<DateTime<Utc>>,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update messaging.channels set state = 'blocked', state_reason = $3, updated_at = $4
         where organization_id = $1 and id = $2 and state = 'active' and updated_at = $5",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        reason,
        now,
        version,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Whether the channel was connected again since `version` (its `updated_at`) and works. Whoever connects it waits for
/// the end of this transaction, or this waits for theirs: either way one of the two sees what the other did.
pub(crate) async fn is_renewed(
    conn: &mut PgConnection,
    route: Route,
    version: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select state = 'active' and updated_at > $3 as "renewed!" from messaging.channels
           where organization_id = $1 and id = $2 for share"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        version,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.unwrap_or(false))
}

/// Messages per second, as they are sent at most.
pub(crate) async fn find_throughput(conn: &mut PgConnection, route: Route) -> sqlx::Result<i32> {
    let found = sqlx::query_scalar!(
        "select throughput_per_second from messaging.channels where organization_id = $1 and id = $2",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.unwrap_or(0))
}

/// What WhatsApp says of the number now. Its version stays: whether messages are refused has nothing to do with it.
pub(crate) async fn refresh(
    conn: &mut PgConnection,
    route: Route,
    verified_name: Option<&str>,
    throughput_per_second: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.channels set verified_name = coalesce($3, verified_name), throughput_per_second = $4
         where organization_id = $1 and id = $2
           and (throughput_per_second <> $4 or verified_name <> coalesce($3, verified_name))",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        verified_name,
        throughput_per_second,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces the token of a channel that is as it was at `version` (its `updated_at`), and lets it send again; false when
/// it was changed meanwhile.
pub(crate) async fn rotate(
    conn: &mut PgConnection,
    route: Route,
    version: DateTime<Utc>,
    access_token: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update messaging.channels set access_token = $4, state = 'active', state_reason = '', updated_at = $5
         where organization_id = $1 and id = $2 and updated_at = $3",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        version,
        access_token,
        now,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}
