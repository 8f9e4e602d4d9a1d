use std::fmt;

use serde::de::DeserializeOwned;

use super::Problems;

/// Checks that a value by itself cannot: ranges, shapes, contradictions between keys.
pub trait Validate {
    /// Writes to `problems` what is wrong; keys are relative to this section. Values that were
    /// missing or malformed hold stand-ins here, and what is said about them is dropped.
    fn validate(&self, problems: &mut Problems);
}

/// The configuration of a service: the root struct of its sections.
pub trait Settings: DeserializeOwned + Validate + fmt::Debug + Send + Sync + 'static {
    /// What each key means, for `config schema`. [`review`](super::review) finds what is left out.
    fn docs() -> Docs {
        Docs::new()
    }

    /// Variable names of the older product that set a key of ours. Our own name wins over them.
    fn aliases() -> &'static [Alias] {
        &[]
    }
}

/// A service that needs no configuration of its own.
impl Settings for () {}

impl Validate for () {
    fn validate(&self, _: &mut Problems) {}
}

/// A variable of the older product that operators already have.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// Its name, `REDIS_URL`. With `_FILE` behind it, it names a file.
    pub env: &'static str,
    /// Our dotted key, `limits.redis_url`.
    pub key: &'static str,
}

/// What each key means and what it is when not given.
#[derive(Clone, Debug, Default)]
pub struct Docs(Vec<Doc>);

#[derive(Clone, Debug)]
pub(super) struct Doc {
    pub(super) key: String,
    pub(super) default: &'static str,
    pub(super) text: &'static str,
}

impl Docs {
    /// No keys yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Describes `key`. `default` is written as in the environment, or is empty if the key is
    /// required or simply absent; `text` is one sentence with the unit.
    #[must_use]
    pub fn key(mut self, key: &str, default: &'static str, text: &'static str) -> Self {
        self.0.push(Doc {
            key: key.to_owned(),
            default,
            text,
        });
        self
    }

    /// Describes the keys of a section by a table of (key, default, text), which crates that do
    /// not know this one can offer as a constant.
    #[must_use]
    pub fn section(
        mut self,
        section: &str,
        keys: &[(&'static str, &'static str, &'static str)],
    ) -> Self {
        for (key, default, text) in keys {
            self = self.key(&format!("{section}.{key}"), default, text);
        }
        self
    }

    pub(super) fn find(&self, key: &str) -> Option<&Doc> {
        self.0.iter().find(|doc| doc.key == key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Doc> {
        self.0.iter()
    }
}
