//! Customers as tests play them: what they write and set, without the webhooks around it.

use chrono::SubsecRound as _;
use ids::{MessageId, NoticeId};
use proto::messaging::v1::{MessageContent, Text, message_content::Kind};
use serde_json::json;

use super::{
    apply,
    sort::{Incoming, Preferred, Sender, Sorted},
};
use crate::{domain::consent, fixture::Fixture, store::notices::NewNotice};

/// Somebody who shows these identities.
pub(crate) fn sender(identities: &[(&'static str, &str)]) -> Sender {
    let owned = |(kind, value): &(&'static str, &str)| (*kind, (*value).to_owned());
    Sender {
        identities: identities.iter().map(owned).collect(),
        ..Sender::default()
    }
}

/// A text that arrives now.
pub(crate) fn writes(fixture: &Fixture, sender: Sender, wamid: &str, body: &str) -> Incoming {
    let text = Text {
        body: body.to_owned(),
        preview_url: false,
    };
    Incoming {
        route: fixture.route,
        id: MessageId::stamped(fixture.now()),
        wamid: wamid.to_owned(),
        sender,
        content: MessageContent {
            kind: Some(Kind::Text(text)),
        },
        choice: consent::choice(body),
        reply_to_wamid: None,
        sent_at: fixture.now().trunc_subsecs(0),
    }
}

/// Stops marketing in WhatsApp itself.
pub(crate) fn stops(fixture: &Fixture, sender: Sender) -> Sorted {
    let notice = NewNotice {
        route: fixture.route,
        id: NoticeId::stamped(fixture.now()),
        field: "user_preferences".to_owned(),
        value: json!({}),
        dedupe_key: "k".to_owned(),
    };
    let preferred = Preferred {
        notice_id: notice.id,
        organization_id: fixture.route.organization_id,
        sender,
        granted: false,
        stated_at: fixture.now(),
    };
    Sorted {
        notices: vec![notice],
        preferences: vec![preferred],
        ..Sorted::default()
    }
}

/// One batch.
pub(crate) async fn receive(fixture: &Fixture, sorted: Sorted) {
    let mut tx = fixture.system().await;
    apply::apply(&mut tx, sorted, fixture.now())
        .await
        .expect("applied");
    tx.commit().await.expect("commit");
}

/// One batch of one text from a number, a second later.
pub(crate) async fn write(fixture: &Fixture, phone: &str, wamid: &str, body: &str) {
    fixture.hand.advance(std::time::Duration::from_secs(1));
    let message = writes(fixture, sender(&[("phone", phone)]), wamid, body);
    let sorted = Sorted {
        messages: vec![message],
        ..Sorted::default()
    };
    receive(fixture, sorted).await;
}
