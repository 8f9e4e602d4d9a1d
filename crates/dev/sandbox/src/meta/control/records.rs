//! Reading the ledger.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    control::{Answer, ControlError, ok},
    meta::{Filter, Meta},
};

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 100_000;

type Asked = Result<Query<Filter>, QueryRejection>;

fn filter(asked: Asked) -> Result<Filter, ControlError> {
    let Query(filter) = asked.map_err(|error| ControlError::Invalid(error.body_text()))?;
    let limit = filter.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST);
    Ok(Filter {
        limit: Some(limit),
        ..filter
    })
}

/// A page, and the `after` of the next one while there may be more.
fn page<T: Serialize>(entries: &[T], filter: &Filter, seq: impl Fn(&T) -> u64) -> Response {
    let full = filter.limit.is_some_and(|limit| entries.len() == limit);
    let next = entries.last().map(seq).filter(|_| full);
    ok(json!({"data": entries, "next_after": next}))
}

pub(super) async fn all(State(meta): State<Meta>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    let ledger = meta.ledger();
    Ok(ok(json!({
        "counters": meta.counters(),
        "sends": ledger.sends(&filter),
        "rejections": ledger.rejections(&filter),
        "deliveries": ledger.deliveries(&filter),
        "read_marks": ledger.read_marks(&filter),
    })))
}

pub(super) async fn counters(State(meta): State<Meta>) -> Answer {
    Ok(ok(meta.counters()))
}

pub(super) async fn sends(State(meta): State<Meta>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    Ok(page(&meta.ledger().sends(&filter), &filter, |entry| {
        entry.seq
    }))
}

pub(super) async fn rejections(State(meta): State<Meta>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    Ok(page(&meta.ledger().rejections(&filter), &filter, |entry| {
        entry.seq
    }))
}

pub(super) async fn deliveries(State(meta): State<Meta>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    Ok(page(&meta.ledger().deliveries(&filter), &filter, |entry| {
        entry.seq
    }))
}

pub(super) async fn read_marks(State(meta): State<Meta>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    Ok(page(&meta.ledger().read_marks(&filter), &filter, |entry| {
        entry.seq
    }))
}

pub(super) async fn clear(State(meta): State<Meta>) -> Answer {
    meta.ledger().clear();
    Ok(ok(json!({"success": true})))
}
