//! The outbox as a feed that can be resumed without losing an event.
//!
//! A sequence number is taken before its transaction commits. With a cursor on `seq` alone, a reader that has seen 7
//! skips 6 for ever when 6's transaction commits later. So a row carries the transaction that wrote it, and readers stop
//! below the oldest transaction still running (`pg_snapshot_xmin`): everything below has ended, and what will still be
//! committed has a higher transaction number than anything shown. In (`commit_xid`, `seq`) order nothing can appear
//! behind a cursor.
//!
//! The price: one slow writing transaction holds back the feed of everybody, which `behind` tells.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use ids::{EventId, OrganizationId};
use sqlx::{FromRow, types::Json};

use super::OutboxHeaders;
use crate::{AsTx, Body, DbError, Schema, SystemTx, statement::Statement};

#[derive(Debug)]
pub(super) struct Sql {
    list: Statement,
    now: Statement,
}

impl Sql {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            // One snapshot for the events, the horizon and the retention's floor: between two statements an event
            // could settle, or be swept, unseen.
            list: Statement::new(
                schema,
                "select c.position, h.horizon, h.floor, e.*
                 from unnest($1::uuid[], $2::bigint[], $3::bigint[])
                     with ordinality c(organization_id, after_xid, after_seq, position)
                 cross join (
                     select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon,
                            (select commit_xid from {schema}.outbox_floor) as floor) h
                 left join lateral (
                     select seq, commit_xid, event_id, event_type, key, payload, headers, occurred_at
                     from {schema}.outbox
                     where organization_id = c.organization_id
                       and (commit_xid, seq) > (c.after_xid, c.after_seq)
                     order by commit_xid, seq
                     limit $4) e on true
                 order by c.position, e.commit_xid, e.seq",
            ),
            now: Statement::new(
                schema,
                "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            ),
        }
    }
}

/// A place in the feed, behind the last event that was seen. As text (`1234.5`) it is what a client sends to resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The transaction of the last event.
    pub xid: i64,
    /// Its number.
    pub seq: i64,
}

impl Cursor {
    /// Before the first event that is still kept.
    pub const START: Self = Self { xid: 0, seq: 0 };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.xid, self.seq)
    }
}

/// The text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text is not a feed cursor")]
pub struct CursorInvalid;

impl errors::Classify for CursorInvalid {
    fn code(&self) -> &'static errors::Code {
        &errors::codes::CURSOR_INVALID
    }
}

impl FromStr for Cursor {
    type Err = CursorInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| {
            // `parse` alone would take a sign and leading zeros: two texts for one cursor.
            let number: i64 = digits.parse().map_err(|_| CursorInvalid)?;
            if number >= 0 && number.to_string() == digits {
                Ok(number)
            } else {
                Err(CursorInvalid)
            }
        };
        let (xid, seq) = text.split_once('.').ok_or(CursorInvalid)?;
        Ok(Self {
            xid: number(xid)?,
            seq: number(seq)?,
        })
    }
}

/// An event as the feed shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEvent {
    /// Resume here after this event.
    pub cursor: Cursor,
    /// Its identity.
    pub event_id: EventId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Full name of the protobuf message.
    pub event_type: String,
    /// The aggregate.
    pub key: String,
    /// The encoded message.
    pub payload: Body,
    /// What travels beside it.
    pub headers: OutboxHeaders,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// A piece of one organization's feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// In feed order.
    pub events: Vec<FeedEvent>,
    /// Where to go on. It moves forward even without events, so that a quiet reader does not fall behind the retention.
    pub next: Cursor,
    /// The page is full: ask again at once.
    pub full: bool,
    /// There is more that is committed but not settled yet: ask again within milliseconds, without waiting to be woken.
    pub behind: bool,
    /// Events after the given cursor are no longer kept: the client must load its lists afresh.
    pub expired: bool,
}

#[derive(FromRow)]
struct Row {
    position: i64,
    horizon: i64,
    floor: i64,
    // Null together, when the organization has nothing after its cursor.
    seq: Option<i64>,
    commit_xid: Option<i64>,
    event_id: Option<EventId>,
    event_type: Option<String>,
    key: Option<String>,
    payload: Option<Body>,
    headers: Option<Json<OutboxHeaders>>,
    occurred_at: Option<DateTime<Utc>>,
}

