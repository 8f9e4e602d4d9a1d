//! What was received and said after two contacts became one: when they are parted it goes with what it was written from,
//! as far as that can be told.

use chrono::{DateTime, Utc};
use ids::{ChannelId, ConsentId, ContactId, ConversationId, OrganizationId};
use sqlx::PgConnection;

use super::{Merge, Order, record::Moved};
use crate::store::consents::{self, Consent};

/// The position of the last thing that two locked contacts said.
pub(super) async fn last_consent(conn: &mut PgConnection, order: &Order<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(max(position), 0) as "last!" from messaging.consents
           where organization_id = $1 and contact_id in ($2, $3)"#,
        order.organization_id.as_uuid(),
        order.kept.as_uuid(),
        order.other.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Through which numbers one of the two contacts has received what is in a conversation of the other now: they are parted,
/// and have their identities back.
pub(crate) async fn astray(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
) -> sqlx::Result<Vec<(ChannelId, ContactId)>> {
    let rows = sqlx::query!(
        r#"select distinct m.channel_id as "channel_id: ChannelId", i.contact_id as "contact_id: ContactId"
           from messaging.conversations c
           join messaging.messages m on m.organization_id = $1 and m.conversation_id = c.id
           join messaging.contact_identities i
             on i.organization_id = $1 and i.kind = m.identity_kind and i.value = m.identity_value
           where c.organization_id = $1 and c.contact_id in ($2, $3)
             and m.direction = 1 and m.created_at >= $4 and m.id >= messaging.uuid_at($4 - interval '1 second')
             and i.contact_id in ($2, $3) and i.contact_id <> c.contact_id
           order by 1, 2"#,
        organization_id.as_uuid(),
        merge.kept_id.as_uuid(),
        merge.merged_id.as_uuid(),
        merge.merged_at,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.channel_id, row.contact_id))
        .collect())
}

/// Moves what one of the contacts has written through a number since the merge into its own conversation. The conversations
/// that it was taken out of.
pub(crate) async fn bring_home(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
    channel_id: ChannelId,
    (owner, home): (ContactId, ConversationId),
) -> sqlx::Result<Vec<ConversationId>> {
    sqlx::query_scalar!(
        r#"update messaging.messages m set conversation_id = $7, contact_id = $6
           from messaging.conversations c, messaging.contact_identities i
           where m.organization_id = $1 and m.conversation_id = c.id and m.channel_id = $5
             and c.organization_id = $1 and c.contact_id in ($2, $3) and c.contact_id <> $6
             and m.direction = 1 and m.created_at >= $4 and m.id >= messaging.uuid_at($4 - interval '1 second')
             and i.organization_id = $1 and i.kind = m.identity_kind and i.value = m.identity_value and i.contact_id = $6
           returning c.id as "id: ConversationId""#,
        organization_id.as_uuid(),
        merge.kept_id.as_uuid(),
        merge.merged_id.as_uuid(),
        merge.merged_at,
        channel_id.as_uuid(),
        owner.as_uuid(),
        home.as_uuid(),
    )
    .fetch_all(conn)
    .await
}

/// Parts what was said since the merge. What the customer said by an identity is of the contact that has it. What was
/// taken back and could be of either holds for both: the other contact gets lines of its own, which are returned.
pub(crate) async fn part_consents(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
    moved: &Moved,
    actor: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Consent>> {
    sqlx::query!(
        "update messaging.consents s set contact_id = $3 from messaging.contact_identities i
         where s.organization_id = $1 and s.contact_id = $2 and s.position > $4 and s.source in ('keyword', 'whatsapp')
           and i.organization_id = $1 and i.contact_id = $3
           and i.kind = s.proof #>> '{identity,kind}' and i.value = s.proof #>> '{identity,value}'",
        organization_id.as_uuid(),
        merge.kept_id.as_uuid(),
        merge.merged_id.as_uuid(),
        moved.last_consent,
    )
    .execute(&mut *conn)
    .await?;
    let untold = sqlx::query!(
        r#"select s.purpose, s.source, s.proof || jsonb_build_object('consent_id', s.id, 'merge_id', $4::uuid) as "proof!",
                  s.occurred_at
           from messaging.consents s
           where s.organization_id = $1 and s.contact_id = $2 and s.position > $3 and not s.granted
             and not (s.source in ('keyword', 'whatsapp') and exists (
                 select from messaging.contact_identities i
                 where i.organization_id = $1 and i.contact_id = $2
                   and i.kind = s.proof #>> '{identity,kind}' and i.value = s.proof #>> '{identity,value}'))
           order by s.position"#,
        organization_id.as_uuid(),
        merge.kept_id.as_uuid(),
        moved.last_consent,
        merge.id.as_uuid(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut copies = Vec::with_capacity(untold.len());
    for said in untold {
        let copy = Consent {
            id: ConsentId::stamped(now),
            contact_id: merge.merged_id,
            purpose: said.purpose,
            granted: false,
            source: said.source,
            proof: said.proof,
            actor: actor.to_owned(),
            occurred_at: said.occurred_at,
            recorded_at: now,
            position: 0,
        };
        consents::insert(conn, organization_id, &copy).await?;
        copies.push(copy);
    }
    Ok(copies)
}
