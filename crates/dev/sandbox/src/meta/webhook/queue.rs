//! The webhooks waiting for one app, by due time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering as Memory},
    },
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::{locked::Locked, meta::ledger::Item};

/// Queue and delivery slots of one app.
#[derive(Debug)]
pub(in crate::meta) struct Lane {
    heap: Locked<BinaryHeap<Reverse<Timed>>>,
    next_order: AtomicU64,
    /// Work queued, in the hands of the lane's task, or under way.
    open: AtomicUsize,
    pub(super) arrived: Notify,
    in_flight: AtomicUsize,
    pub(super) slot_freed: Notify,
    /// Ends the lane when its app is replaced or everything is reset.
    pub(in crate::meta) stop: CancellationToken,
}

#[derive(Debug)]
pub(super) struct Timed {
    due_at: DateTime<Utc>,
    order: u64,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    Event(Event),
    Retry(Batch),
}

/// One POST, ready to be sent again byte for byte.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) id: u64,
    pub(super) attempt: u32,
    pub(super) url: reqwest::Url,
    pub(super) body: Bytes,
    pub(super) signature: String,
    pub(super) items: Arc<[Item]>,
}

impl Lane {
    pub(in crate::meta) fn new(stop: CancellationToken) -> Self {
        Self {
            heap: Locked::default(),
            next_order: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            arrived: Notify::new(),
            in_flight: AtomicUsize::new(0),
            slot_freed: Notify::new(),
            stop,
        }
    }

    /// Queues an event. `coalesce_ms` puts it into a time slot, so that events of the same slot
    /// travel together.
    pub(in crate::meta) fn push(&self, event: Event, due_at: DateTime<Utc>, coalesce_ms: u32) {
        self.add(Work::Event(event), slot_end(due_at, coalesce_ms));
    }

    pub(super) fn retry(&self, batch: Batch, due_at: DateTime<Utc>) {
        self.add(Work::Retry(batch), due_at);
    }

    fn add(&self, work: Work, due_at: DateTime<Utc>) {
        let order = self.next_order.fetch_add(1, Memory::Relaxed);
        let timed = Timed {
            due_at,
            order,
            work,
        };
        self.open.fetch_add(1, Memory::AcqRel);
        self.heap.with(|heap| heap.push(Reverse(timed)));
        self.arrived.notify_one();
    }

    /// What is due, oldest first.
    pub(super) fn take_due(&self, now: DateTime<Utc>, most: usize) -> Vec<Work> {
        self.heap.with(|heap| {
            let mut due = Vec::new();
            while due.len() < most
                && heap.peek().is_some_and(|Reverse(next)| next.due_at <= now)
                && let Some(Reverse(next)) = heap.pop()
            {
                due.push(next.work);
            }
            due
        })
    }

    pub(super) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.heap
            .with(|heap| heap.peek().map(|Reverse(next)| next.due_at))
    }

    /// A place for one delivery, if fewer than `most` are under way. `works` is how much queued work
    /// the delivery stands for; it is done when the slot is dropped.
    pub(super) fn try_slot(self: &Arc<Self>, most: usize, works: usize) -> Option<Slot> {
        // Only the lane's own task takes slots, so nothing slips in between.
        if self.in_flight.load(Memory::Acquire) >= most.max(1) {
            return None;
        }
        self.in_flight.fetch_add(1, Memory::AcqRel);
        Some(Slot {
            lane: Arc::clone(self),
            works,
        })
    }

    /// Work that needs no delivery after all.
    pub(super) fn close(&self, works: usize) {
        self.open.fetch_sub(works, Memory::AcqRel);
    }

    pub(in crate::meta) fn pending(&self) -> usize {
        self.open.load(Memory::Acquire)
    }
}

/// A delivery under way; gives its place back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    lane: Arc<Lane>,
    works: usize,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lane.close(self.works);
        self.lane.in_flight.fetch_sub(1, Memory::AcqRel);
        self.lane.slot_freed.notify_one();
    }
}

fn slot_end(at: DateTime<Utc>, coalesce_ms: u32) -> DateTime<Utc> {
    let length = i64::from(coalesce_ms.max(1));
    let past = at.timestamp_millis().rem_euclid(length);
    if coalesce_ms <= 1 || past == 0 {
        return at;
    }
    at + TimeDelta::milliseconds(length - past)
}

impl Ord for Timed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due_at, self.order).cmp(&(other.due_at, other.order))
    }
}

impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timed {}
