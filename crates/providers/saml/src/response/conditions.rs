//! For whom and until when.

use chrono::{DateTime, Utc};

use super::{Expectation, window};
use crate::ServiceProvider;
use crate::refusal::{Part, Refusal, Shown};
use crate::tree::{ASSERTION, Element, all, elements, only, text};

/// Checks the conditions; returns when they end.
pub(super) fn check(
    sp: &ServiceProvider,
    expected: &Expectation<'_>,
    assertion: Element<'_, '_>,
) -> Result<DateTime<Utc>, Refusal> {
    let conditions =
        only(assertion, (ASSERTION, "Conditions")).ok_or(Refusal::ConditionsMissing)?;
    window::begun(conditions, Part::Conditions, expected)?;
    let end = window::end(conditions, Part::Conditions, expected)?;

    let mut is_for_us = false;
    for condition in elements(conditions) {
        let name = condition.tag_name();
        match (name.namespace(), name.name()) {
            (Some(ASSERTION), "AudienceRestriction") => {
                check_audience(sp, condition)?;
                is_for_us = true;
            }
            // About passing the assertion on, and about using it once, which we do anyway.
            (Some(ASSERTION), "OneTimeUse" | "ProxyRestriction") => {}
            // Core 2.5.1.1: an assertion with a condition nobody understands must not be used.
            _ => {
                return Err(Refusal::UnknownCondition {
                    name: Shown::new(name.name()),
                });
            }
        }
    }
    if is_for_us {
        Ok(end)
    } else {
        Err(Refusal::AudienceMissing)
    }
}

/// One audience of each restriction must be us (Core 2.5.1.4).
fn check_audience(sp: &ServiceProvider, restriction: Element<'_, '_>) -> Result<(), Refusal> {
    let audiences = || all(restriction, (ASSERTION, "Audience")).filter_map(text);
    if audiences().any(|audience| audience == sp.entity_id) {
        return Ok(());
    }
    let audience = audiences().next().ok_or(Refusal::AudienceMissing)?;
    Err(Refusal::Audience {
        audience: Shown::new(audience),
        expected: Shown::new(&sp.entity_id),
    })
}
