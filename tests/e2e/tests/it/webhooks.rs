//! Bodies of webhooks as Meta writes them.

use clock::Clock;
use serde_json::{Value, json};
use switchboard::whatsapp::Number;

use crate::world::CUSTOMER;

/// A webhook with these messages of one customer.
pub(crate) fn webhook(number: &Number, messages: &[Value]) -> Vec<u8> {
    let contacts = json!([{ "profile": { "name": "Ada" }, "wa_id": CUSTOMER }]);
    change(
        number,
        json!({ "contacts": contacts, "messages": messages }),
    )
}

/// A text message for [`webhook`].
pub(crate) fn text(wamid: &str, body: &str) -> Value {
    json!({
        "from": CUSTOMER, "id": wamid, "timestamp": Clock::system().now().timestamp().to_string(),
        "type": "text", "text": { "body": body },
    })
}

/// A webhook with these statuses.
pub(crate) fn statuses(number: &Number, statuses: &[Value]) -> Vec<u8> {
    change(number, json!({ "statuses": statuses }))
}

/// A change of the field `messages` with this content.
fn change(number: &Number, mut value: Value) -> Vec<u8> {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({
        "display_phone_number": "15550783881", "phone_number_id": number.phone_number_id,
    });
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": number.waba_id, "changes": [{ "field": "messages", "value": value }] }],
    });
    body.to_string().into_bytes()
}
