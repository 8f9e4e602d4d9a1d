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
    ConversationLabels,
    ConversationParticipants,
    ConversationReads,
    Mentions,
    Conversations,
    Labels,
    Views,
    CannedReplies,
    TeamAgents,
    Teams,
    Agents,
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
pub(crate) const TABLES: &[Table] = &[
    Table::ChannelRoutes,
    Table::SendQueue,
    Table::Lanes,
    Table::Attempts,
    Table::MessageStatuses,
    Table::MessageKeys,
    Table::Messages,
    Table::ConversationLabels,
    Table::ConversationParticipants,
    Table::ConversationReads,
    Table::Mentions,
    Table::Conversations,
    Table::Labels,
    Table::Views,
    Table::CannedReplies,
    Table::TeamAgents,
    Table::Teams,
    Table::Agents,
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
    macro_rules! some {
        ($by:literal, $table:literal) => {
            sqlx::query!(
                "delete from messaging."
                    + $table
                    + " where organization_id = $1 and "
                    + $by
                    + " = any(array(select "
                    + $by
                    + " from messaging."
                    + $table
                    + " where organization_id = $1 limit $2))",
                id,
                limit
            )
            .execute(conn)
            .await
        };
    }
    let deleted: PgQueryResult = match table {
        Table::ChannelRoutes => some!("ctid", "channel_routes"),
        Table::SendQueue => some!("ctid", "send_queue"),
        Table::Lanes => some!("ctid", "lanes"),
        Table::Attempts => some!("ctid", "attempts"),
        Table::MessageStatuses => some!("ctid", "message_statuses"),
        Table::MessageKeys => some!("ctid", "message_keys"),
        Table::Messages => some!("id", "messages"),
        Table::Conversations => some!("ctid", "conversations"),
        Table::ConversationLabels => some!("ctid", "conversation_labels"),
        Table::ConversationParticipants => some!("ctid", "conversation_participants"),
        Table::ConversationReads => some!("ctid", "conversation_reads"),
        Table::Mentions => some!("ctid", "mentions"),
        Table::Labels => some!("ctid", "labels"),
        Table::Views => some!("ctid", "views"),
        Table::CannedReplies => some!("ctid", "canned_replies"),
        Table::TeamAgents => some!("ctid", "team_agents"),
        Table::Teams => some!("ctid", "teams"),
        Table::Agents => some!("ctid", "agents"),
        Table::ContactIdentities => some!("ctid", "contact_identities"),
        Table::Contacts => some!("ctid", "contacts"),
        Table::ChannelNotices => some!("ctid", "channel_notices"),
        Table::Channels => some!("ctid", "channels"),
        Table::IdempotencyKeys => some!("ctid", "idempotency_keys"),
        Table::Jobs => some!("ctid", "jobs"),
        Table::DeferredDeliveries => some!("ctid", "deferred_deliveries"),
        Table::ContactNotes => some!("ctid", "contact_notes"),
        Table::ContactMerges => some!("ctid", "contact_merges"),
        Table::AttributeDefinitions => some!("ctid", "attribute_definitions"),
        Table::Consents => some!("ctid", "consents"),
        Table::TemplateRevisions => some!("ctid", "template_revisions"),
        Table::Templates => some!("ctid", "templates"),
        Table::TemplateSyncs => some!("ctid", "template_syncs"),
        Table::MediaUploads => some!("ctid", "media_uploads"),
        Table::Media => some!("ctid", "media"),
        Table::ChannelHealth => some!("ctid", "channel_health"),
        Table::DoomedFiles => some!("ctid", "doomed_files"),
    }?;
    Ok(deleted.rows_affected())
}
