use std::time::Duration;

use auth::Origin;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ids::MediaId;
use proto::messaging::{
    events::v1::{MediaFailed, MediaReady},
    v1::ConnectChannelRequest,
};
use sandbox::meta::{Call, FaultKind};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    fixture::Fixture,
    jobs::transfers,
    media::stage::{NUMBER, Stage, png},
    ops::connect_channel::connect_channel,
    store::media as store,
};

const HOUR: Duration = Duration::from_hours(1);

/// What the webhook says of an image.
fn image(id: &str, bytes: &[u8]) -> serde_json::Value {
    let sha256 = STANDARD.encode(Sha256::digest(bytes));
    json!({ "id": id, "mime_type": "image/png", "sha256": sha256, "caption": "look" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_file_is_pending_with_its_message_and_ready_once_fetched() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
    assert_eq!(stage.fixture.count("messages").await, 1);
    assert_eq!(stage.media(media_id).await.state, "pending");

    assert_eq!(stage.fetch().await, 1);
    let media = stage.media(media_id).await;
    assert_eq!(
        (media.state.as_str(), media.mime_type.as_str()),
        ("ready", "image/png")
    );
    assert_eq!(media.size_bytes, i64::try_from(bytes.len()).ok());
    assert_eq!((media.width, media.height), (Some(8), Some(4)));
    assert_eq!(stage.kept().await, 2, "the file and its thumbnail");
    assert_eq!(stage.told::<MediaReady>().await, 1);
    assert_eq!(stage.fetch().await, 0, "the job is done");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_that_is_down_costs_time_and_nothing_else() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
    for (call, kind) in [
        (Call::MediaUrl, FaultKind::ServerErrorBeforeAccept),
        (Call::MediaDownload, FaultKind::ServerErrorBeforeAccept),
        (Call::MediaDownload, FaultKind::ResetMidResponse),
        (Call::MediaUrl, FaultKind::Http429),
        (Call::MediaUrl, FaultKind::GarbageBody),
    ] {
        // More than the client repeats by itself.
        stage.fault(call, kind, 0);
        let hand = stage.fixture.hand.clone();
        let moving = async move {
            loop {
                // Pauses within a call wait for the test's clock.
                tokio::time::sleep(Duration::from_millis(5)).await;
                hand.advance(Duration::from_secs(1));
            }
        };
        tokio::select! {
            fetched = stage.fetch() => assert_eq!(fetched, 1, "{kind:?}"),
            () = moving => unreachable!(),
        }
        assert_eq!(stage.media(media_id).await.state, "pending", "{kind:?}");
        stage.sandbox.meta().remove_faults(None);
        // Longer than any pause, and than the circuit stays open.
        stage.fixture.hand.advance(2 * HOUR);
    }
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(media_id).await.state, "ready");
    assert_eq!(stage.told::<MediaFailed>().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_over_a_file_leaves_it_to_the_next_one_and_it_is_kept_once() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
    assert_eq!(stage.fetch().await, 1);
    // As if it had died after the bytes were kept and before that was said.
    sqlx::raw_sql(
        "update messaging.media set state = 'pending', ready_at = null;
         update messaging.jobs set state = 'running', leased_by = 'dead', lease_until = '-infinity', finished_at = null",
    )
    .execute(&mut stage.fixture.admin().await)
    .await
    .expect("a crash");
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(media_id).await.state, "ready");
    assert_eq!(stage.kept().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_in_two_messages_is_kept_once() {
    let stage = Stage::new().await;
    let bytes = png(1);
    for _ in 0..2 {
        let id = stage.file_at_whatsapp("image/png", &bytes).await;
        let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
        stage.fetch().await;
        assert_eq!(stage.media(media_id).await.state, "ready");
    }
    assert_eq!(stage.kept().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_whatsapp_does_not_have_fails_when_its_id_ends() {
    let stage = Stage::new().await;
    let (_, unknown) = stage.arrives("image", image("123456", b"x")).await;
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(unknown).await.state, "pending");
    stage.fixture.hand.advance(Duration::from_hours(24 * 7));
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(unknown).await.state, "failed");
    assert_eq!(stage.told::<MediaFailed>().await, 1);

    let (_, nameless) = stage
        .arrives("image", json!({ "mime_type": "image/png" }))
        .await;
    assert_eq!(stage.media(nameless).await.problem, "gone");
    assert_eq!(stage.fetch().await, 0, "there is nothing to fetch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_it_says_is_refused_and_not_kept() {
    let stage = Stage::new().await;
    let id = stage.file_at_whatsapp("image/png", b"<script>").await;
    let (_, media_id) = stage.arrives("image", image(&id, b"<script>")).await;
    stage.fetch().await;
    let media = stage.media(media_id).await;
    assert_eq!(
        (media.state.as_str(), media.problem.as_str()),
        ("failed", "type_refused")
    );
    assert_eq!(stage.kept().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_is_asked_until_its_id_ends_and_then_the_file_has_failed() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
    stage.fault(Call::MediaUrl, FaultKind::TokenExpired, 0);
    assert_eq!(stage.fetch().await, 1);
    stage.fixture.hand.advance(Duration::from_hours(24 * 7 - 1));
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(media_id).await.state, "pending");
    stage.fixture.hand.advance(HOUR);
    assert_eq!(stage.fetch().await, 1, "the last look is when the id ends");
    let media = stage.media(media_id).await;
    assert_eq!(
        (media.state.as_str(), media.problem.as_str()),
        ("failed", "gone")
    );
    assert_eq!(stage.fetch().await, 0);
}

/// A person connects the number again, with another token.
async fn connect(stage: &Stage) {
    let request = ConnectChannelRequest {
        phone_number_id: NUMBER.to_owned(),
        waba_id: "2001".to_owned(),
        access_token: "t".to_owned(),
        ..ConnectChannelRequest::default()
    };
    let (engine, scope) = (&stage.fixture.engine, stage.fixture.scope());
    let connected = connect_channel(engine, &scope, &Origin::default(), request).await;
    connected.expect("a channel");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_wait_for_a_better_token_are_fetched_once_the_channel_has_one() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
    stage.fault(Call::MediaUrl, FaultKind::TokenExpired, 0);
    assert_eq!(stage.fetch().await, 1);
    stage.sandbox.meta().remove_faults(None);
    stage.fixture.hand.advance(Duration::from_secs(1));
    assert_eq!(stage.fetch().await, 0, "it is asked for again much later");
    connect(&stage).await;
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(media_id).await.state, "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_asked_for_with_the_old_token_meanwhile_does_not_wait_either() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let (_, media_id) = stage.arrives("image", image(&id, &bytes)).await;
    let engine = &stage.fixture.engine;
    let leased = transfers::claim(engine, super::KIND, 8).await;
    let job = leased.expect("jobs").remove(0);
    let fetching = super::Fetching {
        engine,
        scope: stage.fixture.scope(),
        id: media_id,
        job: &job,
    };
    let mut tx = stage.fixture.tenant().await;
    let of = stage.fixture.route.organization_id;
    let wanted = store::find_wanted(tx.conn(), of, media_id).await;
    let wanted = wanted.expect("read").expect("wanted");
    drop(tx);
    let (sender, _) = fetching.sender(&wanted).await.expect("the old token");
    stage.fixture.hand.advance(Duration::from_secs(1));
    connect(&stage).await;
    fetching
        .again(&wanted, sender.updated_at, HOUR, "token expired")
        .await
        .expect("waiting");
    assert_eq!(stage.fetch().await, 1);
    assert_eq!(stage.media(media_id).await.state, "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_with_many_files_delays_no_other() {
    let mut stage = Stage::new().await;
    let many = stage.fixture.route;
    let push = async |fixture: &Fixture, count: usize| {
        let jobs: Vec<_> = (0..count)
            .map(|_| super::job(fixture.route, MediaId::generate(), fixture.now()))
            .collect();
        let mut tx = fixture.tenant().await;
        db::jobs::push(&mut tx, &jobs).await.expect("jobs");
        tx.commit().await.expect("commit");
    };
    push(&stage.fixture, 1_000).await;
    stage.fixture.hand.advance(Duration::from_secs(1));
    stage.fixture.add_tenant("1002").await;
    push(&stage.fixture, 2).await;
    let leased = transfers::claim(&stage.fixture.engine, super::KIND, 8).await;
    let leased = leased.expect("jobs");
    let of_many = leased
        .iter()
        .filter(|job| job.organization_id == Some(many.organization_id));
    assert_eq!((leased.len(), of_many.count()), (7, 5));
    let more = transfers::claim(&stage.fixture.engine, super::KIND, 8).await;
    assert_eq!(more.expect("jobs"), [], "a place is left for a third");
}
