use sha2::{Digest as _, Sha256};

use super::*;
use crate::BlobsConfig;

struct World {
    store: Store,
    first: OrganizationId,
    second: OrganizationId,
    folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let config = BlobsConfig {
        path: Some(folder.path().join("blobs")),
        ..BlobsConfig::default()
    };
    World {
        store: config.open().expect("a store"),
        first: OrganizationId::generate(),
        second: OrganizationId::generate(),
        folder,
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

impl World {
    async fn keep(&self, of: OrganizationId, bytes: &[u8]) -> Digest {
        let mut file = self.store.spool_bytes(bytes).await.expect("a file");
        self.store.keep(of, &mut file).await.expect("kept");
        file.digest()
    }

    async fn read(&self, of: OrganizationId, digest: Digest) -> Result<Vec<u8>, BlobError> {
        let blob = self.store.read(of, digest, None).await?;
        let pieces: Vec<Bytes> = blob.body.try_collect().await?;
        Ok(pieces.concat())
    }

    async fn files(&self) -> Vec<Kept> {
        self.store.list().try_collect().await.expect("a list")
    }
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_for_each_organization() {
    let world = world();
    let kept = world.keep(world.first, b"hello").await;
    assert_eq!(kept, digest(b"hello"));
    assert_eq!(world.keep(world.first, b"hello").await, kept);
    assert_eq!(world.files().await.len(), 1);
    assert_eq!(world.read(world.first, kept).await.expect("it"), b"hello");
    let others = world.read(world.second, kept).await;
    assert!(
        matches!(others, Err(BlobError::NotFound)),
        "another organization has no such file"
    );
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_comes_back_whole() {
    let world = world();
    let large: Vec<u8> = (0..PART_BYTES * 2 + 17)
        .map(|at| u8::try_from(at % 251).expect("small"))
        .collect();
    let mut spool = world
        .store
        .spool(large.len() as u64)
        .await
        .expect("a spool");
    for chunk in large.chunks(100_000) {
        spool.write(chunk).await.expect("room");
    }
    let mut file = spool.finish(Some(digest(&large))).await.expect("whole");
    assert_eq!(file.head(), &large[..crate::HEAD_BYTES]);
    // Read by whoever checks it before it is kept.
    assert_eq!(file.read().await.expect("all").len(), large.len());
    world
        .store
        .keep(world.first, &mut file)
        .await
        .expect("kept");
    let back = world.read(world.first, file.digest()).await.expect("it");
    assert!(back == large);
}

#[tokio::test]
async fn more_than_allowed_is_refused_before_it_is_written() {
    let world = world();
    let mut spool = world.store.spool(5).await.expect("a spool");
    spool.write(b"12345").await.expect("room");
    let refused = spool.write(b"6").await;
    assert!(matches!(refused, Err(BlobError::TooLarge { limit: 5 })));
}

#[tokio::test]
async fn bytes_other_than_announced_are_never_kept() {
    let world = world();
    let mut spool = world.store.spool(100).await.expect("a spool");
    spool.write(b"hell").await.expect("room");
    let refused = spool.finish(Some(digest(b"hello"))).await;
    let refused = refused.expect_err("cut");
    assert!(matches!(refused, BlobError::WrongDigest));
    assert!(refused.is_transient(), "the next transfer may be whole");
    assert_eq!(world.files().await, []);
}

#[tokio::test]
async fn a_range_is_what_there_is_of_it() {
    let world = world();
    let kept = world.keep(world.first, b"0123456789").await;
    let part = async |range: Range<u64>| -> Result<(Range<u64>, Vec<u8>), BlobError> {
        let blob = world.store.read(world.first, kept, Some(range)).await?;
        assert_eq!(blob.size_bytes, 10);
        let pieces: Vec<Bytes> = blob.body.try_collect().await?;
        Ok((blob.range, pieces.concat()))
    };
    assert_eq!(part(2..5).await.expect("it"), (2..5, b"234".to_vec()));
    assert_eq!(part(8..99).await.expect("it"), (8..10, b"89".to_vec()));
    for beyond in [10..11, 99..100] {
        assert!(matches!(part(beyond).await, Err(BlobError::RangeInvalid)));
    }
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_can_be_deleted_again() {
    let world = world();
    let kept = world.keep(world.first, b"hello").await;
    world
        .store
        .delete(world.first, kept)
        .await
        .expect("deleted");
    world.store.delete(world.first, kept).await.expect("again");
    assert!(world.read(world.first, kept).await.is_err());
}

#[tokio::test]
async fn an_organization_goes_in_pieces_and_takes_nothing_of_others() {
    let world = world();
    for text in ["a", "b", "c"] {
        world.keep(world.first, text.as_bytes()).await;
    }
    let others = world.keep(world.second, b"a").await;
    let some = world.store.delete_some(world.first, 2).await;
    assert_eq!(some.expect("two"), 2);
    let rest = world.store.delete_some(world.first, 2).await;
    assert_eq!(rest.expect("the last"), 1);
    assert_eq!(world.read(world.second, others).await.expect("it"), b"a");
    assert_eq!(world.files().await.len(), 1);
}

#[tokio::test]
async fn what_is_not_ours_is_not_listed() {
    let world = world();
    let kept = world.keep(world.first, b"hello").await;
    let folder = world.folder.path().join("blobs");
    std::fs::write(folder.join("README"), "").expect("a file");
    let own = folder.join(world.first.to_string());
    std::fs::write(own.join("not-a-hash"), "").expect("a file");
    let files = world.files().await;
    assert_eq!(files.len(), 1);
    assert_eq!(
        (files[0].organization_id, files[0].digest),
        (world.first, kept)
    );
}

#[tokio::test]
async fn a_store_is_whose_said_so_first_and_that_is_no_file() {
    let world = world();
    assert_eq!(world.store.owner().await.expect("nobody"), None);
    let first = Some("first".to_owned());
    assert_eq!(world.store.own("first").await.expect("said"), first);
    assert_eq!(world.store.own("second").await.expect("late"), first);
    assert_eq!(world.store.owner().await.expect("whose"), first);
    assert_eq!(world.files().await, []);
}
