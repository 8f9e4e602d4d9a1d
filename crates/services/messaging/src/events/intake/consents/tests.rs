//! Webhooks as WhatsApp sends them, and what they say about marketing.

use proto::messaging::v1::Template;
use serde_json::json;
use whatsapp::webhook;

use super::*;
use crate::{
    events::intake::{apply, sort::Sorted},
    fixture::Fixture,
    ops::sight::Sight,
    store::conversations,
};

const NUMBER: &str = "16505551234";

/// One webhook with this field and value.
async fn deliver(fixture: &Fixture, field: &str, value: Value) {
    let mut value = value;
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "49301", "phone_number_id": "1001"});
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "2001", "changes": [{"field": field, "value": value}]}]
    });
    let parsed = webhook::parse(body.to_string().as_bytes()).expect("a webhook");
    let mut sorted = Sorted::default();
    for item in &parsed.items {
        sorted.routed(item, fixture.route, fixture.now(), &|_| None);
    }
    let mut tx = fixture.system().await;
    apply::apply(&mut tx, sorted, fixture.now())
        .await
        .expect("applied");
    tx.commit().await.expect("commit");
}

/// A message of the customer, `seconds` after the beginning.
async fn write(fixture: &Fixture, wamid: &str, seconds: i64, mut message: Value) {
    message["id"] = json!(wamid);
    message["from"] = json!(NUMBER);
    message["timestamp"] = json!((fixture.now().timestamp() - 100 + seconds).to_string());
    let contact = json!({"profile": {"name": "Ada"}, "wa_id": NUMBER});
    deliver(
        fixture,
        "messages",
        json!({"contacts": [contact], "messages": [message]}),
    )
    .await;
}

async fn say(fixture: &Fixture, wamid: &str, seconds: i64, text: &str) {
    write(
        fixture,
        wamid,
        seconds,
        json!({"type": "text", "text": {"body": text}}),
    )
    .await;
}

async fn set(fixture: &Fixture, value: &str, seconds: i64) {
    let preference = json!({
        "wa_id": NUMBER, "detail": "d", "category": "marketing_messages", "value": value,
        "timestamp": fixture.now().timestamp() - 100 + seconds
    });
    let contact = json!({"wa_id": NUMBER});
    let value = json!({"contacts": [contact], "user_preferences": [preference]});
    deliver(fixture, "user_preferences", value).await;
}

async fn answers(fixture: &Fixture) -> i64 {
    fixture
        .count("messages where direction = 2 and author = 'system:consent'")
        .await
}

/// The marketing template that WhatsApp has told of.
async fn send_offer(fixture: &Fixture) -> Result<(), Error> {
    let template = Template {
        name: "offer".to_owned(),
        language: "en_US".to_owned(),
        ..Template::default()
    };
    send(fixture, Kind::Template(template)).await
}

async fn newest(fixture: &Fixture) -> conversations::Conversation {
    let mut tx = fixture.tenant().await;
    let asked = conversations::Ask {
        organization_id: fixture.route.organization_id,
        reader: None,
        reach: None,
        after: None,
        limit: 1,
    };
    let listed = conversations::list(tx.conn(), asked, &conversations::Filter::default()).await;
    listed.expect("conversations").remove(0)
}

async fn send(fixture: &Fixture, kind: Kind) -> Result<(), Error> {
    let conversation = newest(fixture).await;
    let input = Input {
        conversation_id: conversation.id,
        content: MessageContent { kind: Some(kind) },
        reply_to: None,
        expires_at: None,
        idempotency: None,
    };
    let scope = fixture.scope();
    send_message::send_message(&fixture.db, &scope, &Sight::EVERYTHING, input)
        .await
        .map(drop)
}

