use std::time::SystemTime;

use blobs::BlobsConfig;
use ids::MediaId;

use super::*;
use crate::{
    fixture::Fixture,
    store::media::{self as store, Announced, Found},
};

const DAY: Duration = Duration::from_hours(24);

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

/// A row that is to name it.
async fn row(fixture: &Fixture) -> MediaId {
    let (of, id) = (fixture.route.organization_id, MediaId::generate());
    let mut tx = fixture.tenant().await;
    store::insert_upload(tx.conn(), of, id, "image", "", fixture.now())
        .await
        .expect("a row");
    tx.commit().await.expect("commit");
    id
}

fn found(digest: Digest, thumbnail: Option<Digest>) -> Found {
    Found {
        mime_type: "image/png",
        size_bytes: 1,
        digest,
        thumbnail,
        width: None,
        height: None,
    }
}

/// A row that names it, if the bytes can be kept now.
async fn announce(fixture: &Fixture, digest: Digest, thumbnail: Option<Digest>) -> Announced {
    let (of, id) = (fixture.route.organization_id, row(fixture).await);
    let mut tx = fixture.tenant().await;
    let announced = store::announce(tx.conn(), of, id, &found(digest, thumbnail)).await;
    let announced = announced.expect("announce");
    if announced == Announced::Named {
        tx.commit().await.expect("commit");
    }
    announced
}

async fn name(fixture: &Fixture, digest: Digest, thumbnail: Option<Digest>) {
    let announced = announce(fixture, digest, thumbnail).await;
    assert_eq!(announced, Announced::Named);
}

async fn has(fixture: &Fixture, digest: Digest) -> bool {
    let store = &fixture.engine.files.store;
    store
        .size(fixture.route.organization_id, digest)
        .await
        .is_ok()
}

async fn sweep(fixture: &Fixture) -> Swept {
    pass(&fixture.engine, &CancellationToken::new())
        .await
        .expect("a pass")
}

