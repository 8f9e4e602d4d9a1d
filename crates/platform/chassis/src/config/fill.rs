//! Reads a type from a tree that may be wrong in many places at once. Serde stops at the first
//! error, so a value that was refused is replaced by a stand-in and the tree is read again, until
//! it can be read as a whole.

use serde::de::DeserializeOwned;

use super::{
    de::{Notes, Pass, Reader, STAND_INS},
    node::Node,
};

/// Each pass settles one value, so this is more than any configuration has keys.
const MAX_PASSES: usize = 2_000;

/// What came of it.
pub(super) struct Filled<T> {
    /// Holds stand-ins where something was wrong; `None` if a value accepts no stand-in.
    pub(super) value: Option<T>,
    pub(super) notes: Notes,
}

/// Reads `T` and notes everything wrong with the tree.
pub(super) fn fill<T: DeserializeOwned>(tree: &Node) -> Filled<T> {
    run(tree, Pass::default())
}

/// Reads `T` as if every key had been given, to learn which keys there are.
pub(super) fn probe<T: DeserializeOwned>(tree: &Node) -> Filled<T> {
    run(
        tree,
        Pass {
            probing: true,
            ..Pass::default()
        },
    )
}

fn run<T: DeserializeOwned>(tree: &Node, mut pass: Pass) -> Filled<T> {
    let mut value = None;
    for _ in 0..MAX_PASSES {
        let error = match T::deserialize(Reader::root(tree, &pass)) {
            Ok(read) => {
                value = Some(read);
                break;
            }
            Err(error) => error,
        };
        let path = error.path.unwrap_or_default();
        if pass.stand_ins.contains(&path) || (pass.probing && error.missing.is_none()) {
            if !offer_another(&mut pass, &path) {
                break;
            }
            continue;
        }
        if error.missing.is_none() {
            let place = error.place.unwrap_or_else(|| path.clone());
            pass.notes
                .get_mut()
                .wrong
                .insert((path.clone(), place, error.message));
            pass.reported.insert(path.clone());
        }
        if path.is_empty() || pass.skipped.contains(&path) {
            break;
        }
        pass.stand_ins.insert(path);
    }
    Filled {
        value,
        notes: pass.notes.into_inner(),
    }
}

/// Moves on to the next stand-in for `path`; false when there is none left.
fn offer_another(pass: &mut Pass, path: &str) -> bool {
    let attempt = pass.attempts.entry(path.to_owned()).or_default();
    *attempt += 1;
    if *attempt <= STAND_INS.len() {
        return true;
    }
    // A probing pass can go on without an optional key; its kind is known by now.
    pass.probing && !path.is_empty() && pass.skipped.insert(path.to_owned())
}
