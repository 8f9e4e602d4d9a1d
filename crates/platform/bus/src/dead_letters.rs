//! What an operator does with events that a service could not process: list, look, replay, discard.
//! Every service offers these as subcommands on its own database; a replay goes to the consumer of
//! that service only.

mod command;

use std::fmt::{self, Write};

use db::{
    Db, DbError, SystemTx, deferred,
    page::{Page, PageTokenInvalid, Pager},
};
use errors::{Classify, Code, codes};
use ids::DeliveryId;

pub use command::{CommandError, command, execute, run};
pub use db::deferred::{DeadLetter, Decision, Filter};

use crate::names::header;

const REASON: &str = "dead letters";

/// Why a command on dead letters failed.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// The database failed.
    #[error("reach the dead letters")]
    Db(#[from] DbError),
    /// The page token belongs to another list.
    #[error(transparent)]
    PageToken(#[from] PageTokenInvalid),
    /// There is no such dead letter: it never was one, or somebody replayed or discarded it.
    #[error("there is no dead letter {0}")]
    NotFound(DeliveryId),
    /// A decision without its author or its reason.
    #[error("say who decides and why")]
    DecisionIncomplete,
}

impl Classify for DeadLetterError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Db(error) => error.code(),
            Self::PageToken(error) => error.code(),
            Self::NotFound(_) => &codes::NOT_FOUND,
            Self::DecisionIncomplete => &codes::REQUEST_INVALID,
        }
    }
}

/// One page of the dead letters that match, the oldest first. `page_size` 0 is the default.
///
/// # Errors
/// When the token belongs to another list, or the database fails.
pub async fn list(
    db: &Db,
    filter: &Filter,
    page_size: u32,
    page_token: &str,
) -> Result<Page<DeadLetter>, DeadLetterError> {
    let pager = Pager::new("dead_letters", filter, page_size, page_token)?;
    let mut tx = SystemTx::begin(db, REASON).await?;
    let page = deferred::list(&mut tx, filter, &pager).await?;
    tx.commit().await?;
    Ok(page)
}

/// One dead letter.
///
/// # Errors
/// When there is none with this id, or the database fails.
pub async fn get(db: &Db, id: DeliveryId) -> Result<DeadLetter, DeadLetterError> {
    let mut tx = SystemTx::begin(db, REASON).await?;
    let letter = deferred::find(&mut tx, id).await?;
    tx.commit().await?;
    letter.ok_or(DeadLetterError::NotFound(id))
}

/// Hands the dead letters that match to their consumer again, unchanged, and answers how many. The
/// running service picks them up within a second or so.
///
/// # Errors
/// When `filter` names one that does not exist, the decision is incomplete, or the database fails.
pub async fn replay(db: &Db, filter: &Filter, decision: &Decision) -> Result<u64, DeadLetterError> {
    check(decision)?;
    let mut tx = SystemTx::begin(db, REASON).await?;
    let replayed = deferred::replay(&mut tx, filter, decision).await?;
    found(filter, replayed)?;
    tx.commit().await?;
    Ok(replayed)
}

/// Puts the dead letters that match aside for good, and answers how many. They stay readable until
/// the retention removes them.
///
/// # Errors
/// When `filter` names one that does not exist, the decision is incomplete, or the database fails.
pub async fn discard(
    db: &Db,
    filter: &Filter,
    decision: &Decision,
) -> Result<u64, DeadLetterError> {
    check(decision)?;
    let mut tx = SystemTx::begin(db, REASON).await?;
    let discarded = deferred::discard(&mut tx, filter, decision).await?;
    found(filter, discarded)?;
    tx.commit().await?;
    Ok(discarded)
}

fn check(decision: &Decision) -> Result<(), DeadLetterError> {
    if decision.by.trim().is_empty() || decision.reason.trim().is_empty() {
        return Err(DeadLetterError::DecisionIncomplete);
    }
    Ok(())
}

fn found(filter: &Filter, rows: u64) -> Result<(), DeadLetterError> {
    match filter.id {
        Some(id) if rows == 0 => Err(DeadLetterError::NotFound(id)),
        _ => Ok(()),
    }
}

/// A page as lines for a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a>(pub &'a Page<DeadLetter>);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.items.is_empty() {
            return writeln!(f, "no dead letters");
        }
        for letter in &self.0.items {
            writeln!(
                f,
                "{}  {}  {}  {}  {} attempts  {}",
                letter.id,
                letter.first_failed_at.format("%Y-%m-%dT%H:%M:%SZ"),
                letter.consumer,
                letter.event_type,
                letter.attempts,
                first_line(&letter.last_error),
            )?;
        }
        match &self.0.next {
            Some(token) => writeln!(f, "more: --token {token}"),
            None => Ok(()),
        }
    }
}

/// One dead letter as lines for a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Details<'a>(pub &'a DeadLetter);

impl Details<'_> {
    /// The trace of the operation that made the event, to search for.
    pub fn trace_id(&self) -> Option<&str> {
        self.0
            .headers
            .get(header::TRACEPARENT)?
            .as_str()?
            .split('-')
            .nth(1)
    }
}

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = self.0;
        let mut line = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<16}{value}");
        line("id", &letter.id)?;
        line("consumer", &letter.consumer)?;
        line("event", &letter.event_id)?;
        line("type", &letter.event_type)?;
        if let Some(organization_id) = letter.organization_id {
            line("organization", &organization_id)?;
        }
        line("first failed", &letter.first_failed_at.to_rfc3339())?;
        line("attempts", &letter.attempts)?;
        line("error", &letter.last_error)?;
        if let Some(trace_id) = self.trace_id() {
            line("trace", &trace_id)?;
        }
        line("body", &format_args!("{} bytes", letter.payload_bytes))?;
        if let Some(headers) = letter.headers.as_object() {
            for (name, value) in headers {
                let name = format!("header {name}");
                match value.as_str() {
                    Some(text) => line(&name, &format_args!(" {text}"))?,
                    None => line(&name, &format_args!(" {value}"))?,
                }
            }
        }
        Ok(())
    }
}

fn first_line(text: &str) -> String {
    const WIDTH: usize = 100;
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(WIDTH).collect();
    if line.chars().nth(WIDTH).is_some() {
        // Writing to a String can't fail.
        let _infallible = short.write_char('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ids::EventId;
    use serde_json::json;

    use super::*;

    fn letter() -> DeadLetter {
        DeadLetter {
            id: DeliveryId::generate_at(1),
            consumer: "desk.on-order-placed".to_owned(),
            event_id: EventId::generate_at(1),
            organization_id: None,
            event_type: "shop.v1.OrderPlaced".to_owned(),
            payload_bytes: 21,
            headers: json!({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}),
            attempts: 9,
            last_error: "no such order\nsecond line".to_owned(),
            first_failed_at: DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time"),
        }
    }

    #[test]
    fn details_name_the_error_the_trace_and_the_size_of_the_body() {
        let letter = letter();
        let text = Details(&letter).to_string();
        assert!(text.contains("no such order"), "{text}");
        assert!(
            text.contains("0af7651916cd43dd8448eb211c80319c\n"),
            "{text}"
        );
        assert!(text.contains("21 bytes"), "{text}");
    }

    #[test]
    fn a_table_has_one_line_for_each_letter_and_says_how_to_go_on() {
        let page = Page {
            items: vec![letter(), letter()],
            next: Some("abc".to_owned()),
        };
        let text = Table(&page).to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.ends_with("more: --token abc\n"), "{text}");
        let empty = Page {
            items: Vec::new(),
            next: None,
        };
        assert_eq!(Table(&empty).to_string(), "no dead letters\n");
    }
}
