//! The end of everything that a tenant has, some rows at a time.

use db::DbError;
use ids::OrganizationId;
use sqlx::{PgConnection, postgres::PgQueryResult};

/// A table of tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    ChannelRoutes,
    SendQueue,
    Lanes,
    Attempts,
    MessageStatuses,
    MessageKeys,
    Messages,
    Conversations,
    ContactIdentities,
    ContactNotes,
    ContactMerges,
    Consents,
    Contacts,
    AttributeDefinitions,
    ChannelHealth,
    ChannelNotices,
    DoomedFiles,
    Media,
    MediaUploads,
    TemplateRevisions,
    TemplateSyncs,
    Templates,
    Channels,
    IdempotencyKeys,
    Jobs,
    DeferredDeliveries,
}

/// In the order in which they can go: routes first, so that nothing more is taken in, and what is referred to after
/// what refers to it. Events in the outbox end with their retention, and data keys stay as destroyed ones.
pub(crate) const TABLES: [Table; 26] = [
    Table::ChannelRoutes,
    Table::SendQueue,
    Table::Lanes,
    Table::Attempts,
    Table::MessageStatuses,
    Table::MessageKeys,
    Table::Messages,
    Table::Conversations,
    Table::ContactIdentities,
    Table::ContactNotes,
    Table::ContactMerges,
    Table::Consents,
    Table::Contacts,
    Table::AttributeDefinitions,
    Table::ChannelHealth,
    Table::ChannelNotices,
    Table::TemplateRevisions,
    Table::Templates,
    Table::TemplateSyncs,
    Table::MediaUploads,
    Table::Media,
    Table::DoomedFiles,
    Table::Channels,
    Table::IdempotencyKeys,
    Table::Jobs,
    Table::DeferredDeliveries,
];

/// Deletes up to `limit` rows of a tenant; how many.
#[tracing::instrument(name = "db.erasure.delete", skip_all, fields(db.table = ?table))]
pub(crate) async fn delete_some(
    conn: &mut PgConnection,
    table: Table,
    id: OrganizationId,
    limit: i64,
) -> Result<u64, DbError> {
    let id = id.as_uuid();
    macro_rules! delete {
        ($table:literal) => {
            sqlx::query!(
                "delete from "
                    + $table
                    + " where ctid = any(array(select ctid from "
                    + $table
                    + " where organization_id = $1 limit $2))",
                id,
                limit
            )
            .execute(conn)
            .await
        };
    }
    // `ctid` names a row of one partition, so messages go by their ids.
    let deleted: PgQueryResult = match table {
        Table::ChannelRoutes => delete!("messaging.channel_routes"),
        Table::SendQueue => delete!("messaging.send_queue"),
        Table::Lanes => delete!("messaging.lanes"),
        Table::Attempts => delete!("messaging.attempts"),
        Table::MessageStatuses => delete!("messaging.message_statuses"),
        Table::MessageKeys => delete!("messaging.message_keys"),
        Table::Messages => {
            sqlx::query!("delete from messaging.messages where organization_id = $1 and id = any(array(select id from messaging.messages where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Conversations => delete!("messaging.conversations"),
        Table::ContactIdentities => delete!("messaging.contact_identities"),
        Table::ContactNotes => delete!("messaging.contact_notes"),
        Table::ContactMerges => delete!("messaging.contact_merges"),
        Table::AttributeDefinitions => delete!("messaging.attribute_definitions"),
        Table::Consents => delete!("messaging.consents"),
        Table::Contacts => delete!("messaging.contacts"),
        Table::ChannelHealth => delete!("messaging.channel_health"),
        Table::ChannelNotices => delete!("messaging.channel_notices"),
        Table::TemplateRevisions => delete!("messaging.template_revisions"),
        Table::Templates => delete!("messaging.templates"),
        Table::TemplateSyncs => delete!("messaging.template_syncs"),
        Table::MediaUploads => delete!("messaging.media_uploads"),
        Table::DoomedFiles => delete!("messaging.doomed_files"),
        Table::Media => delete!("messaging.media"),
        Table::Channels => delete!("messaging.channels"),
        Table::IdempotencyKeys => delete!("messaging.idempotency_keys"),
        Table::Jobs => delete!("messaging.jobs"),
        Table::DeferredDeliveries => delete!("messaging.deferred_deliveries"),
    }?;
    Ok(deleted.rows_affected())
}