/// A pass that dooms and, a day later, one that deletes.
async fn sweep_twice(fixture: &Fixture) -> Swept {
    sweep(fixture).await;
    fixture.hand.advance(DAY + Duration::from_secs(1));
    sweep(fixture).await
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

    let swept = sweep_twice(&fixture).await;
    assert_eq!((swept.gone, swept.refused), (1, None));
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
    sweep_twice(&fixture).await;
    assert!(has(&fixture, named).await);
    fixture.route = first;
    assert!(!has(&fixture, orphan).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doomed_file_has_a_day_in_which_naming_it_spares_it() {
    let fixture = Fixture::new().await;
    name(&fixture, old_file(&fixture, "named").await, None).await;
    let orphan = old_file(&fixture, "orphan").await;
    assert_eq!(sweep(&fixture).await.gone, 0);
    fixture.hand.advance(DAY);
    assert_eq!(sweep(&fixture).await.gone, 0);
    assert!(has(&fixture, orphan).await);
    name(&fixture, orphan, None).await;
    assert_eq!(fixture.count("doomed_files").await, 0);
    assert_eq!(sweep_twice(&fixture).await.gone, 0);
    assert!(has(&fixture, orphan).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_being_deleted_are_not_kept_until_that_is_over() {
    let fixture = Fixture::new().await;
    name(&fixture, old_file(&fixture, "named").await, None).await;
    let orphan = old_file(&fixture, "orphan").await;
    sweep(&fixture).await;
    fixture.hand.advance(DAY + Duration::from_secs(1));
    // Another process asks the store to delete it, and nobody knows when that happens.
    let (of, since) = (fixture.route.organization_id, fixture.now());
    let files = [orphan.as_bytes().to_vec()];
    let begun = delete::begin(&fixture.engine, of, &files, since).await;
    assert_eq!(begun.expect("begun"), files);
    for (digest, thumbnail) in [(orphan, None), (Digest::from_bytes([7; 32]), Some(orphan))] {
        let announced = announce(&fixture, digest, thumbnail).await;
        assert_eq!(announced, Announced::BeingDeleted);
    }
    assert_eq!(sweep(&fixture).await.gone, 0, "it is in other hands");
    let deleting = &fixture.engine.files.store;
    deleting.delete(of, orphan).await.expect("deleted, late");
    delete::finish(&fixture.engine, of, &files, since)
        .await
        .expect("said so");
    name(&fixture, orphan, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_nobody_finished_is_done_again_and_only_then_over() {
    let fixture = Fixture::new().await;
    name(&fixture, old_file(&fixture, "named").await, None).await;
    let orphan = old_file(&fixture, "orphan").await;
    sweep(&fixture).await;
    fixture.hand.advance(DAY + Duration::from_secs(1));
    let (of, since) = (fixture.route.organization_id, fixture.now());
    let files = [orphan.as_bytes().to_vec()];
    delete::begin(&fixture.engine, of, &files, since)
        .await
        .expect("begun, by one that dies");
    fixture.hand.advance(Duration::from_mins(31));
    assert_eq!(sweep(&fixture).await.gone, 1);
    assert_eq!(announce(&fixture, orphan, None).await, Announced::Named);
    // The dead one's word changes nothing any more.
    delete::finish(&fixture.engine, of, &files, since)
        .await
        .expect("said so");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_is_naming_a_file_nothing_of_the_organization_is_deleted() {
    let fixture = Fixture::new().await;
    name(&fixture, old_file(&fixture, "named").await, None).await;
    let orphan = old_file(&fixture, "orphan").await;
    sweep(&fixture).await;
    fixture.hand.advance(DAY + Duration::from_secs(1));
    let (of, id) = (fixture.route.organization_id, row(&fixture).await);
    let mut tx = fixture.tenant().await;
    let other = Digest::from_bytes([7; 32]);
    store::announce(tx.conn(), of, id, &found(other, None))
        .await
        .expect("announce");
    assert_eq!(sweep(&fixture).await.gone, 0);
    drop(tx);
    assert_eq!(sweep(&fixture).await.gone, 1);
    assert!(!has(&fixture, orphan).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_installation_is_left_alone() {
    let fixture = Fixture::new().await;
    let store = &fixture.engine.files.store;
    store.own("another").await.expect("said");
    let theirs = old_file(&fixture, "theirs").await;
    let swept = sweep_twice(&fixture).await;
    let owner = Some("another".to_owned());
    assert_eq!(swept.refused, Some(Refused::Store { owner }));
    assert!(has(&fixture, theirs).await);
    assert_eq!(fixture.count("doomed_files").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_full_of_files_that_this_database_does_not_know_is_not_claimed() {
    let fixture = Fixture::new().await;
    let store = &fixture.engine.files.store;
    let theirs = old_file(&fixture, "theirs").await;
    let swept = sweep_twice(&fixture).await;
    assert_eq!(swept.refused, Some(Refused::Store { owner: None }));
    assert!(has(&fixture, theirs).await);
    assert_eq!(store.owner().await.expect("nobody"), None);
    // One file that a row of ours names, and it is ours.
    name(&fixture, theirs, None).await;
    assert_eq!(sweep(&fixture).await.refused, None);
    assert!(store.owner().await.expect("us").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_claimed_and_another_database_finds_it_taken() {
    let fixture = Fixture::new().await;
    assert_eq!(sweep(&fixture).await, Swept::default());
    let other = Fixture::new().await;
    sqlx::query("update messaging.installation set id = gen_random_uuid()")
        .execute(&mut other.admin().await)
        .await
        .expect("another database");
    let config = BlobsConfig {
        path: Some(fixture.folder.path().join("blobs")),
        ..BlobsConfig::default()
    };
    let mut engine = Engine::clone(&other.engine);
    engine.files.store = config.open().expect("the same store");
    let swept = pass(&engine, &CancellationToken::new()).await;
    let refused = swept.expect("a pass").refused;
    assert!(matches!(refused, Some(Refused::Store { owner: Some(_) })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_would_delete_too_large_a_part_deletes_nothing() {
    let fixture = Fixture::new().await;
    let named = old_file(&fixture, "named").await;
    name(&fixture, named, None).await;
    let mut orphans = Vec::new();
    for at in 0..51 {
        orphans.push(old_file(&fixture, &format!("orphan {at}")).await);
    }
    let swept = sweep_twice(&fixture).await;
    let share = Refused::Share {
        doomed: 51,
        seen: 52,
    };
    assert_eq!((swept.gone, swept.refused), (0, Some(share)));
    for orphan in &orphans {
        assert!(has(&fixture, *orphan).await);
    }
    // One less is so few that it may be right.
    name(&fixture, orphans[0], None).await;
    assert_eq!(sweep(&fixture).await.gone, 50);
    assert!(has(&fixture, orphans[0]).await && has(&fixture, named).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_nobody_finished_is_given_up_after_a_day() {
    let fixture = Fixture::new().await;
    row(&fixture).await;
    fixture.hand.advance(DAY);
    abandon(&fixture.db).await.expect("a pass");
    let given_up = "media where state = 'failed' and problem = 'abandoned'";
    assert_eq!(fixture.count(given_up).await, 0);
    fixture.hand.advance(Duration::from_secs(1));
    abandon(&fixture.db).await.expect("a pass");
    assert_eq!(fixture.count(given_up).await, 1);
}
