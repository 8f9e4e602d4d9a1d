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
    // `ctid` names a row of one partition, so messages go by their ids.
    let deleted: PgQueryResult = match table {
        Table::ChannelRoutes => {
            sqlx::query!("delete from messaging.channel_routes where ctid = any(array(select ctid from messaging.channel_routes where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::SendQueue => {
            sqlx::query!("delete from messaging.send_queue where ctid = any(array(select ctid from messaging.send_queue where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Lanes => {
            sqlx::query!("delete from messaging.lanes where ctid = any(array(select ctid from messaging.lanes where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Attempts => {
            sqlx::query!("delete from messaging.attempts where ctid = any(array(select ctid from messaging.attempts where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::MessageStatuses => {
            sqlx::query!("delete from messaging.message_statuses where ctid = any(array(select ctid from messaging.message_statuses where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::MessageKeys => {
            sqlx::query!("delete from messaging.message_keys where ctid = any(array(select ctid from messaging.message_keys where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Messages => {
            sqlx::query!("delete from messaging.messages where organization_id = $1 and id = any(array(select id from messaging.messages where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Conversations => {
            sqlx::query!("delete from messaging.conversations where ctid = any(array(select ctid from messaging.conversations where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::ContactIdentities => {
            sqlx::query!("delete from messaging.contact_identities where ctid = any(array(select ctid from messaging.contact_identities where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::ContactNotes => {
            sqlx::query!("delete from messaging.contact_notes where ctid = any(array(select ctid from messaging.contact_notes where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::ContactMerges => {
            sqlx::query!("delete from messaging.contact_merges where ctid = any(array(select ctid from messaging.contact_merges where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::AttributeDefinitions => {
            sqlx::query!("delete from messaging.attribute_definitions where ctid = any(array(select ctid from messaging.attribute_definitions where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Consents => {
            sqlx::query!("delete from messaging.consents where ctid = any(array(select ctid from messaging.consents where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Contacts => {
            sqlx::query!("delete from messaging.contacts where ctid = any(array(select ctid from messaging.contacts where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::ChannelHealth => {
            sqlx::query!("delete from messaging.channel_health where ctid = any(array(select ctid from messaging.channel_health where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::ChannelNotices => {
            sqlx::query!("delete from messaging.channel_notices where ctid = any(array(select ctid from messaging.channel_notices where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::TemplateRevisions => {
            sqlx::query!("delete from messaging.template_revisions where ctid = any(array(select ctid from messaging.template_revisions where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Templates => {
            sqlx::query!("delete from messaging.templates where ctid = any(array(select ctid from messaging.templates where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::TemplateSyncs => {
            sqlx::query!("delete from messaging.template_syncs where ctid = any(array(select ctid from messaging.template_syncs where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::MediaUploads => {
            sqlx::query!("delete from messaging.media_uploads where ctid = any(array(select ctid from messaging.media_uploads where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::DoomedFiles => {
            sqlx::query!("delete from messaging.doomed_files where ctid = any(array(select ctid from messaging.doomed_files where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Media => {
            sqlx::query!("delete from messaging.media where ctid = any(array(select ctid from messaging.media where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Channels => {
            sqlx::query!("delete from messaging.channels where ctid = any(array(select ctid from messaging.channels where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::IdempotencyKeys => {
            sqlx::query!("delete from messaging.idempotency_keys where ctid = any(array(select ctid from messaging.idempotency_keys where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::Jobs => {
            sqlx::query!("delete from messaging.jobs where ctid = any(array(select ctid from messaging.jobs where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
        Table::DeferredDeliveries => {
            sqlx::query!("delete from messaging.deferred_deliveries where ctid = any(array(select ctid from messaging.deferred_deliveries where organization_id = $1 limit $2))", id, limit).execute(conn).await
        }
    }?;
    Ok(deleted.rows_affected())
}
