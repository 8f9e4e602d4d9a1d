//! Where bytes wait until they are known to be good.

use std::{io::SeekFrom, path::Path};

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

use crate::{BlobError, Digest};

/// How much of the beginning of a file [`Spooled::head`] has: enough for every signature of a file type.
pub const HEAD_BYTES: usize = 8 * 1024;

/// A file on its way in: hashed and counted while it is written to the disk. It has no name, so whatever ends the
/// process also deletes it.
#[derive(Debug)]
pub struct Spool {
    file: File,
    hasher: Sha256,
    head: BytesMut,
    size: u64,
    limit: u64,
}

/// A whole file in the spool.
#[derive(Debug)]
pub struct Spooled {
    file: File,
    digest: Digest,
    head: Bytes,
    size: u64,
}

impl Spool {
    pub(crate) async fn open(folder: Option<&Path>, limit: u64) -> Result<Self, BlobError> {
        let folder = folder.map(Path::to_path_buf);
        let opened = tokio::task::spawn_blocking(move || match folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        });
        let file = opened
            .await
            .map_err(|error| BlobError::Spool(error.into()))?
            .map_err(BlobError::Spool)?;
        Ok(Self {
            file: File::from_std(file),
            hasher: Sha256::new(),
            head: BytesMut::new(),
            size: 0,
            limit,
        })
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] when they exceed the limit, before they are written; [`BlobError::Spool`].
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), BlobError> {
        let size = self.size + chunk.len() as u64;
        if size > self.limit {
            return Err(BlobError::TooLarge { limit: self.limit });
        }
        self.size = size;
        self.hasher.update(chunk);
        let missing = HEAD_BYTES - self.head.len();
        self.head
            .extend_from_slice(&chunk[..missing.min(chunk.len())]);
        self.file.write_all(chunk).await.map_err(BlobError::Spool)
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// [`BlobError::WrongDigest`] unless the bytes have the hash that was announced, if one was; [`BlobError::Spool`].
    pub async fn finish(mut self, announced: Option<Digest>) -> Result<Spooled, BlobError> {
        self.file.flush().await.map_err(BlobError::Spool)?;
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        if announced.is_some_and(|announced| announced != digest) {
            return Err(BlobError::WrongDigest);
        }
        Ok(Spooled {
            file: self.file,
            digest,
            head: self.head.freeze(),
            size: self.size,
        })
    }
}

impl Spooled {
    /// Its name.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its first [`HEAD_BYTES`], or all of it.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// In bytes.
    pub const fn size_bytes(&self) -> u64 {
        self.size
    }

    /// All of it: for files that are known to be small.
    ///
    /// # Errors
    /// [`BlobError::Spool`].
    pub async fn read(&mut self) -> Result<Bytes, BlobError> {
        self.rewind().await?;
        let mut all = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        let read = self.file.read_to_end(&mut all).await;
        read.map_err(BlobError::Spool)?;
        Ok(all.into())
    }

    pub(crate) async fn rewind(&mut self) -> Result<(), BlobError> {
        let rewound = self.file.seek(SeekFrom::Start(0)).await;
        rewound.map(drop).map_err(BlobError::Spool)
    }

    /// The next `size` bytes, or what is left.
    pub(crate) async fn part(&mut self, size: usize) -> Result<Bytes, BlobError> {
        let mut part = Vec::with_capacity(size);
        let take = u64::try_from(size).unwrap_or(u64::MAX);
        let read = (&mut self.file).take(take).read_to_end(&mut part).await;
        read.map_err(BlobError::Spool)?;
        Ok(part.into())
    }
}
