//! `message_statuses` that spoke of a message before we knew WhatsApp's id of it.

use chrono::{DateTime, Utc};
use ids::{ConversationId, MessageId, OrganizationId};
use sqlx::PgConnection;

use crate::{
    domain::status::Status,
    store::{moved::Moved, routes::Route},
};

/// Applies the statuses of a channel whose message has become known. The token in a status makes
/// this rare: it is needed for statuses that come without one.
pub(crate) async fn apply_late(
    conn: &mut PgConnection,
    route: Route,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Moved>> {
    let words = Status::WORDS.map(|(word, _)| word.to_owned());
    let ranks = Status::WORDS.map(|(_, status)| status.rank());
    sqlx::query_as!(
        Moved,
        r#"with found as (
               update messaging.message_statuses s set applied = true
               from messaging.message_keys k
               where s.organization_id = $1 and s.channel_id = $2 and not s.applied and s.received_at >= $3
                 and k.organization_id = $1 and k.channel_id = $2 and k.wamid = s.wamid
               returning k.message_id, s.provider_at, s.failure, s.status as word
           ), best as (
               select distinct on (message_id) message_id, provider_at, failure, rank
               from found join unnest($4::text[], $5::int2[]) as known(meant, rank) on meant = word
               order by message_id, rank desc, provider_at
           )
           update messaging.messages msg
           set status = rank, status_at = provider_at, failure = best.failure
           from best
           where msg.organization_id = $1 and msg.id = best.message_id and msg.direction = 2 and msg.status < rank
           returning msg.organization_id as "organization_id: OrganizationId", msg.id as "message_id: MessageId",
                     msg.conversation_id as "conversation_id: ConversationId", msg.status as "status: Status",
                     msg.failure, msg.status_at"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        since,
        &words,
        &ranks,
    )
    .fetch_all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;
    use ids::MessageId;
    use serde_json::json;

    use super::*;
    use crate::{
        fixture::Fixture,
        store::intake::{
            keys,
            statuses::{self, Report},
        },
    };

    const DAY: Duration = Duration::from_hours(24);

    /// A report with WhatsApp's time, so many seconds from now, and without a token of ours.
    fn report(fixture: &Fixture, wamid: &str, status: Status, seconds: i64) -> Report {
        let word = Status::WORDS.iter().find(|(_, known)| *known == status);
        Report {
            route: fixture.route,
            wamid: wamid.to_owned(),
            word: word.expect("a word of WhatsApp").0.to_owned(),
            status: Some(status),
            recipient: "491701".to_owned(),
            provider_at: fixture.now() + TimeDelta::seconds(seconds),
            failure: (status == Status::Failed).then(|| json!({ "class": "recipient" })),
            pricing: None,
            message_id: None,
        }
    }

    async fn report_all(fixture: &Fixture, reports: &[Report]) -> Vec<Moved> {
        let mut tx = fixture.system().await;
        statuses::record(tx.conn(), reports, fixture.now())
            .await
            .expect("record");
        let moved = statuses::apply(tx.conn(), reports).await.expect("apply");
        tx.commit().await.expect("commit");
        moved
    }

    async fn known_as(fixture: &Fixture, message: MessageId, wamid: &str) {
        let mut tx = fixture.tenant().await;
        keys::claim(tx.conn(), &[(fixture.route, wamid, message)])
            .await
            .expect("a key");
        tx.commit().await.expect("commit");
    }

    fn orders(of: &[Status]) -> Vec<Vec<Status>> {
        if of.is_empty() {
            return vec![Vec::new()];
        }
        let begin_with = |first: &Status| {
            let rest: Vec<Status> = of.iter().copied().filter(|one| one != first).collect();
            orders(&rest)
                .into_iter()
                .map(|rest| [&[*first], rest.as_slice()].concat())
                .collect::<Vec<_>>()
        };
        of.iter().flat_map(begin_with).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn in_every_order_of_reports_a_message_ends_at_the_furthest() {
        let fixture = Fixture::new().await;
        let thread = fixture.conversation("491701").await;
        let sets = [
            vec![Status::Sent, Status::Failed],
            vec![Status::Sent, Status::Failed, Status::Delivered],
            vec![
                Status::Sent,
                Status::Failed,
                Status::Delivered,
                Status::Read,
            ],
        ];
        for (number, order) in sets.iter().flat_map(|set| orders(set)).enumerate() {
            let message = fixture.queue(thread, DAY).await;
            let wamid = format!("wamid.{number}");
            known_as(&fixture, message, &wamid).await;
            for (second, status) in (0_i64..).zip(&order) {
                let moved =
                    report_all(&fixture, &[report(&fixture, &wamid, *status, second)]).await;
                let stored = fixture.message(message).await;
                for moved in &moved {
                    // What is told is what is stored.
                    assert_eq!(moved.status, stored.status, "{order:?}");
                    assert_eq!(moved.status_at, stored.status_at, "{order:?}");
                    assert_eq!(moved.failure, stored.failure, "{order:?}");
                }
            }
            let stored = fixture.message(message).await;
            let furthest = order.iter().copied().max();
            assert_eq!(Some(stored.status), furthest, "{order:?}");
            let failed = stored.status == Status::Failed;
            assert_eq!(stored.failure.is_some(), failed, "{order:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn reports_that_came_before_their_message_was_known_are_applied_once() {
        let fixture = Fixture::new().await;
        let thread = fixture.conversation("491701").await;
        let message = fixture.queue(thread, DAY).await;
        let early = [Status::Delivered, Status::Sent, Status::Failed]
            .map(|status| report(&fixture, "wamid.1", status, 3));
        assert_eq!(report_all(&fixture, &early).await, []);
        known_as(&fixture, message, "wamid.1").await;

        let since = fixture.now() - TimeDelta::minutes(1);
        let mut tx = fixture.tenant().await;
        let moved = apply_late(tx.conn(), fixture.route, since).await;
        let moved = moved.expect("apply");
        let again = apply_late(tx.conn(), fixture.route, since).await;
        tx.commit().await.expect("commit");

        let stored = fixture.message(message).await;
        assert_eq!(stored.status, Status::Delivered);
        assert_eq!(stored.status_at, fixture.now() + TimeDelta::seconds(3));
        assert_eq!(stored.failure, None);
        assert_eq!(moved.len(), 1);
        let [moved] = moved.as_slice() else { return };
        assert_eq!((moved.message_id, moved.status), (message, stored.status));
        assert_eq!(moved.status_at, stored.status_at);
        assert_eq!(again.expect("apply"), []);
    }
}
