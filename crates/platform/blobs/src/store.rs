//! The kept files.

use std::{fmt, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{
    StreamExt, TryStreamExt,
    future::try_join_all,
    stream::{self, BoxStream},
};
use ids::OrganizationId;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, path::Path,
};

use crate::{BlobError, Digest, Spool, Spooled};

/// For one question to the store.
const DEADLINE: Duration = Duration::from_secs(30);
/// For one part of a large file.
const PART_DEADLINE: Duration = Duration::from_mins(1);
/// Larger files go in parts of this size (S3 wants at least 5 MiB); so much of one file is in memory.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Says whose store it is. It is no organization's, so it is never listed.
const OWNER: &str = "owner";
/// A name has fewer bytes; what is longer is not ours and not read to its end.
const OWNER_BYTES: u64 = 200;

/// Files of all organizations. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    spool: Option<PathBuf>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.objects)
    }
}

/// A file being read.
pub struct Blob {
    /// Of the whole file, in bytes.
    pub size_bytes: u64,
    /// Which of them come.
    pub range: Range<u64>,
    /// They, piece by piece.
    pub body: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("size_bytes", &self.size_bytes)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// A file that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Its name.
    pub digest: Digest,
    /// When it was last kept.
    pub kept_at: DateTime<Utc>,
}

