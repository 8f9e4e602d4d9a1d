use std::time::SystemTime;

use ids::MediaId;

use super::*;
use crate::{
    fixture::Fixture,
    store::media::{self as store, Found},
};

/// A file that is two days old on the disk.
async fn old_file(fixture: &Fixture, text: &str) -> Digest {
    let store = &fixture.engine.files.store;
    let of = fixture.route.organization_id;
    let mut file = store.spool_bytes(text.as_bytes()).await.expect("a file");
    store.keep(of, &mut file).await.expect("kept");
    let path = fixture.folder.path().join("blobs").join(of.to_string());
    let file_on_disk = std::fs::File::options()
        .write(true)
        .open(path.join(file.digest().to_string()))
        .expect("the file");
    let old = SystemTime::from(fixture.now() - TimeDelta::days(2));
    file_on_disk.set_modified(old).expect("a time");
    file.digest()
}

/// A row that names it.
async fn name(fixture: &Fixture, digest: Digest, thumbnail: Option<Digest>) -> MediaId {
    let (of, id) = (fixture.route.organization_id, MediaId::generate());
    let found = Found {
        mime_type: "image/png",
        size_bytes: 1,
        digest,
        thumbnail,
        width: None,
        height: None,
    };
    let mut tx = fixture.tenant().await;
    store::insert_upload(tx.conn(), of, id, "image", "", fixture.now())
        .await
        .expect("a row");
    assert!(
        store::announce(tx.conn(), of, id, &found)
            .await
            .expect("announce")
    );
    tx.commit().await.expect("commit");
    id
}

async fn has(fixture: &Fixture, digest: Digest) -> bool {
    let store = &fixture.engine.files.store;
    store
        .size(fixture.route.organization_id, digest)
        .await
        .is_ok()
}

async fn sweep_all(fixture: &Fixture) {
    pass(&fixture.engine, &CancellationToken::new())
        .await
        .expect("a pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_old_files_that_no_row_names_are_deleted() {
    let fixture = Fixture::new().await;
    let named = old_file(&fixture, "named").await;
    let small = old_file(&fixture, "thumbnail").await;
    name(&fixture, named, Some(small)).await;
    let orphan = old_file(&fixture, "orphan").await;
    let store = &fixture.engine.files.store;
    let mut young = store.spool_bytes(b"young").await.expect("a file");
    let of = fixture.route.organization_id;
    store.keep(of, &mut young).await.expect("kept");

    sweep_all(&fixture).await;
    assert!(!has(&fixture, orphan).await);
    for kept in [named, small, young.digest()] {
        assert!(has(&fixture, kept).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_organization_names_nothing_here() {
    let mut fixture = Fixture::new().await;
    let (first, orphan) = (fixture.route, old_file(&fixture, "same").await);
    fixture.add_tenant("1002").await;
    let named = old_file(&fixture, "same").await;
    name(&fixture, named, None).await;
    sweep_all(&fixture).await;
    assert!(has(&fixture, named).await);
    fixture.route = first;
    assert!(!has(&fixture, orphan).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_is_naming_a_file_nothing_of_the_organization_is_deleted() {
    let fixture = Fixture::new().await;
    let orphan = old_file(&fixture, "orphan").await;
    let id = name(&fixture, orphan, None).await;
    sqlx::query("update messaging.media set sha256 = null")
        .execute(&mut fixture.admin().await)
        .await
        .expect("an orphan");
    let found = Found {
        mime_type: "image/png",
        size_bytes: 1,
        digest: orphan,
        thumbnail: None,
        width: None,
        height: None,
    };
    let mut tx = fixture.tenant().await;
    let of = fixture.route.organization_id;
    store::announce(tx.conn(), of, id, &found)
        .await
        .expect("announce");
    sweep_all(&fixture).await;
    assert!(has(&fixture, orphan).await, "its name is not visible yet");
    tx.commit().await.expect("commit");
    sweep_all(&fixture).await;
    assert!(has(&fixture, orphan).await, "now it is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_nobody_finished_is_given_up_after_a_day() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.tenant().await;
    let of = fixture.route.organization_id;
    store::insert_upload(
        tx.conn(),
        of,
        MediaId::generate(),
        "image",
        "",
        fixture.now(),
    )
    .await
    .expect("a row");
    tx.commit().await.expect("commit");
    fixture.hand.advance(Duration::from_hours(24));
    abandon(&fixture.db).await.expect("a pass");
    let given_up = "media where state = 'failed' and problem = 'abandoned'";
    assert_eq!(fixture.count(given_up).await, 0);
    fixture.hand.advance(Duration::from_secs(1));
    abandon(&fixture.db).await.expect("a pass");
    assert_eq!(fixture.count(given_up).await, 1);
}
