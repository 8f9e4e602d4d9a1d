//! Times of a message against our clock.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Expectation, MAX_AGE, MAX_LIFETIME};
use crate::refusal::{Part, Refusal};
use crate::tree::{Element, attribute, instant};

/// A time attribute that must be there.
pub(super) fn required(
    element: Element<'_, '_>,
    part: Part,
    what: &'static str,
) -> Result<DateTime<Utc>, Refusal> {
    optional(element, part, what)?.ok_or(Refusal::InstantMissing { part, what })
}

/// A time attribute that may be there.
pub(super) fn optional(
    element: Element<'_, '_>,
    part: Part,
    what: &'static str,
) -> Result<Option<DateTime<Utc>>, Refusal> {
    attribute(element, what)
        .map(|value| instant(value).ok_or(Refusal::Instant { part, what }))
        .transpose()
}

/// `IssueInstant`: not in the future, and not older than a login takes.
pub(super) fn issued(
    element: Element<'_, '_>,
    part: Part,
    expected: &Expectation<'_>,
) -> Result<DateTime<Utc>, Refusal> {
    let issued = required(element, part, "IssueInstant")?;
    let age = expected.now - issued;
    let seconds = age.num_seconds();
    if age < -expected.skew() {
        Err(Refusal::IssuedInFuture {
            part,
            seconds: -seconds,
        })
    } else if age >= MAX_AGE + expected.skew() {
        Err(Refusal::TooOld { part, seconds })
    } else {
        Ok(issued)
    }
}

/// `NotBefore`, if it is there.
pub(super) fn begun(
    element: Element<'_, '_>,
    part: Part,
    expected: &Expectation<'_>,
) -> Result<(), Refusal> {
    let wait = optional(element, part, "NotBefore")?
        .map_or(TimeDelta::zero(), |start| start - expected.now);
    if wait > expected.skew() {
        let seconds = wait.num_seconds();
        return Err(Refusal::NotYetValid { part, seconds });
    }
    Ok(())
}

/// That an end, which is the first moment that is too late, was not reached.
pub(super) fn lasts(
    end: DateTime<Utc>,
    part: Part,
    expected: &Expectation<'_>,
) -> Result<(), Refusal> {
    let over = expected.now - end;
    if over >= expected.skew() {
        let seconds = over.num_seconds();
        return Err(Refusal::Expired { part, seconds });
    }
    Ok(())
}

/// `NotOnOrAfter`, which must be there, not reached, and a setting rather than a mistake.
pub(super) fn end(
    element: Element<'_, '_>,
    part: Part,
    expected: &Expectation<'_>,
) -> Result<DateTime<Utc>, Refusal> {
    let end = required(element, part, "NotOnOrAfter")?;
    lasts(end, part, expected)?;
    let left = end - expected.now;
    if left > MAX_LIFETIME + expected.skew() {
        let hours = left.num_hours();
        return Err(Refusal::LastsTooLong { part, hours });
    }
    Ok(end)
}