impl Store {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, spool: Option<PathBuf>) -> Self {
        Self { objects, spool }
    }

    /// A place for a file of at most `limit` bytes to arrive at.
    ///
    /// # Errors
    /// [`BlobError::Spool`] when the disk has none.
    pub async fn spool(&self, limit: u64) -> Result<Spool, BlobError> {
        Spool::open(self.spool.as_deref(), limit).await
    }

    /// Keeps a file; one that is kept already counts as kept now. When it fails or is cut off there is no such file, or
    /// the one that there was.
    ///
    /// # Errors
    /// When the store fails or takes too long.
    pub async fn keep(
        &self,
        organization_id: OrganizationId,
        file: &mut Spooled,
    ) -> Result<(), BlobError> {
        let path = place(organization_id, file.digest());
        file.rewind().await?;
        if file.size_bytes() <= PART_BYTES as u64 {
            let bytes = file.part(PART_BYTES).await?;
            let payload = PutPayload::from_bytes(bytes);
            let put = self.objects.put(&path, payload);
            within("keeping a file", PART_DEADLINE, put).await?;
            return Ok(());
        }
        let begin = self.objects.put_multipart(&path);
        let mut upload = within("keeping a file", DEADLINE, begin).await?;
        let kept = put_parts(upload.as_mut(), file).await;
        if kept.is_err() {
            // The store deletes parts that nobody completes by its own rules where even this fails.
            drop(within("giving a file up", DEADLINE, upload.abort()).await);
        }
        kept
    }

    /// Bytes of our own making as a file to be kept.
    ///
    /// # Errors
    /// [`BlobError::Spool`].
    pub async fn spool_bytes(&self, bytes: &[u8]) -> Result<Spooled, BlobError> {
        let mut spool = self.spool(bytes.len() as u64).await?;
        spool.write(bytes).await?;
        spool.finish(None).await
    }

    /// The size of a file in bytes.
    ///
    /// # Errors
    /// [`BlobError::NotFound`]; when the store fails.
    pub async fn size(
        &self,
        organization_id: OrganizationId,
        digest: Digest,
    ) -> Result<u64, BlobError> {
        let path = place(organization_id, digest);
        let head = within("looking at a file", DEADLINE, self.objects.head(&path)).await?;
        Ok(head.size)
    }

    /// Reads a file, or the bytes of it in `range`, of which those beyond its end are left out.
    ///
    /// # Errors
    /// [`BlobError::NotFound`]; [`BlobError::RangeInvalid`] when nothing of the range is there; when the store fails.
    pub async fn read(
        &self,
        organization_id: OrganizationId,
        digest: Digest,
        range: Option<Range<u64>>,
    ) -> Result<Blob, BlobError> {
        let path = place(organization_id, digest);
        if let Some(range) = &range {
            let size = self.size(organization_id, digest).await?;
            if range.is_empty() || range.start >= size {
                return Err(BlobError::RangeInvalid);
            }
        }
        let options = GetOptions {
            // Not to the end of all numbers: some stores take that for a mistake.
            range: range.map(|range| match range.end {
                u64::MAX => GetRange::Offset(range.start),
                _ => GetRange::Bounded(range),
            }),
            ..GetOptions::default()
        };
        let get = self.objects.get_opts(&path, options);
        let found = within("reading a file", DEADLINE, get).await?;
        let (size_bytes, range) = (found.meta.size, found.range.clone());
        let body = stream::try_unfold(found.into_stream(), async |mut rest| {
            let next = within("reading a file", DEADLINE, rest.try_next()).await?;
            Ok(next.map(|bytes| (bytes, rest)))
        });
        Ok(Blob {
            size_bytes,
            range,
            body: body.boxed(),
        })
    }

    /// Deletes a file; one that is not there is deleted already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(
        &self,
        organization_id: OrganizationId,
        digest: Digest,
    ) -> Result<(), BlobError> {
        let path = place(organization_id, digest);
        match within("deleting a file", DEADLINE, self.objects.delete(&path)).await {
            Err(BlobError::NotFound) => Ok(()),
            done => done,
        }
    }

    /// Deletes up to `limit` files of an organization; how many there were. Fewer than `limit`: there are no more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_some(
        &self,
        organization_id: OrganizationId,
        limit: usize,
    ) -> Result<usize, BlobError> {
        let prefix = Path::from(organization_id.to_string());
        let listing = self.objects.list(Some(&prefix)).take(limit).try_collect();
        let found: Vec<ObjectMeta> = within("listing files", DEADLINE, listing).await?;
        for chunk in found.chunks(16) {
            try_join_all(chunk.iter().map(async |object| {
                let delete = self.objects.delete(&object.location);
                match within("deleting a file", DEADLINE, delete).await {
                    Err(BlobError::NotFound) => Ok(()),
                    done => done,
                }
            }))
            .await?;
        }
        Ok(found.len())
    }

    /// Who keeps files here, as [`own`](Self::own) wrote it; `None` while nobody has said so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn owner(&self) -> Result<Option<String>, BlobError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(0..OWNER_BYTES)),
            ..GetOptions::default()
        };
        let place = Path::from(OWNER);
        let read = async { self.objects.get_opts(&place, options).await?.bytes().await };
        match within("reading whose store it is", DEADLINE, read).await {
            Ok(name) => Ok(Some(String::from_utf8_lossy(&name).trim().to_owned())),
            Err(BlobError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says that `name` keeps files here, unless somebody has said so before. Whose it is now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn own(&self, name: &str) -> Result<Option<String>, BlobError> {
        let place = Path::from(OWNER);
        let payload = PutPayload::from(name.as_bytes().to_vec());
        let first = PutOptions::from(PutMode::Create);
        let put = self.objects.put_opts(&place, payload.clone(), first);
        match tokio::time::timeout(DEADLINE, put).await {
            Ok(Ok(_) | Err(object_store::Error::AlreadyExists { .. })) => {}
            // A store without conditions: whoever looks after this sees who was last.
            Ok(Err(object_store::Error::NotImplemented { .. })) => {
                if self.owner().await?.is_none() {
                    let put = self.objects.put(&place, payload);
                    within("saying whose store it is", DEADLINE, put).await?;
                }
            }
            Ok(Err(error)) => return Err(BlobError::store("saying whose store it is", error)),
            Err(_elapsed) => {
                return Err(BlobError::Deadline {
                    what: "saying whose store it is",
                });
            }
        }
        self.owner().await
    }

    /// All files of all organizations, in no order. What was put there by somebody else is left out.
    pub fn list(&self) -> BoxStream<'static, Result<Kept, BlobError>> {
        let objects = self.objects.list(None);
        let kept = stream::try_unfold(objects, async |mut rest| {
            let next = within("listing files", DEADLINE, rest.try_next()).await?;
            Ok::<_, BlobError>(next.map(|object| (read(&object), rest)))
        });
        kept.try_filter_map(async |kept| Ok(kept)).boxed()
    }
}

async fn put_parts(upload: &mut dyn MultipartUpload, file: &mut Spooled) -> Result<(), BlobError> {
    loop {
        let part = file.part(PART_BYTES).await?;
        if part.is_empty() {
            break;
        }
        let put = upload.put_part(PutPayload::from_bytes(part));
        within("keeping a file", PART_DEADLINE, put).await?;
    }
    within("keeping a file", DEADLINE, upload.complete()).await?;
    Ok(())
}

fn place(organization_id: OrganizationId, digest: Digest) -> Path {
    Path::from_iter([organization_id.to_string(), digest.to_string()])
}

fn read(object: &ObjectMeta) -> Option<Kept> {
    let (organization, digest) = object.location.as_ref().split_once('/')?;
    Some(Kept {
        organization_id: organization.parse().ok()?,
        digest: digest.parse().ok()?,
        kept_at: object.last_modified,
    })
}

async fn within<T>(
    what: &'static str,
    deadline: Duration,
    work: impl Future<Output = object_store::Result<T>>,
) -> Result<T, BlobError> {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => done.map_err(|error| BlobError::store(what, error)),
        Err(_elapsed) => Err(BlobError::Deadline { what }),
    }
}

#[cfg(test)]
mod tests;
