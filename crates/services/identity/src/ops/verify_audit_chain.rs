//! Verify that the audit log is complete and unaltered.

use auth::RequestContext;
use db::{TenantTx, page::Pager};
use ids::TenantScope;

use super::Tools;
use crate::{
    Error,
    domain::audit::{Checkpoint, Fault, Link},
    store::audit,
};

/// Entries that one call checks: about a second.
const CALL: i64 = 10_000;
/// Entries read at once.
const BATCH: i64 = 1_000;

/// How far the chain is sound.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) last: Checkpoint,
    pub(crate) first_break: Option<Break>,
    /// Continues behind `last`.
    pub(crate) next: Option<String>,
}

/// The first entry that is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Break {
    pub(crate) seq: i64,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Altered,
    Removed,
    Reordered,
    Added,
}

/// Where a walk is.
enum Step {
    /// More is to be read.
    On(Checkpoint),
    /// At the end, or at a break.
    Over(Checkpoint, Option<Break>),
}

/// `known` is what somebody kept of an earlier look.
#[tracing::instrument(skip_all)]
pub(crate) async fn verify_audit_chain(
    tools: &Tools,
    caller: &RequestContext,
    known: Option<Checkpoint>,
    page_token: &str,
) -> Result<Verified, Error> {
    let scope = caller.require_scope()?;
    let filters = (
        &scope.organization_id,
        known.map(|known| (known.seq, known.hash)),
    );
    let pager: Pager<(i64, [u8; 32])> = Pager::new("audit_chain", &filters, 0, page_token)?;
    let mut at = pager
        .after()
        .map_or(Checkpoint::GENESIS, |&(seq, hash)| Checkpoint { seq, hash });
    let until = at.seq + CALL;
    while at.seq < until {
        match step(tools, &scope, at, known).await? {
            Step::On(next) => at = next,
            Step::Over(last, first_break) => {
                if let Some(Break { seq, reason }) = first_break {
                    tracing::error!(organization.id = %scope.organization_id, "the audit log is broken at entry {seq}: {reason:?}");
                }
                return Ok(Verified {
                    last,
                    first_break,
                    next: None,
                });
            }
        }
    }
    Ok(Verified {
        last: at,
        first_break: None,
        next: Some(pager.token(&(at.seq, at.hash))),
    })
}

/// Reads and checks one batch, in a transaction of its own.
async fn step(
    tools: &Tools,
    scope: &TenantScope,
    from: Checkpoint,
    known: Option<Checkpoint>,
) -> Result<Step, Error> {
    let mut tx = TenantTx::begin(&tools.db, scope).await?;
    let end = audit::end(&mut tx).await?;
    // What is added meanwhile is a matter of the next verification.
    let limit = BATCH.min(end.last_entry - from.seq);
    let links = audit::walk(&mut tx, from.seq, limit.max(0)).await?;
    let (at, fault) = check(from, &links, known);
    let step = match fault {
        Some(Fault::Removed) => Step::Over(at, broken(at, Reason::Removed)),
        Some(Fault::Altered) if audit::has_successor(&mut tx, &at).await? => {
            Step::Over(at, broken(at, Reason::Reordered))
        }
        Some(Fault::Altered) => Step::Over(at, broken(at, Reason::Altered)),
        None if at.seq < end.last_entry => Step::On(at),
        None => Step::Over(at, wrong_end(at, &end, known)),
    };
    tx.commit().await?;
    Ok(step)
}

/// How far the entries follow one another, and what is wrong behind.
fn check(
    mut at: Checkpoint,
    links: &[Link],
    known: Option<Checkpoint>,
) -> (Checkpoint, Option<Fault>) {
    for link in links {
        match at.advance(link) {
            // Rewritten from here or from before: sound in itself, but not what was seen once.
            Ok(next) if known.is_some_and(|known| known.seq == next.seq && known != next) => {
                return (at, Some(Fault::Altered));
            }
            Ok(next) => at = next,
            Err(fault) => return (at, Some(fault)),
        }
    }
    (at, None)
}

/// All entries follow one another; is that all of them?
fn wrong_end(at: Checkpoint, end: &audit::End, known: Option<Checkpoint>) -> Option<Break> {
    if end.seq > at.seq || known.is_some_and(|known| known.seq > at.seq) {
        broken(at, Reason::Removed)
    } else if end.seq < at.seq {
        let seq = end.seq + 1;
        Some(Break {
            seq,
            reason: Reason::Added,
        })
    } else if end.hash != at.hash {
        let (seq, reason) = (at.seq, Reason::Altered);
        Some(Break { seq, reason })
    } else {
        None
    }
}

/// The entry behind the last sound one.
#[expect(clippy::unnecessary_wraps, reason = "every caller wants an option")]
const fn broken(last: Checkpoint, reason: Reason) -> Option<Break> {
    let seq = last.seq + 1;
    Some(Break { seq, reason })
}
