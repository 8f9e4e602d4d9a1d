use std::time::Duration;

use proto::messaging::v1::{Media, MediaKind, MessageContent, message_content::Kind};
use sandbox::meta::{Call, Fault, FaultKind, Filter};
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    fixture::Thread,
    media::stage::{Stage, png},
    ops::{
        send_message::{self, send_message},
        sight::Sight,
    },
    outbound,
};

const PATIENCE: Duration = Duration::from_mins(1);

impl Stage {
    async fn send(&self, thread: Thread, media_id: MediaId) -> Result<ids::MessageId, Error> {
        self.send_as(thread, media_id, MediaKind::Image).await
    }

    async fn send_as(
        &self,
        thread: Thread,
        media_id: MediaId,
        kind: MediaKind,
    ) -> Result<ids::MessageId, Error> {
        let media = Media {
            kind: kind.into(),
            media_id: media_id.to_string(),
            ..Media::default()
        };
        let input = send_message::Input {
            conversation_id: thread.id,
            content: MessageContent {
                kind: Some(Kind::Media(media)),
            },
            reply_to: None,
            expires_at: None,
            idempotency: None,
        };
        let sent = send_message(
            &self.fixture.db,
            &self.fixture.scope(),
            &Sight::EVERYTHING,
            input,
        )
        .await?;
        Ok(sent.id.parse().expect("an id"))
    }

    /// Lanes and uploads go on until the message has this status.
    async fn works_until(&self, message: ids::MessageId, wanted: Status) {
        let stop = CancellationToken::new();
        let sending = Box::pin(outbound::run(Arc::clone(&self.fixture.engine), stop));
        let reached = Box::pin(eventually(PATIENCE, async || {
            Box::pin(self.upload()).await;
            self.fixture.message(message).await.status == wanted
        }));
        tokio::select! {
            () = sending => unreachable!("it goes on"),
            () = reached => {}
        }
        // The lane is cut off here: its lease must not keep the next one waiting.
        sqlx::query("update messaging.lanes set owner = null, lease_until = '-infinity'")
            .execute(&mut self.fixture.admin().await)
            .await
            .expect("a free lane");
    }

    fn taken(&self) -> usize {
        self.sandbox.ledger().sends(&Filter::default()).len()
    }

    async fn provider_id(&self) -> String {
        sqlx::query_scalar("select provider_id from messaging.media_uploads")
            .fetch_one(&mut self.fixture.admin().await)
            .await
            .expect("one upload")
    }

    async fn set_provider_id(&self, id: &str) {
        sqlx::query("update messaging.media_uploads set provider_id = $1")
            .bind(id)
            .execute(&mut self.fixture.admin().await)
            .await
            .expect("another id");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_once_for_all_messages_of_a_number() {
    let stage = Stage::new().await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let first = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, first).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    let provider_id = stage.provider_id().await;

    // The same bytes, uploaded here a second time.
    let second = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, second).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    assert_eq!(stage.provider_id().await, provider_id);
    assert_eq!(stage.taken(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_is_repeated_and_the_message_goes_once() {
    let stage = Stage::new().await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let file = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, file).await.expect("queued");
    stage.fault(Call::MediaUpload, FaultKind::ServerErrorBeforeAccept, 2);
    let hand = stage.fixture.hand.clone();
    let passing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            hand.advance(Duration::from_secs(5));
        }
    };
    tokio::select! {
        () = stage.works_until(message, Status::Accepted) => {}
        () = passing => unreachable!("time goes on"),
    }
    assert_eq!(stage.taken(), 1);
    assert_eq!(
        stage.fixture.count("attempts").await,
        1,
        "nothing was attempted before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_whatsapp_never_takes_fails_its_message() {
    let stage = Stage::new().await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let file = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, file).await.expect("queued");
    let mut fault = Fault::new(FaultKind::GraphError);
    (fault.call, fault.code, fault.times) = (Call::MediaUpload, Some(131_053), 0);
    stage.sandbox.meta().script(fault);
    stage.works_until(message, Status::Failed).await;
    let failure = stage
        .fixture
        .message(message)
        .await
        .failure
        .expect("a failure");
    assert_eq!(failure["providerCode"], 131_053);
    assert_eq!(stage.taken(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_whatsapp_has_no_more_is_uploaded_again() {
    let stage = Stage::new().await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let file = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, file).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    stage.set_provider_id("424242").await;
    stage.fixture.hand.advance(Duration::from_mins(1));

    let message = stage.send(thread, file).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    assert_ne!(stage.provider_id().await, "424242");
    assert_eq!(stage.taken(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_is_not_about_the_id_is_not_repeated_for_ever() {
    let stage = Stage::new().await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let file = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, file).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    stage.fixture.hand.advance(Duration::from_mins(1));

    let mut fault = Fault::new(FaultKind::GraphError);
    (fault.code, fault.times) = (Some(131_009), 0);
    stage.sandbox.meta().script(fault);
    let message = stage.send(thread, file).await.expect("queued");
    stage.works_until(message, Status::Failed).await;
    let attempts = format!("attempts where message_id = '{}'", message.as_uuid());
    assert_eq!(
        stage.fixture.count(&attempts).await,
        2,
        "once with a new id"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_ends_soon_is_not_used_any_more() {
    let stage = Stage::new().await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let file = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let message = stage.send(thread, file).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    let provider_id = stage.provider_id().await;
    stage
        .fixture
        .hand
        .advance(Duration::from_hours(24 * 28) + Duration::from_secs(1));

    // Somebody who has just written.
    let thread = stage.fixture.conversation("4915112345679").await;
    let message = stage.send(thread, file).await.expect("queued");
    stage.works_until(message, Status::Accepted).await;
    assert_ne!(stage.provider_id().await, provider_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_ready_file_of_the_organization_and_the_kind_can_be_sent() {
    let mut stage = Stage::new().await;
    let foreign = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    stage.fixture.add_tenant("1002").await;
    let thread = stage.fixture.conversation("4915112345678").await;
    let ready = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let (pending, _) = stage.begin(MediaKind::Image, "").await;
    let refusal = |sent: Result<ids::MessageId, Error>| match sent {
        Err(Error::Content(fields)) => format!("{}: {}", fields[0].field, fields[0].message),
        other => panic!("{other:?}"),
    };
    let unknown = "content.media.mediaId: there is no such uploaded file";
    for id in [foreign, MediaId::generate()] {
        assert_eq!(refusal(stage.send(thread, id).await), unknown);
    }
    let told = refusal(stage.send(thread, pending).await);
    assert_eq!(told, "content.media.mediaId: the file is not uploaded yet");
    let told = refusal(stage.send_as(thread, ready, MediaKind::Document).await);
    assert_eq!(
        told,
        "content.media.mediaId: the file was uploaded as another kind"
    );
    assert!(stage.send(thread, ready).await.is_ok());
}
