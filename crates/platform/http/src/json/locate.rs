//! Position in a JSON text → path of the value there.

use std::fmt::Write;

/// Longer paths are cut: they come from the sender.
const LONGEST: usize = 200;

/// The bytes before a position as serde_json counts it: lines from 1, columns in bytes consumed.
pub(super) fn offset(body: &[u8], line: usize, column: usize) -> Option<usize> {
    let mut start = 0;
    for _ in 1..line {
        start += body[start..].iter().position(|byte| *byte == b'\n')? + 1;
    }
    Some((start + column).min(body.len()))
}

/// One open object or array, and the member that is being read.
enum Open<'b> {
    Object {
        /// Between its quotes, escapes as they are.
        key: Option<&'b [u8]>,
        key_is_next: bool,
    },
    Array(usize),
}

/// The path of the last value or key that begins before `offset`. The text may be wrong, or end,
/// anywhere.
pub(super) fn path(body: &[u8], offset: usize) -> String {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = 0;
    while at < offset.min(body.len()) {
        match body[at] {
            b'{' => open.push(Open::Object {
                key: None,
                key_is_next: true,
            }),
            b'[' => open.push(Open::Array(0)),
            b'}' | b']' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                Some(Open::Object { key, key_is_next }) => {
                    *key = None;
                    *key_is_next = true;
                }
                None => {}
            },
            b'"' => {
                let end = string_end(body, at + 1);
                if let Some(Open::Object { key, key_is_next }) = open.last_mut()
                    && *key_is_next
                {
                    *key = Some(&body[at + 1..end]);
                    *key_is_next = false;
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    render(&open)
}

/// The closing quote of a string whose content begins at `from`, or the end of the text.
fn string_end(body: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    body.len()
}

fn render(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for level in open {
        match level {
            Open::Object { key: Some(key), .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&String::from_utf8_lossy(key));
            }
            Open::Object { key: None, .. } => {}
            Open::Array(index) => {
                // Writing to a String can't fail.
                let _infallible = write!(path, "[{index}]");
            }
        }
        if path.len() > LONGEST {
            break;
        }
    }
    super::sentence::cut(&mut path, LONGEST);
    path
}
