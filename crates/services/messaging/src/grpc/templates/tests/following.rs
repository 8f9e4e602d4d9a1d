use std::time::Duration;

use bus::{BatchHandler, Delivery, Envelope};
use ids::EventId;
use prost::Message as _;
use proto::{edge::events::v1::WhatsAppReceived, events::DomainEvent};
use sandbox::meta::{Call, Fault, FaultKind};
use serde_json::{Value, json};

use super::*;
use crate::events::on_whatsapp_received::{OnWhatsAppReceived, SUBSCRIPTION};

/// Events of templates that were told.
const TOLD: &str = "outbox where event_type like '%TemplateChanged'";

impl World {
    /// A webhook of the account arrives that Meta made so many seconds ago.
    async fn hears(&self, field: &str, value: Value, seconds_ago: i64) {
        let at = self.fixture.now().timestamp() - seconds_ago;
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": WABA, "time": at, "changes": [{ "field": field, "value": value }] }],
        });
        let received = WhatsAppReceived {
            webhook_id: "wh_1".to_owned(),
            app: "default".to_owned(),
            body: body.to_string().into_bytes(),
            received_at: None,
        };
        let clock = self.fixture.db.clock();
        let delivery = Delivery {
            envelope: Envelope {
                event_id: EventId::generate_at(clock.unix_ms()),
                event_type: WhatsAppReceived::SPEC.event_type.to_owned(),
                organization_id: None,
                key: "wh_1".to_owned(),
                occurred_at: self.fixture.now(),
                traceparent: None,
                causation_id: None,
                actor: None,
                aggregate_version: None,
            },
            exchange: SUBSCRIPTION.exchange.to_owned(),
            routing_key: SUBSCRIPTION.routing_key.to_owned(),
            payload: received.encode_to_vec(),
            attempts: 0,
        };
        let handler = OnWhatsAppReceived {
            clock: clock.clone(),
            callback: self.fixture.engine.callback.clone(),
        };
        let mut tx = self.fixture.system().await;
        handler.handle(&mut tx, &[delivery]).await.expect("handled");
        tx.commit().await.expect("commit");
    }

    /// Meta's id of the template.
    async fn provider_id(&self, name: &str) -> u64 {
        let query = "select provider_id from messaging.templates where name = $1";
        let id: String = sqlx::query_scalar(query)
            .bind(name)
            .fetch_one(&mut self.fixture.admin().await)
            .await
            .expect("an id");
        id.parse().expect("digits")
    }

    /// One pass of the job; whether there was something to do.
    async fn pass(&self) -> bool {
        let pass = sync_templates::pass(&self.fixture.engine).await;
        pass.expect("a pass")
    }

    async fn delete_at_meta(&self, name: &str) {
        let token = "t".to_owned().into();
        let whatsapp = &self.fixture.engine.whatsapp;
        let deleted = whatsapp.delete_template(WABA, &token, name, None).await;
        deleted.expect("deleted");
    }
}