impl Row {
    fn event(self, organization_id: OrganizationId) -> Option<FeedEvent> {
        Some(FeedEvent {
            cursor: Cursor {
                xid: self.commit_xid?,
                seq: self.seq?,
            },
            event_id: self.event_id?,
            organization_id,
            event_type: self.event_type?,
            key: self.key?,
            payload: self.payload?,
            headers: self.headers?.0,
            occurred_at: self.occurred_at?,
        })
    }
}

impl FeedPage {
    fn new(organization_id: OrganizationId, after: Cursor) -> Self {
        Self {
            organization_id,
            events: Vec::new(),
            next: after,
            full: false,
            behind: false,
            expired: false,
        }
    }

    /// Takes the organization's next row, in feed order.
    fn take(&mut self, row: Row, after: Cursor, limit: usize) {
        let horizon = row.horizon;
        self.expired = after != Cursor::START && after.xid <= row.floor;
        if let Some(event) = row.event(self.organization_id) {
            if event.cursor.xid >= horizon {
                self.behind = true;
            } else {
                self.next = event.cursor;
                self.events.push(event);
            }
        }
        self.full = self.events.len() >= limit;
        if !self.full {
            // Everything below the horizon has been shown.
            self.next = self.next.max(Cursor {
                xid: horizon,
                seq: 0,
            });
        }
    }
}

/// Reads the feed.
#[derive(Debug)]
pub struct Feed;

impl Feed {
    /// The place behind everything that is settled now: where a client without a cursor begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn now(tx: &mut impl AsTx) -> Result<Cursor, DbError> {
        let now = tx.db().sql().outbox.feed.now.clone();
        let oldest_running: i64 = now.scalar().fetch_one(tx.conn()).await?;
        Ok(Cursor {
            xid: oldest_running,
            seq: 0,
        })
    }

    /// The events of `organization_id` after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        tx: &mut impl AsTx,
        organization_id: OrganizationId,
        after: Cursor,
        limit: u32,
    ) -> Result<FeedPage, DbError> {
        let pages = read(tx, &[(organization_id, after)], limit).await?;
        Ok(pages
            .into_iter()
            .next()
            .unwrap_or_else(|| FeedPage::new(organization_id, after)))
    }

    /// The events after a cursor for each of several organizations, at most `limit` each, in one statement: for the one
    /// reader of a process that serves many open streams. The pages come in the order of `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_many(
        tx: &mut SystemTx,
        after: &[(OrganizationId, Cursor)],
        limit: u32,
    ) -> Result<Vec<FeedPage>, DbError> {
        read(tx, after, limit).await
    }
}

#[tracing::instrument(name = "db.outbox.feed", level = "debug", skip_all)]
async fn read(
    tx: &mut impl AsTx,
    after: &[(OrganizationId, Cursor)],
    limit: u32,
) -> Result<Vec<FeedPage>, DbError> {
    let list = tx.db().sql().outbox.feed.list.clone();
    let rows: Vec<Row> = list
        .rows()
        .bind(after.iter().map(|(id, _)| id.as_uuid()).collect::<Vec<_>>())
        .bind(
            after
                .iter()
                .map(|(_, cursor)| cursor.xid)
                .collect::<Vec<_>>(),
        )
        .bind(
            after
                .iter()
                .map(|(_, cursor)| cursor.seq)
                .collect::<Vec<_>>(),
        )
        .bind(i64::from(limit))
        .fetch_all(tx.conn())
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut pages: Vec<FeedPage> = after
        .iter()
        .map(|(organization_id, cursor)| FeedPage::new(*organization_id, *cursor))
        .collect();
    for row in rows {
        // Positions count from 1.
        let index = usize::try_from(row.position - 1).unwrap_or(usize::MAX);
        if let (Some(page), Some((_, cursor))) = (pages.get_mut(index), after.get(index)) {
            page.take(row, *cursor, limit);
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_exactly_one_text() {
        let cursor = Cursor { xid: 1234, seq: 5 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "-1.2",
            "1.-2",
            "+1.2",
            "01.2",
            "1.2.3",
            "1.99999999999999999999",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorInvalid), "{text}");
        }
    }
}