async fn offer_is_marketing(fixture: &Fixture) {
    fixture.template("offer", "marketing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_is_recorded_with_its_message_and_answered_once() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        say(&fixture, "wamid.1", 1, " Stop! ").await;
    }
    assert_eq!(
        fixture.count("consents").await,
        1,
        "a webhook repeated is one message"
    );
    let proven = "consents where not granted and source = 'keyword' and purpose = 'marketing'
                  and proof ->> 'wamid' = 'wamid.1'";
    assert_eq!(fixture.count(proven).await, 1);
    assert_eq!(answers(&fixture).await, 1);
    say(&fixture, "wamid.2", 2, "stop").await;
    assert_eq!(fixture.count("consents").await, 2);
    assert_eq!(
        answers(&fixture).await,
        1,
        "said again it is not answered again"
    );
    assert_eq!(
        fixture
            .count("outbox where event_type like '%ConsentChanged'")
            .await,
        2
    );

    say(&fixture, "wamid.3", 3, "START").await;
    assert_eq!(fixture.count("consents where granted").await, 1);
    assert_eq!(answers(&fixture).await, 2);
    assert_eq!(
        fixture.count("send_queue").await,
        2,
        "the answers wait like other messages"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn start_alone_agrees_to_nothing_and_other_words_say_nothing() {
    let fixture = Fixture::new().await;
    for (number, text) in ["START", "please stop calling", "Hello"].iter().enumerate() {
        say(&fixture, &format!("wamid.{number}"), 1, text).await;
    }
    assert_eq!(fixture.count("messages").await, 3);
    assert_eq!(fixture.count("consents").await, 0);
    assert_eq!(answers(&fixture).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_of_a_template_says_it_and_a_button_of_another_message_does_not() {
    let fixture = Fixture::new().await;
    let other = json!({"type": "interactive", "interactive": {"type": "button_reply",
        "button_reply": {"id": "stop", "title": "Stop"}}});
    write(&fixture, "wamid.1", 1, other).await;
    assert_eq!(fixture.count("consents").await, 0);
    let button = json!({"type": "button", "button": {"payload": "x", "text": "Stop promotions"}});
    write(&fixture, "wamid.2", 2, button).await;
    assert_eq!(fixture.count("consents where not granted").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_stop_does_not_undo_a_newer_start() {
    let fixture = Fixture::new().await;
    say(&fixture, "wamid.1", 1, "stop").await;
    say(&fixture, "wamid.3", 9, "start").await;
    say(&fixture, "wamid.2", 5, "stop").await;
    assert_eq!(fixture.count("consents").await, 3);
    offer_is_marketing(&fixture).await;
    send_offer(&fixture).await.expect("marketing is wanted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_sets_in_whatsapp_counts_the_same_and_once() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        set(&fixture, "stop", 1).await;
    }
    assert_eq!(
        fixture
            .count("consents where not granted and source = 'whatsapp'")
            .await,
        1
    );
    assert_eq!(
        fixture.count("contacts").await,
        1,
        "also of somebody who never wrote"
    );
    assert_eq!(fixture.count("channel_notices").await, 1);
    set(&fixture, "resume", 2).await;
    set(&fixture, "something new", 3).await;
    assert_eq!(fixture.count("consents where granted").await, 1);
    assert_eq!(fixture.count("consents").await, 2);
    assert_eq!(answers(&fixture).await, 0, "WhatsApp has told the customer");
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing_is_refused_to_who_took_consent_back_and_nothing_else_is() {
    let fixture = Fixture::new().await;
    say(&fixture, "wamid.1", 1, "Hello").await;
    send_offer(&fixture).await.expect("nothing was taken back");
    say(&fixture, "wamid.2", 2, "stop").await;
    send_offer(&fixture)
        .await
        .expect("nobody has said what kind of template it is");
    offer_is_marketing(&fixture).await;
    let refused = send_offer(&fixture).await.expect_err("unwanted");
    assert_eq!(
        errors::Classify::code(&refused).id,
        "messaging.consent_withdrawn"
    );
    let text = Text {
        body: "Your parcel".to_owned(),
        preview_url: false,
    };
    send(&fixture, Kind::Text(text))
        .await
        .expect("no marketing");
    say(&fixture, "wamid.3", 3, "start").await;
    send_offer(&fixture).await.expect("wanted again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_consent_is_taken_back_is_not_sent() {
    let fixture = Fixture::new().await;
    offer_is_marketing(&fixture).await;
    say(&fixture, "wamid.1", 1, "Hello").await;
    send_offer(&fixture).await.expect("wanted");
    set(&fixture, "stop", 2).await;
    let lease = fixture.lease().await;
    let mut tx = fixture.tenant().await;
    let claimed = crate::store::queue::claim(tx.conn(), &lease, fixture.now(), 9).await;
    let claimed = claimed.expect("what is due");
    assert!(
        matches!(&claimed[..], [one] if one.unwanted.as_deref() == Some("marketing") && !one.blocked)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_refused_to_who_took_back_consent_to_its_purpose_and_codes_are_not() {
    for (category, refused) in [
        ("utility", true),
        ("marketing", false),
        ("authentication", false),
    ] {
        let fixture = Fixture::new().await;
        say(&fixture, "wamid.1", 1, "Hello").await;
        fixture.template("offer", category).await;
        send_offer(&fixture).await.expect("nothing was taken back");
        withdraw_utility(&fixture).await;
        match send_offer(&fixture).await {
            Ok(()) => assert!(!refused, "{category}"),
            Err(error) => {
                assert!(refused, "{category}: {error}");
                let detail = errors::Classify::detail(&error).into_owned();
                assert!(detail.contains("utility"), "{detail}");
            }
        }
        let text = Text {
            body: "Your parcel".to_owned(),
            preview_url: false,
        };
        send(&fixture, Kind::Text(text))
            .await
            .expect("an answer is no template");
        let lease = fixture.lease().await;
        let mut tx = fixture.tenant().await;
        let claimed = crate::store::queue::claim(tx.conn(), &lease, fixture.now(), 1).await;
        let unwanted = claimed.expect("what is due").remove(0).unwanted;
        assert_eq!(
            unwanted.as_deref(),
            refused.then_some("utility"),
            "{category}"
        );
    }
}

/// As a member of the organization notes it.
async fn withdraw_utility(fixture: &Fixture) {
    let (of, now) = (fixture.route.organization_id, fixture.now());
    let contact_id = newest(fixture).await.contact_id;
    let mut tx = fixture.tenant().await;
    let consent = Consent {
        id: ConsentId::stamped(now),
        contact_id,
        purpose: Purpose::Utility.word().to_owned(),
        granted: false,
        source: "agent".to_owned(),
        proof: json!({}),
        actor: "system:test".to_owned(),
        occurred_at: now,
        recorded_at: now,
        position: 0,
    };
    consents::insert(tx.conn(), of, &consent)
        .await
        .expect("a consent");
    tx.commit().await.expect("commit");
}
