//! Directories send one operation per member. Neighbours that do the same are made one, so that a
//! thousand of them go through a large group once and not a thousand times.

use serde_json::{Value, json};

use super::operation::{Operation, Verb};
use crate::{
    filter::{Literal, Node, Operator},
    schema::{MEMBERS, VALUE},
};

pub(super) fn gather(operations: Vec<Operation>) -> Vec<Operation> {
    let mut gathered: Vec<Operation> = Vec::with_capacity(operations.len());
    for operation in operations {
        let operation = with_list(operation);
        match gathered.last_mut() {
            Some(last) if last.verb == operation.verb && lists(last) && lists(&operation) => {
                let mut members = elements(last.value.take());
                members.extend(elements(operation.value));
                last.value = Some(Value::Array(members));
            }
            _ => gathered.push(operation),
        }
    }
    gathered
}

/// Whether it adds or removes the members its value lists.
fn lists(operation: &Operation) -> bool {
    let path = &operation.path;
    operation.verb != Verb::Replace
        && operation.value.is_some()
        && path.selection.is_none()
        && path.sub.is_none()
        && path.name.eq_ignore_ascii_case(MEMBERS)
}

/// `remove members[value eq "x"]` as the removal of a list with one member.
fn with_list(mut operation: Operation) -> Operation {
    let path = &mut operation.path;
    if operation.verb != Verb::Remove
        || path.sub.is_some()
        || !path.name.eq_ignore_ascii_case(MEMBERS)
    {
        return operation;
    }
    if let Some(Node::Compare(sub, Operator::Equal, Literal::Text(id))) = &path.selection
        && sub.sub.is_none()
        && sub.name.eq_ignore_ascii_case(VALUE)
        // A blank id reads as none, which a list refuses and a path merely does not find.
        && !id.trim().is_empty()
    {
        operation.value = Some(json!([{ VALUE: id }]));
        path.selection = None;
    }
    operation
}

fn elements(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(elements)) => elements,
        None | Some(Value::Null) => Vec::new(),
        Some(single) => vec![single],
    }
}
