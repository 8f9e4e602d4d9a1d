//! What became of the rows of a batch.

use std::time::Duration;

use clock::Jitter;
use db::outbox::{Refusal, Unpublished};

use crate::{Bus, PublishOutcome};

/// Pauses of a row that was not published. What follows under its key waits with it.
const REFUSED_MIN: Duration = Duration::from_secs(1);
const REFUSED_MAX: Duration = Duration::from_mins(5);

/// The rows of a batch by what happened to them.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Row numbers to mark.
    pub(super) published: Vec<i64>,
    pub(super) refused: Vec<Refusal>,
    /// Published although nobody subscribes.
    unrouted: usize,
    /// Refused because there is no queue.
    returned: usize,
    /// Refused because no answer came although the connection lives.
    unanswered: usize,
    /// Rows whose fate is unknown: they stay as they are.
    unknown: usize,
}

impl Settled {
    pub(super) fn sort(rows: &[Unpublished], outcomes: Vec<PublishOutcome>, bus: &Bus) -> Self {
        let (topology, connected) = (bus.topology(), bus.publishing().connected());
        let mut settled = Self::default();
        for (row, outcome) in rows.iter().zip(outcomes) {
            let error = match outcome {
                PublishOutcome::Confirmed => {
                    settled.published.push(row.seq);
                    continue;
                }
                PublishOutcome::Returned(_) if topology.may_be_unrouted(&row.routing_key) => {
                    settled.unrouted += 1;
                    settled.published.push(row.seq);
                    continue;
                }
                // The connection is not to blame, so it may be the row: at once again it would hold
                // up everybody.
                PublishOutcome::Unknown if connected => {
                    settled.unanswered += 1;
                    "no answer from the broker".to_owned()
                }
                PublishOutcome::Unknown => {
                    settled.unknown += 1;
                    continue;
                }
                PublishOutcome::Returned(reason) => {
                    settled.returned += 1;
                    format!("no queue for {}: {reason}", row.routing_key)
                }
                PublishOutcome::Nacked => "refused by the broker or a queue".to_owned(),
                PublishOutcome::Unsendable(error) => error.to_string(),
            };
            settled.refused.push(Refusal {
                seq: row.seq,
                error,
                retry_after: refused_pause(row.attempts, bus.jitter()),
            });
        }
        settled
    }

    /// There is nothing to mark.
    pub(super) fn is_empty(&self) -> bool {
        self.published.is_empty() && self.refused.is_empty()
    }

    pub(super) fn record(&self, bus: &Bus) {
        let metrics = bus.metrics();
        metrics.published("confirmed", self.published.len() - self.unrouted);
        metrics.published("unrouted", self.unrouted);
        metrics.published("returned", self.returned);
        let refused = self.refused.len() - self.returned - self.unanswered;
        metrics.published("refused", refused);
        metrics.published("unknown", self.unknown + self.unanswered);
        if let Some(first) = self.refused.first() {
            tracing::warn!(
                count = self.refused.len(),
                error = first.error,
                "events could not be published and will be tried again"
            );
        }
        if self.unknown > 0 {
            let count = self.unknown;
            tracing::warn!(
                count,
                "the connection was lost before events were confirmed; publishing them again"
            );
        }
    }
}

fn refused_pause(attempts: i32, jitter: &Jitter) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(20);
    jitter.shorten(REFUSED_MIN.saturating_mul(1 << doublings).min(REFUSED_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_row_waits_ever_longer_up_to_five_minutes() {
        let jitter = Jitter::seeded(3);
        for (attempts, longest) in [(0, 1), (1, 2), (5, 32), (9, 300), (i32::MAX, 300)] {
            let pause = refused_pause(attempts, &jitter);
            let longest = Duration::from_secs(longest);
            assert!(
                pause <= longest && pause >= longest / 2,
                "{attempts}: {pause:?}"
            );
        }
    }
}
