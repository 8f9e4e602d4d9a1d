use axum::body::Body;
use ids::OrganizationId;
use proto::messaging::v1::MediaKind;

use super::*;
use crate::{
    domain::media::{Direction, limit},
    media::stage::{Stage, path, png},
};

impl Stage {
    /// The path of an address that was made for this.
    fn signed(&self, target: Target) -> String {
        let links = &self.fixture.engine.files.links;
        path(&links.sign(target, self.fixture.now()).0)
    }

    fn target(&self, media_id: ids::MediaId, variant: Variant) -> Target {
        Target {
            organization_id: self.fixture.route.organization_id,
            media_id,
            variant,
        }
    }

    async fn range(&self, path: &str, range: &str) -> (u16, String, Vec<u8>) {
        let request = http::Request::get(path)
            .header("range", range)
            .body(Body::empty());
        let answer = self.ask(request.expect("a request")).await;
        let span = answer.header("content-range").to_owned();
        (answer.status, span, answer.body)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_file_comes_back_with_headers_that_disarm_it() {
    let stage = Stage::new().await;
    let bytes = png(1);
    let (id, put) = stage.begin(MediaKind::Image, "ä \"1\".png").await;
    let read = stage.signed(stage.target(id, Variant::File));
    assert_eq!(
        stage.get(&read).await.code(),
        "messaging.media_link_invalid"
    );

    let answer = stage.put(&put, "image/png", &bytes).await;
    assert_eq!(answer.status, 200);
    let shown: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(shown["state"], "MEDIA_STATE_READY");
    assert_eq!(shown["mimeType"], "image/png");
    assert_eq!((&shown["width"], &shown["height"]), (&8.into(), &4.into()));

    let answer = stage
        .get(&path(shown["url"].as_str().expect("an address")))
        .await;
    assert_eq!((answer.status, &answer.body), (200, &bytes));
    assert_eq!(answer.header("content-type"), "image/png");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert!(
        answer
            .header("content-disposition")
            .starts_with("inline; filename=\"_ _1_.png\"")
    );
    assert!(answer.header("cache-control").starts_with("private"));

    let thumbnail = path(shown["thumbnailUrl"].as_str().expect("an address"));
    let thumbnail = stage.get(&thumbnail).await;
    assert_eq!(thumbnail.header("content-type"), "image/jpeg");
    assert!(image::load_from_memory(&thumbnail.body).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_its_own_file_for_its_own_purpose() {
    let mut stage = Stage::new().await;
    let id = stage.uploaded(MediaKind::Image, "image/png", &png(1)).await;
    let read = stage.signed(stage.target(id, Variant::File));
    let write = stage.signed(stage.target(id, Variant::Upload));
    assert_eq!(stage.get(&read).await.status, 200);
    assert_eq!(stage.get(&write).await.status, 404);
    assert_eq!(stage.put(&read, "image/png", &png(1)).await.status, 404);

    // A good signature of another organization over this file's id.
    let organization_id = OrganizationId::generate();
    for variant in [Variant::File, Variant::Thumbnail] {
        let foreign = Target {
            organization_id,
            ..stage.target(id, variant)
        };
        assert_eq!(stage.get(&stage.signed(foreign)).await.status, 404);
    }
    // This organization's address with the other's name in it.
    stage.fixture.add_tenant("1002").await;
    let own = stage.uploaded(MediaKind::Image, "image/png", &png(2)).await;
    let own = stage.signed(stage.target(own, Variant::File));
    let (_, query) = own.split_once('?').expect("a query");
    let (there, _) = read.split_once('?').expect("a query");
    assert_eq!(stage.get(&format!("{there}?{query}")).await.status, 404);
    for broken in [there.to_owned(), format!("{there}?expires=x&signature=y")] {
        assert_eq!(stage.get(&broken).await.status, 404, "{broken}");
    }
    stage
        .fixture
        .hand
        .advance(std::time::Duration::from_mins(10));
    assert_eq!(stage.get(&read).await.status, 404, "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_file_is_had_by_its_range() {
    let stage = Stage::new().await;
    let text = b"0123456789";
    let id = stage
        .uploaded(MediaKind::Document, "text/plain", text)
        .await;
    let read = stage.signed(stage.target(id, Variant::File));
    let part = async |range| stage.range(&read, range).await;
    let part_of = |span: &str, bytes: &[u8]| (206, span.to_owned(), bytes.to_vec());
    assert_eq!(part("bytes=2-4").await, part_of("bytes 2-4/10", b"234"));
    assert_eq!(part("bytes=8-").await, part_of("bytes 8-9/10", b"89"));
    assert_eq!(part("bytes=-3").await, part_of("bytes 7-9/10", b"789"));
    assert_eq!(part("bytes=-99").await.0, 206);
    let (status, span, _) = part("bytes=10-").await;
    assert_eq!((status, span.as_str()), (416, "bytes */10"));
    assert_eq!(part("bytes=0-1,4-5").await.0, 200);

    let answer = stage.get(&read).await;
    assert!(
        answer
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    let request = http::Request::get(&read)
        .header("if-none-match", answer.header("etag"))
        .body(Body::empty());
    let again = stage.ask(request.expect("a request")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_whatsapp_would_refuse_is_refused_at_the_door() {
    let stage = Stage::new().await;
    let (id, put) = stage.begin(MediaKind::Image, "").await;
    let answer = stage.put(&put, "image/png", b"<svg/>").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (415, "messaging.media_type_refused")
    );

    let most = usize::try_from(limit(MediaKind::Image, Direction::Outbound)).expect("small");
    let mut large = png(1);
    large.resize(most + 1, 0);
    let answer = stage.put(&put, "image/png", &large).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "messaging.media_too_large")
    );
    assert_eq!(stage.kept().await, 0);
    assert_eq!(
        stage.media(id).await.state,
        "pending",
        "another file may come"
    );
    assert_eq!(stage.put(&put, "image/png", &png(1)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_file_never_becomes_another_one() {
    let stage = Stage::new().await;
    let (id, put) = stage.begin(MediaKind::Image, "").await;
    assert_eq!(stage.put(&put, "image/png", &png(1)).await.status, 200);
    assert_eq!(
        stage.put(&put, "image/png", &png(1)).await.status,
        200,
        "the same again"
    );
    assert_eq!(stage.put(&put, "image/png", &png(2)).await.status, 409);
    let answer = stage
        .get(&stage.signed(stage.target(id, Variant::File)))
        .await;
    assert_eq!(answer.body, png(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_may_ask() {
    let stage = Stage::new().await;
    let (_, put) = stage.begin(MediaKind::Image, "").await;
    let request = http::Request::options(&put).body(Body::empty());
    let answer = stage.ask(request.expect("a request")).await;
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("PUT")
    );
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}
