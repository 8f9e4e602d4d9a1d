//! Files of messages: where their bytes are, who may have them, and how they go to and from WhatsApp.

pub(crate) mod http;
pub(crate) mod links;
#[cfg(test)]
pub(crate) mod stage;
pub(crate) mod thumbnail;

use std::sync::Arc;

use blobs::Store;
use tokio::sync::Semaphore;
use whatsapp::Client;

use self::links::Links;
use crate::jobs::sweep_files::Brake;

/// What everything that deals with files shares.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) store: Store,
    pub(crate) links: Links,
    /// Places to decode a picture in: one may take hundreds of megabytes.
    pub(crate) pictures: Arc<Semaphore>,
    /// Places to upload in: each may take as much disk as a file may have.
    pub(crate) uploads: Arc<Semaphore>,
    /// Its own client: files that WhatsApp does not hand out must not open the circuit of what is sent.
    pub(crate) graph: Client,
    /// What keeps the sweep from deleting too much.
    pub(crate) brake: Brake,
}

/// Pictures that are decoded at once.
pub(crate) const PICTURES: usize = 2;
/// Files that are uploaded to us at once.
pub(crate) const UPLOADS: usize = 32;
