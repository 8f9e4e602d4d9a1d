//! Lists in pages, by key: a page begins behind the last row of the one before, so its cost does not grow with its
//! number, and rows that appear or go do not shift the rest.
//!
//! A token is opaque: version, fingerprint and the last row's sort key, which whoever has the token can read. It grants
//! nothing; row level security decides what may be seen. The fingerprint covers the list's name, the filters and the key, so a token used
//! with other filters, cut short or edited is refused instead of showing the wrong rows.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use errors::{Classify, Code, codes};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Rows of a page when the caller does not say.
pub const DEFAULT_SIZE: u32 = 25;
/// Rows of a page at most; a larger wish is cut to this.
pub const MAX_SIZE: u32 = 100;

const VERSION: u8 = 1;
const FINGERPRINT: usize = 12;

/// The token does not belong to this list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the page token does not belong to this list")]
pub struct PageTokenInvalid;

impl Classify for PageTokenInvalid {
    fn code(&self) -> &'static Code {
        &codes::PAGE_TOKEN_INVALID
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page with its items converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
        }
    }
}

/// Reads one page of a list sorted by `K`, which must be unique within the list (end it with the id).
#[derive(Debug, Clone)]
pub struct Pager<K> {
    context: [u8; 32],
    size: usize,
    after: Option<K>,
}

impl<K: Serialize + DeserializeOwned> Pager<K> {
    /// Opens a page. `list` names the list and its order; `filters` is everything else that decides which rows are in
    /// it. `page_size` 0 means [`DEFAULT_SIZE`]; an empty token, the first page.
    ///
    /// # Errors
    /// When the token is not one of this list with these filters.
    pub fn new(
        list: &'static str,
        filters: &impl Serialize,
        page_size: u32,
        page_token: &str,
    ) -> Result<Self, PageTokenInvalid> {
        let size = match page_size {
            0 => DEFAULT_SIZE,
            size => size.min(MAX_SIZE),
        };
        Self::of_size(list, filters, size, page_token)
    }

    /// The same for a list with page sizes of its own: `size` rows in a page.
    ///
    /// # Errors
    /// When the token is not one of this list with these filters.
    pub fn of_size(
        list: &'static str,
        filters: &impl Serialize,
        size: u32,
        page_token: &str,
    ) -> Result<Self, PageTokenInvalid> {
        let context = context(list, filters)?;
        let after = match page_token {
            "" => None,
            token => Some(decode(&context, token)?),
        };
        Ok(Self {
            context,
            size: usize::try_from(size).unwrap_or(1),
            after,
        })
    }

    /// The sort key to begin behind.
    pub const fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }

    /// The number of rows to ask the database for: one more than the page, which tells whether there is a next one.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size)
            .unwrap_or(i64::MAX)
            .saturating_add(1)
    }

    /// The token that continues behind `key`, for what is no list of rows.
    pub fn token(&self, key: &K) -> String {
        encode(&self.context, key)
    }

    /// Makes the page of the rows that came back.
    pub fn page<T>(&self, mut rows: Vec<T>, key: impl FnOnce(&T) -> K) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| encode(&self.context, &key(last)));
        Page { items: rows, next }
    }
}

fn context(list: &str, filters: &impl Serialize) -> Result<[u8; 32], PageTokenInvalid> {
    let filters = serde_json::to_vec(filters).map_err(|_| PageTokenInvalid)?;
    let mut hash = Sha256::new();
    hash.update(list.as_bytes());
    // A separator that no name contains.
    hash.update([0]);
    hash.update(filters);
    Ok(hash.finalize().into())
}

fn fingerprint(context: &[u8; 32], key: &[u8]) -> [u8; FINGERPRINT] {
    let digest = Sha256::new()
        .chain_update([VERSION])
        .chain_update(context)
        .chain_update(key)
        .finalize();
    let mut fingerprint = [0; FINGERPRINT];
    fingerprint.copy_from_slice(&digest[..FINGERPRINT]);
    fingerprint
}

fn encode(context: &[u8; 32], key: &impl Serialize) -> String {
    let key = serde_json::to_vec(key).expect("sort keys are numbers, texts, times and ids");
    let mut token = vec![VERSION];
    token.extend_from_slice(&fingerprint(context, &key));
    token.extend_from_slice(&key);
    URL_SAFE_NO_PAD.encode(token)
}

fn decode<K: DeserializeOwned>(context: &[u8; 32], token: &str) -> Result<K, PageTokenInvalid> {
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| PageTokenInvalid)?;
    let (version, rest) = bytes.split_first().ok_or(PageTokenInvalid)?;
    let (stated, key) = rest.split_at_checked(FINGERPRINT).ok_or(PageTokenInvalid)?;
    if *version != VERSION || stated != fingerprint(context, key) {
        return Err(PageTokenInvalid);
    }
    serde_json::from_slice(key).map_err(|_| PageTokenInvalid)
}

#[cfg(test)]
mod tests;
