//! Details of statuses and of the fields beside messages.

use chrono::DateTime;
use serde_json::json;
use whatsapp::webhook::{ChannelField, Payload, PreferenceValue, StandbyPayload, parse};

use crate::fixtures::{only_item, parsed};

#[test]
fn group_statuses_are_one_per_participant_with_either_spelling() {
    let items = parsed("status-group-aggregated.json").items;
    let found: Vec<_> = items
        .iter()
        .map(|item| match &item.payload {
            Payload::Status(status) => (
                status.participant.as_ref().and_then(|one| one.id.clone()),
                status
                    .pricing
                    .as_ref()
                    .and_then(|pricing| pricing.category.clone()),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let expect = |id: &str, category: &str| (Some(id.to_owned()), Some(category.to_owned()));
    assert_eq!(
        found,
        [
            expect("16505551234", "group_marketing"),
            expect("16505551235", "group_marketing"),
            expect("16505551236", "group_service"),
        ]
    );
}

#[test]
fn a_partner_event_belongs_to_the_account_it_names() {
    let item = only_item("field-account-update-partner-removed.json");
    assert_eq!(item.origin.waba_id.as_deref(), Some("980198427658004"));
    assert_eq!(item.origin.entry_id.as_deref(), Some("2949482758682047"));
    let item = only_item("field-account-update-direct-send-restriction.json");
    assert_eq!(
        item.origin.entry_at,
        DateTime::from_timestamp(1_750_101_000, 0)
    );
    let Payload::ChannelField(ChannelField::AccountUpdate(update)) = item.payload else {
        panic!("an account update");
    };
    assert!(
        update.restrictions[0].expires_at.is_some(),
        "given as a string"
    );
}

#[test]
fn an_announced_category_is_the_future_one() {
    let item = only_item("field-template-category-impending.json");
    let Payload::ChannelField(ChannelField::TemplateCategory(category)) = item.payload else {
        panic!("a category");
    };
    assert!(category.announced);
    assert_eq!(category.from.as_deref(), Some("UTILITY"));
    assert_eq!(category.to.as_deref(), Some("MARKETING"));
    assert_eq!(category.template.language.as_deref(), Some("en_US"));
    assert_eq!(category.template.id.as_deref(), Some("278077987957091"));
}

#[test]
fn a_history_knows_which_messages_were_ours() {
    let outgoing: Vec<_> = parsed("field-history-threads.json")
        .items
        .into_iter()
        .filter_map(|item| match item.payload {
            Payload::HistoryMessage(message) => message.outgoing,
            _ => None,
        })
        .collect();
    assert_eq!(outgoing, [true, true, false, true]);
    let declined = only_item("field-history-declined-bare.json").payload;
    assert!(
        matches!(declined, Payload::HistoryProgress(progress) if progress.errors[0].code == Some(2_593_109))
    );
}

#[test]
fn a_standby_echo_is_unwrapped_and_stays_apart_from_messages() {
    let item = only_item("field-standby-echo.json");
    assert_eq!(
        item.origin.number.phone_number_id.as_deref(),
        Some("106540352242922")
    );
    let Payload::Standby(StandbyPayload::Echo(echo)) = item.payload else {
        panic!("a standby echo");
    };
    assert_eq!(echo.to.as_deref(), Some("16505551234"));
    assert!(echo.id.is_some_and(|id| id.starts_with("wamid.")));
    let answered = echo.context.and_then(|context| context.message_id);
    assert!(answered.is_some_and(|id| id.starts_with("wamid.")));
}

#[test]
fn a_handover_has_its_number_beside_no_metadata() {
    let value = json!({
        "messaging_product": "whatsapp", "type": "control_passed", "timestamp": 1_750_101_000,
        "sender": {"phone_number": "16505551234"},
        "recipient": {"phone_number_id": "1065", "display_phone_number": "15550783881"},
        "control_passed": {"previous_owner_role": "ai_agent", "new_owner_role": "partner"}
    });
    let body = json!({"entry": [{"id": "1", "changes": [{"field": "messaging_handovers", "value": value}]}]});
    let items = parse(body.to_string().as_bytes())
        .expect("a delivery")
        .items;
    assert_eq!(
        items[0].origin.number.phone_number_id.as_deref(),
        Some("1065")
    );
    let Payload::Handover(handover) = &items[0].payload else {
        panic!("a handover");
    };
    assert_eq!(handover.new_owner.as_deref(), Some("partner"));
}

#[test]
fn a_stop_of_marketing_is_read_without_a_number() {
    let value = json!({"user_preferences": [{"user_id": "US.1", "category": "marketing_messages", "value": "stop", "timestamp": 1_750_101_000}]});
    let body =
        json!({"entry": [{"id": "1", "changes": [{"field": "user_preferences", "value": value}]}]});
    let items = parse(body.to_string().as_bytes())
        .expect("a delivery")
        .items;
    let Payload::Preference(preference) = &items[0].payload else {
        panic!("a preference");
    };
    assert_eq!(preference.value, PreferenceValue::Stop);
    assert_eq!(preference.user_id.as_deref(), Some("US.1"));
    assert!(preference.stated_at.is_some());
}

#[test]
fn a_new_field_is_kept() {
    let body =
        json!({"entry": [{"id": "1", "changes": [{"field": "holograms", "value": {"a": 1}}]}]});
    let items = parse(body.to_string().as_bytes())
        .expect("a delivery")
        .items;
    assert_eq!(
        items[0].payload,
        Payload::ChannelField(ChannelField::Unknown)
    );
    assert_eq!(items[0].raw.get(), r#"{"a":1}"#);
    assert_eq!(items[0].origin.field.as_deref(), Some("holograms"));
}
