//! `lanes`: who sends for a number.

use chrono::{DateTime, Utc};
use ids::{ChannelId, OrganizationId};
use sqlx::PgConnection;

use crate::store::routes::Route;

/// A lane this replica owns until the lease ends.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) route: Route,
    /// Grows with every change of owner: it fences the former one.
    pub(crate) epoch: i64,
}

/// Makes the lane of a new channel.
pub(crate) async fn insert(conn: &mut PgConnection, route: Route) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.lanes (organization_id, channel_id) values ($1, $2) on conflict do nothing",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes up to `limit` lanes that nobody owns and that have something to do. A blocked channel's lane
/// rests until the channel is connected again, unless a crashed owner left attempts to look after.
///
/// It walks from one channel in the queue to the next: what it costs grows with the numbers that have
/// messages waiting, not with all numbers there are, and not with the messages.
pub(crate) async fn acquire(
    conn: &mut PgConnection,
    owner: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Lease>> {
    let rows = sqlx::query!(
        r#"with recursive waiting as (
               (select organization_id, channel_id from messaging.send_queue where state = 'queued'
                order by organization_id, channel_id limit 1)
               union all
               select next.organization_id, next.channel_id from waiting w
               cross join lateral (
                   select q.organization_id, q.channel_id from messaging.send_queue q
                   where q.state = 'queued' and (q.organization_id, q.channel_id) > (w.organization_id, w.channel_id)
                   order by q.organization_id, q.channel_id limit 1) next
           ), left_over as (
               (select organization_id, channel_id from messaging.send_queue where state = 'sending'
                order by organization_id, channel_id limit 1)
               union all
               select next.organization_id, next.channel_id from left_over w
               cross join lateral (
                   select q.organization_id, q.channel_id from messaging.send_queue q
                   where q.state = 'sending' and (q.organization_id, q.channel_id) > (w.organization_id, w.channel_id)
                   order by q.organization_id, q.channel_id limit 1) next
           ), busy as (
               select w.organization_id, w.channel_id from waiting w
               join messaging.channels h on h.organization_id = w.organization_id and h.id = w.channel_id
               where h.state = 'active' and exists (
                   select from messaging.send_queue q
                   where q.organization_id = w.organization_id and q.channel_id = w.channel_id
                     and q.state = 'queued' and q.due_at <= $2)
               union
               select organization_id, channel_id from left_over
           ), free as (
               select l.organization_id, l.channel_id from messaging.lanes l
               join busy b on b.organization_id = l.organization_id and b.channel_id = l.channel_id
               where l.lease_until < $2
               order by l.lease_until
               limit $4
               for update of l skip locked
           )
           update messaging.lanes lane
           set owner = $1, epoch = lane.epoch + 1, lease_until = $3
           from free
           where lane.organization_id = free.organization_id and lane.channel_id = free.channel_id
           returning lane.organization_id as "organization_id: OrganizationId",
                     lane.channel_id as "channel_id: ChannelId", lane.epoch"#,
        owner,
        now,
        until,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Lease {
            route: Route {
                organization_id: row.organization_id,
                channel_id: row.channel_id,
            },
            epoch: row.epoch,
        })
        .collect())
}

/// Prolongs the lease; false when another replica owns the lane by now. In a transaction it also
/// holds the row, so nobody takes the lane before the transaction ends.
pub(crate) async fn renew(
    conn: &mut PgConnection,
    lease: &Lease,
    until: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "update messaging.lanes set lease_until = greatest(lease_until, $4)
         where organization_id = $1 and channel_id = $2 and epoch = $3",
        lease.route.organization_id.as_uuid(),
        lease.route.channel_id.as_uuid(),
        lease.epoch,
        until,
    )
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Gives the lane back, so that another replica need not wait for the lease to end.
pub(crate) async fn release(conn: &mut PgConnection, lease: &Lease) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.lanes set owner = null, lease_until = '-infinity'
         where organization_id = $1 and channel_id = $2 and epoch = $3",
        lease.route.organization_id.as_uuid(),
        lease.route.channel_id.as_uuid(),
        lease.epoch,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which of the owner's lanes have a message that is due.
pub(crate) async fn list_due(
    conn: &mut PgConnection,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<ChannelId>> {
    sqlx::query_scalar!(
        r#"select l.channel_id as "channel_id: ChannelId" from messaging.lanes l
           where l.owner = $1
             and exists (select from messaging.send_queue q
                         where q.organization_id = l.organization_id and q.channel_id = l.channel_id
                           and q.state = 'queued' and q.due_at <= $2)"#,
        owner,
        now,
    )
    .fetch_all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::{fixture::Fixture, store::channels};

    const DAY: Duration = Duration::from_hours(24);

    async fn acquired(fixture: &Fixture) -> Vec<ChannelId> {
        let (now, until) = (fixture.now(), fixture.now() + TimeDelta::seconds(15));
        let mut tx = fixture.system().await;
        let taken = acquire(tx.conn(), "this", now, until, 16).await;
        tx.commit().await.expect("commit");
        let mut taken: Vec<_> = taken
            .expect("lanes")
            .iter()
            .map(|lease| lease.route.channel_id)
            .collect();
        taken.sort_unstable();
        taken
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn lanes_with_something_to_do_are_taken_whosever_they_are() {
        let mut fixture = Fixture::new().await;
        let mut busy = Vec::new();
        for number in 0..3 {
            fixture.add_tenant(&format!("30{number}")).await;
            let thread = fixture.conversation("491701").await;
            fixture.queue(thread, DAY).await;
            fixture.queue(thread, DAY).await;
            busy.push(fixture.route.channel_id);
        }
        busy.sort_unstable();
        assert_eq!(
            acquired(&fixture).await,
            busy,
            "the first has nothing to send"
        );
        assert_eq!(acquired(&fixture).await, [], "they are owned");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_blocked_lane_rests_unless_a_call_was_left_behind() {
        let fixture = Fixture::new().await;
        let thread = fixture.conversation("491701").await;
        fixture.queue(thread, DAY).await;
        let other = fixture.conversation("491702").await;
        let other = fixture.queue(other, DAY).await;
        let (version, now) = (Some(fixture.now()), fixture.now());
        let mut tx = fixture.tenant().await;
        channels::block(tx.conn(), fixture.route, version, "token", now)
            .await
            .expect("block");
        tx.commit().await.expect("commit");
        assert_eq!(acquired(&fixture).await, []);

        let left = Lease {
            route: fixture.route,
            epoch: 0,
        };
        fixture.begin(&left, other).await;
        assert_eq!(acquired(&fixture).await, [fixture.route.channel_id]);
    }
}
