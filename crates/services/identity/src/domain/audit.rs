//! The chain of the audit log: what is hashed, and how a break shows.

use std::fmt::{self, Write};

use chrono::{DateTime, Utc};
use ids::{AuditEntryId, EventId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Something that was changed. The log keeps it as it is: no secrets.
#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) id: AuditEntryId,
    pub(crate) occurred_at: DateTime<Utc>,
    /// `usr_…`, `key_…`, a service, or `system:…`.
    pub(crate) actor: String,
    /// `session.started`
    pub(crate) action: String,
    /// The id of what was changed.
    pub(crate) target: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    /// The event by which another service told.
    pub(crate) event_id: Option<EventId>,
}

/// Without the values and the address: they are personal data.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} {})", self.action, self.target)
    }
}

/// An entry with its place in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) seq: i64,
    pub(crate) entry: Entry,
    pub(crate) previous_hash: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// A place in the chain and the hash there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) seq: i64,
    pub(crate) hash: [u8; 32],
}

/// What is wrong at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The entry is not what was written, or not where it was written.
    Altered,
    /// There is no entry.
    Removed,
}

impl Entry {
    /// The text that is hashed: every column in a fixed order, as JSON that is the same for equal values.
    pub(crate) fn record(&self, seq: i64) -> String {
        let mut record = String::new();
        let fields = json!([
            seq,
            self.id.to_string(),
            self.occurred_at.timestamp_micros(),
            self.actor,
            self.action,
            self.target,
            self.before,
            self.after,
            self.address,
            self.user_agent,
            self.event_id.map(|id| id.to_string()),
        ]);
        write_canonical(&mut record, &fields);
        record
    }

    /// SHA-256 over the hash before and the record.
    pub(crate) fn hash(&self, seq: i64, previous: &[u8]) -> [u8; 32] {
        let hash = Sha256::new_with_prefix(previous);
        hash.chain_update(self.record(seq)).finalize().into()
    }
}

impl Checkpoint {
    /// Before the first entry.
    pub(crate) const GENESIS: Self = Self {
        seq: 0,
        hash: [0; 32],
    };

    /// Goes on to the next entry, if this is it.
    pub(crate) fn advance(&self, link: &Link) -> Result<Self, Fault> {
        let seq = self.seq + 1;
        if link.seq != seq {
            return Err(Fault::Removed);
        }
        let hash = link.entry.hash(seq, &self.hash);
        if link.previous_hash != self.hash || link.hash != hash {
            return Err(Fault::Altered);
        }
        Ok(Self { seq, hash })
    }
}

/// `jsonb` keeps neither the order of keys nor how a number was written (`1e15` comes back in digits), so this writes
/// keys in order and numbers without an exponent.
fn write_canonical(out: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (position, (name, value)) in fields.into_iter().enumerate() {
                separate(out, position);
                write_text(out, name);
                out.push(':');
                write_canonical(out, value);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                separate(out, position);
                write_canonical(out, item);
            }
            out.push(']');
        }
        Value::String(text) => write_text(out, text),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            // Adding zero turns -0, which `jsonb` does not know, into 0.
            Some(float) => append(out, float + 0.0),
            None => append(out, number),
        },
        Value::Bool(_) | Value::Null => append(out, value),
    }
}

fn separate(out: &mut String, position: usize) {
    if position > 0 {
        out.push(',');
    }
}

fn write_text(out: &mut String, text: &str) {
    append(out, Value::from(text));
}

fn append(out: &mut String, text: impl fmt::Display) {
    write!(out, "{text}").expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests;
