//! Files, as callers read and begin them.

use auth::Conversations;
use ids::MediaId;
use proto::messaging::v1::{MediaKind, MediaState, MessageContent, message_content::Kind};
use serde_json::json;
use tonic::Code;

use super::*;
use crate::media::stage::{Stage, png};

fn begin(kind: MediaKind) -> CreateMediaRequest {
    CreateMediaRequest {
        kind: kind.into(),
        filename: "a.png".to_owned(),
    }
}

fn read(id: &str) -> GetMediaRequest {
    GetMediaRequest {
        media_id: id.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_begun_pending_with_its_limit_and_read_by_its_id() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let view = View::default;
    let begun = service.create_media(asks(&fixture, view(), begin(MediaKind::Image)));
    let begun = begun.await.expect("an upload").into_inner();
    assert_eq!(begun.max_bytes, 5 * 1024 * 1024);
    assert!(begun.upload_url.contains("/upload?expires="));
    let media = begun.media.expect("a file");
    assert_eq!(media.state(), MediaState::Pending);
    assert_eq!(media.url, "", "there is nothing to read yet");
    let found = service
        .get_media(asks(&fixture, view(), read(&media.id)))
        .await;
    assert_eq!(found.expect("the file").into_inner(), media);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_begins_one_upload_and_its_address_is_fresh() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let create = async |kind| {
        let mut request = asks(&fixture, View::default(), begin(kind));
        let context = request.extensions_mut().get_mut::<RequestContext>();
        context.expect("a context").idempotency_key = Some("key".to_owned());
        service.create_media(request).await
    };
    let first = create(MediaKind::Image).await.expect("one").into_inner();
    fixture.hand.advance(std::time::Duration::from_mins(20));
    let again = create(MediaKind::Image).await.expect("again").into_inner();
    assert_eq!(first.media, again.media);
    assert_ne!(first.upload_url, again.upload_url);
    let other = create(MediaKind::Video).await.expect_err("another request");
    assert_eq!(other.code(), Code::FailedPrecondition);
    assert_eq!(fixture.count("media").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_file_is_as_unknown_as_none() {
    let mut fixture = Fixture::new().await;
    let created = service(&fixture)
        .create_media(asks(&fixture, View::default(), begin(MediaKind::Image)))
        .await;
    let theirs = created.expect("one").into_inner().media.expect("a file").id;
    fixture.add_tenant("1002").await;
    let service = service(&fixture);
    let mut refusals = Vec::new();
    for id in [theirs, MediaId::generate().to_string()] {
        let refused = service
            .get_media(asks(&fixture, View::default(), read(&id)))
            .await;
        let refused = refused.expect_err("not found");
        refusals.push((refused.code(), refused.message().to_owned()));
    }
    assert_eq!(refusals[0].0, Code::NotFound);
    assert_eq!(refusals[0], refusals[1]);
    let nonsense = service
        .get_media(asks(&fixture, View::default(), read("msg_1")))
        .await;
    assert_eq!(nonsense.expect_err("no id").code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_file_is_read_by_who_sees_its_conversation() {
    let stage = Stage::new().await;
    let told = stage.file_at_whatsapp("image/png", &png(1)).await;
    let told = json!({ "id": told, "mime_type": "image/png" });
    let (_, id) = stage.arrives("image", told).await;
    let service = service(&stage.fixture);
    let narrow = View {
        conversations: Conversations::Own,
        ..View::default()
    };
    let get = |view| service.get_media(asks(&stage.fixture, view, read(&id.to_string())));
    assert_eq!(
        get(narrow).await.expect_err("hidden").code(),
        Code::NotFound
    );
    get(View::default()).await.expect("the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_few_conversations_reads_what_was_uploaded() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let narrow = || View {
        conversations: Conversations::Own,
        ..View::default()
    };
    let begun = service.create_media(asks(&fixture, narrow(), begin(MediaKind::Image)));
    let begun = begun.await.expect("an upload").into_inner();
    let id = begun.media.expect("a file").id;
    let got = service.get_media(asks(&fixture, narrow(), read(&id)));
    assert_eq!(got.await.expect("the file").into_inner().id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_shows_its_files_as_they_are_now() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let id = stage.file_at_whatsapp("image/png", &bytes).await;
    let told = json!({ "id": id, "mime_type": "image/png" });
    let (message_id, media_id) = stage.arrives("image", told).await;
    let service = service(&stage.fixture);
    let message = async || {
        let message_id = message_id.to_string();
        let request = GetMessageRequest { message_id };
        let found = service
            .get_message(asks(&stage.fixture, View::default(), request))
            .await;
        found.expect("the message").into_inner()
    };
    let pending = message().await;
    assert_eq!(pending.media.len(), 1);
    assert_eq!(pending.media[0].state(), MediaState::Pending);
    stage.fetch().await;
    let ready = message().await;
    assert_eq!(ready.media[0].state(), MediaState::Ready);
    assert_eq!(ready.media[0].id, media_id.to_string());
    assert!(
        ready.media[0]
            .url
            .starts_with("https://files.example/media/")
    );
    assert!(ready.media[0].thumbnail_url.contains("/thumbnail?"));

    let request = ListMessagesRequest {
        conversation_id: ready.conversation_id.clone(),
        ..ListMessagesRequest::default()
    };
    let listed = service
        .list_messages(asks(&stage.fixture, View::default(), request))
        .await;
    assert_eq!(listed.expect("a list").into_inner().messages, [ready]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sent_message_shows_the_file_it_was_sent_with() {
    let stage = Stage::new().await;
    let file = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let thread = stage.fixture.conversation("491701").await;
    let media = proto::messaging::v1::Media {
        kind: MediaKind::Image.into(),
        media_id: file.to_string(),
        ..proto::messaging::v1::Media::default()
    };
    let request = SendMessageRequest {
        conversation_id: thread.id.to_string(),
        content: Some(MessageContent {
            kind: Some(Kind::Media(media)),
        }),
        ..SendMessageRequest::default()
    };
    let service = service(&stage.fixture);
    let sent = service
        .send_message(asks(&stage.fixture, View::default(), request))
        .await;
    let sent = sent.expect("a message").into_inner();
    assert_eq!(sent.media.len(), 1);
    assert_eq!(sent.media[0].id, file.to_string());
}
