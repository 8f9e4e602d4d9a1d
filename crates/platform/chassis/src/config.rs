//! Configuration: defaults in code, then an optional TOML file, then the environment, which wins.
//!
//! A service describes its settings as plain structs deriving `serde::Deserialize`. This module
//! finds out their shape by itself (names, kinds, what is required), so one derive gives loading,
//! unknown-key detection, `…_FILE` secrets and the generated reference table.
//!
//! * `MESSAGING__DB__MAX_CONNECTIONS` sets `db.max_connections` of the service `messaging`; two
//!   underscores go one level down, because one is ambiguous.
//! * Any key may be given as a path instead: `MESSAGING__DB__URL_FILE`, or `url_file` in TOML. The
//!   value and the path together are an error.
//! * A list is comma-separated, or a JSON array when values contain commas.
//! * An empty variable counts as not set: compose files pass empty ones.
//!
//! Every problem is collected before anything is reported, and no message repeats a value.

mod de;
mod docs;
mod env;
mod fill;
mod layers;
mod load;
mod node;
mod problems;
mod schema;

pub use docs::{Alias, Docs, Settings, Validate};
pub use env::EnvSource;
pub(crate) use env::unreadable;
pub(crate) use load::load_pair;
pub use load::{Source, load};
pub use problems::{Problem, Problems};
pub use schema::{Field, review, schema, to_json, to_markdown};

#[cfg(test)]
mod tests;
