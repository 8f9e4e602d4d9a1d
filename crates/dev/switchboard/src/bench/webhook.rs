//! Webhooks as Meta sends them: signed, each body different.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use secrecy::SecretString;

use super::load::Write;
use crate::{
    platform::{APP, APP_SECRET},
    whatsapp::Number,
};

/// Writes the requests of one measurement.
#[derive(Debug, Clone)]
pub(super) struct Webhooks {
    /// Tells the messages of measurements apart: part of each WhatsApp id.
    pub(super) label: &'static str,
    pub(super) edge: SocketAddr,
    pub(super) number: Number,
    pub(super) unix_seconds: i64,
    /// Messages in one webhook.
    pub(super) messages: u64,
    /// The messages come from so many people, in turn …
    pub(super) customers: u64,
    /// … whose phone numbers begin here.
    pub(super) first_phone: u64,
}

/// What a text message begins with; its number follows.
pub(super) const TEXT: &str = "Is my order on its way? No. ";

impl Webhooks {
    /// The writer for the load generator.
    pub(super) fn writer(self) -> Write {
        let secret = SecretString::from(APP_SECRET);
        Arc::new(move |number, request| {
            let body = self.body(number);
            let signature = sandbox::meta::sign(&secret, body.as_bytes());
            let head = format!(
                "POST /webhooks/whatsapp/{APP} HTTP/1.1\r\nhost: {}\r\nuser-agent: facebookexternalua\r\n\
                 content-type: application/json\r\nx-hub-signature-256: {signature}\r\n\
                 content-length: {}\r\n\r\n",
                self.edge,
                body.len(),
            );
            request.extend_from_slice(head.as_bytes());
            request.extend_from_slice(body.as_bytes());
        })
    }

    /// The shape of a real delivery (`tests/fixtures/whatsapp/in-text.json`).
    fn body(&self, webhook: u64) -> String {
        let (mut contacts, mut messages) = (String::new(), String::new());
        for number in webhook * self.messages..(webhook + 1) * self.messages {
            let phone = self.first_phone + number % self.customers.max(1);
            if !messages.is_empty() {
                contacts.push(',');
                messages.push(',');
            }
            // Writing into a string can't fail.
            let _written = write!(
                contacts,
                r#"{{"profile":{{"name":"Customer {phone}"}},"wa_id":"{phone}"}}"#
            );
            let _written = write!(
                messages,
                r#"{{"from":"{phone}","id":"wamid.HBgLMTU1NTAwMDAwMDAVAgASGBQz{:A<8}{number:020}AA==","timestamp":"{}","text":{{"body":"{TEXT}{number}"}},"type":"text"}}"#,
                self.label, self.unix_seconds,
            );
        }
        let Number {
            phone_number_id,
            waba_id,
        } = &self.number;
        format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{waba_id}","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550783881","phone_number_id":"{phone_number_id}"}},"contacts":[{contacts}],"messages":[{messages}]}},"field":"messages"}}]}}]}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn webhooks(messages: u64) -> Webhooks {
        Webhooks {
            label: "test",
            edge: SocketAddr::from(([127, 0, 0, 1], 1)),
            number: Number::of_sandbox(),
            unix_seconds: 1_749_416_383,
            messages,
            customers: 7,
            first_phone: 15_551_000_000,
        }
    }

    #[test]
    fn bodies_are_json_and_no_two_messages_have_one_id() {
        let mut ids = std::collections::HashSet::new();
        for number in 0..20 {
            let body: Value = serde_json::from_str(&webhooks(3).body(number)).expect("JSON");
            let value = &body["entry"][0]["changes"][0]["value"];
            let messages = value["messages"].as_array().expect("messages");
            assert_eq!(messages.len(), 3);
            ids.extend(messages.iter().map(|message| message["id"].to_string()));
        }
        assert_eq!(ids.len(), 60);
    }

    #[test]
    fn a_request_says_how_long_it_is_and_is_signed() {
        let mut request = Vec::new();
        webhooks(1).writer()(5, &mut request);
        let request = String::from_utf8(request).expect("text");
        let (head, body) = request.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(head.contains("x-hub-signature-256: sha256="));
        assert!(body.contains("No. 5"));
    }
}