fn status(id: u64, event: &str) -> Value {
    json!({
        "event": event, "message_template_id": id, "message_template_name": "order_ready",
        "message_template_language": "en-US", "reason": "NONE",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_an_account_becomes_ours_and_follows_it() {
    let world = World::new().await;
    world.sync().await;
    let all = world.list(ListTemplatesRequest::default()).await;
    assert!(all.templates.len() >= 4, "the sandbox's own");
    assert!(all.syncs[0].synced_at.is_some());
    let told = world.fixture.count(TOLD).await;
    world.sync().await;
    assert_eq!(world.fixture.count(TOLD).await, told, "nothing is new");

    world.review("order_ready", "APPROVED");
    world.fixture.hand.advance(Duration::from_secs(1));
    world.sync().await;
    let known = world.named("order_ready").await;
    assert_eq!(known.status(), TemplateStatus::Approved);
    assert_eq!(known.category(), TemplateCategory::Utility);
    let definition = known.definition.expect("a definition");
    assert_eq!(definition.body, "Hi {{1}}, it is here.");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_in_the_order_of_names() {
    let world = World::new().await;
    world.sync().await;
    let all = world.list(ListTemplatesRequest::default()).await.templates;
    let mut request = ListTemplatesRequest {
        page_size: 1,
        ..ListTemplatesRequest::default()
    };
    let mut paged = Vec::new();
    loop {
        let page = world.list(request.clone()).await;
        paged.extend(page.templates);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(paged, all);
    assert!(paged.is_sorted_by_key(|template| (template.name.clone(), template.language.clone())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_has_no_more_is_deleted_and_its_name_free_for_another() {
    let world = World::new().await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let former = world.named("order_ready").await;
    world.delete_at_meta("order_ready").await;
    world.review("order_ready", "PENDING");
    world.fixture.hand.advance(Duration::from_secs(1));
    world.sync().await;
    let now = world.named("order_ready").await;
    assert_ne!(now.id, former.id);
    assert_eq!(now.status(), TemplateStatus::Pending);

    world.delete_at_meta("order_ready").await;
    world.fixture.hand.advance(Duration::from_secs(1));
    world.sync().await;
    let get = GetTemplateRequest {
        template_id: now.id,
    };
    let gone = world.service.get_template(world.asks(get)).await;
    let gone = gone.expect("a template").into_inner();
    assert_eq!(gone.status(), TemplateStatus::Deleted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_can_not_be_read_deletes_nothing_and_says_why() {
    let world = World::new().await;
    world.sync().await;
    let before = world.list(ListTemplatesRequest::default()).await.templates;
    let mut fault = Fault::new(FaultKind::TokenExpired);
    fault.call = Call::Management;
    world.sandbox.meta().script(fault);
    world.sync().await;
    let after = world.list(ListTemplatesRequest::default()).await;
    assert_eq!(after.templates, before);
    let failure = &after.syncs[0].failure;
    assert!(failure.contains("token"), "{failure}");
    // It is tried again in minutes, not in an hour.
    assert!(!world.pass().await);
    world.fixture.hand.advance(Duration::from_mins(5));
    assert!(world.pass().await);
    let mended = world.list(ListTemplatesRequest::default()).await;
    assert_eq!(mended.syncs[0].failure, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_move_state_quality_and_category_at_once_and_late_ones_undo_nothing() {
    let world = World::new().await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let id = world.provider_id("order_ready").await;
    world.fixture.hand.advance(Duration::from_mins(10));
    let field = "message_template_status_update";
    let mut paused = status(id, "PAUSED");
    paused["other_info"] = json!({ "title": "FIRST_PAUSE", "description": "Low quality" });
    world.hears(field, paused.clone(), 60).await;
    let known = world.named("order_ready").await;
    assert_eq!(known.status(), TemplateStatus::Paused);
    assert!(known.status_reason.contains("FIRST_PAUSE"));

    let told = world.fixture.count(TOLD).await;
    world.hears(field, paused, 60).await;
    world.hears(field, status(id, "APPROVED"), 120).await;
    let known = world.named("order_ready").await;
    assert_eq!(known.status(), TemplateStatus::Paused);
    assert_eq!(world.fixture.count(TOLD).await, told, "nothing is new");

    let quality = json!({
        "previous_quality_score": "GREEN", "new_quality_score": "RED", "message_template_id": id,
    });
    let field = "message_template_quality_update";
    world.hears(field, quality, 0).await;
    let category = json!({
        "message_template_id": id, "previous_category": "UTILITY", "new_category": "MARKETING",
    });
    world.hears("template_category_update", category, 0).await;
    let announced = json!({
        "message_template_id": id, "new_category": "MARKETING", "correct_category": "UTILITY",
        "category_update_timestamp": 1_800_000_000,
    });
    world.hears("template_category_update", announced, 0).await;
    let known = world.named("order_ready").await;
    assert_eq!(known.quality(), TemplateQuality::Red);
    assert_eq!(known.category(), TemplateCategory::Marketing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_an_unknown_template_has_the_list_read() {
    let world = World::new().await;
    world.sync().await;
    world.review("order_ready", "APPROVED");
    assert!(!world.pass().await);
    let field = "message_template_status_update";
    world.hears(field, status(4_711, "APPROVED"), 0).await;
    assert!(world.pass().await);
    world.named("order_ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_template_stays_deleted_whatever_is_told_late_and_its_name_is_anothers() {
    let world = World::new().await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let former = world.named("order_ready").await;
    let id = world.provider_id("order_ready").await;
    let delete = DeleteTemplateRequest {
        template_id: former.id.clone(),
    };
    let deleted = world.service.delete_template(world.asks(delete)).await;
    deleted.expect("deleted");
    let draft = world.draft("order_ready").await;
    world.fixture.hand.advance(Duration::from_mins(1));
    let field = "message_template_status_update";
    world.hears(field, status(id, "PENDING_DELETION"), 0).await;
    assert_eq!(world.named("order_ready").await.id, draft.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_does_not_stop_a_template_before_the_list_says_so() {
    let world = World::new().await;
    world.review("order_ready", "APPROVED");
    world.sync().await;
    let id = world.provider_id("order_ready").await;
    world.fixture.hand.advance(Duration::from_mins(1));
    for event in ["FLAGGED", "LOCKED", "LIMIT_EXCEEDED"] {
        let field = "message_template_status_update";
        world.hears(field, status(id, event), 0).await;
        let known = world.named("order_ready").await;
        assert_eq!(known.status(), TemplateStatus::Approved, "{event}");
        assert!(world.pass().await, "the list is read after {event}");
    }
}
