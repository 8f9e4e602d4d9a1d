//! `channel_routes`: which tenant a number belongs to.

use std::collections::HashMap;

use ids::{ChannelId, OrganizationId};
use sqlx::PgConnection;

/// Where the content of a webhook goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) organization_id: OrganizationId,
    pub(crate) channel_id: ChannelId,
}

/// The route of a number, and the Meta app it is heard through.
#[derive(Debug, Clone)]
pub(crate) struct NumberRoute {
    pub(crate) route: Route,
    pub(crate) app: String,
}

/// A route with what account-level fields can be matched by.
#[derive(Debug, Clone)]
pub(crate) struct AccountRoute {
    pub(crate) route: Route,
    pub(crate) app: String,
    pub(crate) waba_id: String,
    pub(crate) display_digits: String,
}

/// The routes of these numbers; a number nobody connected is absent.
pub(crate) async fn find_by_numbers(
    conn: &mut PgConnection,
    phone_number_ids: &[String],
) -> sqlx::Result<HashMap<String, NumberRoute>> {
    let rows = sqlx::query!(
        r#"select phone_number_id, app, organization_id as "organization_id: OrganizationId",
                  channel_id as "channel_id: ChannelId"
           from messaging.channel_routes where phone_number_id = any($1)"#,
        phone_number_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let route = Route {
                organization_id: row.organization_id,
                channel_id: row.channel_id,
            };
            let app = row.app;
            (row.phone_number_id, NumberRoute { route, app })
        })
        .collect())
}

/// Every route of these accounts.
pub(crate) async fn list_by_accounts(
    conn: &mut PgConnection,
    waba_ids: &[String],
) -> sqlx::Result<Vec<AccountRoute>> {
    let rows = sqlx::query!(
        r#"select waba_id, app, display_digits, organization_id as "organization_id: OrganizationId",
                  channel_id as "channel_id: ChannelId"
           from messaging.channel_routes where waba_id = any($1) order by channel_id"#,
        waba_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AccountRoute {
            route: Route {
                organization_id: row.organization_id,
                channel_id: row.channel_id,
            },
            app: row.app,
            waba_id: row.waba_id,
            display_digits: row.display_digits,
        })
        .collect())
}
