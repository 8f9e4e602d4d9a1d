//! `POST /{phone}/messages`.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::Reply;
use crate::meta::{
    Meta, Profile, WindowRefusal,
    customer::Customer,
    error::GraphError,
    fault::{Fault, Subject},
    identifiers::Direction,
    ledger::{ReadMark, RequestBody, Send, Status},
    number::Number,
    registry::{Account, Registered},
    statuses::{self, Fate, Planned, Pricing, StatusError},
    validate::{self, Message, Recipient},
    webhook::{Event, Party, StatusEvent},
};

impl Meta {
    /// Checks, accepts, writes the ledger and plans the statuses. `answer` is what the caller will
    /// see of it.
    pub(super) fn send_message(
        &self,
        number: &Arc<Number>,
        raw: Bytes,
        body: &Value,
        subject: &Subject,
        answer: &'static str,
    ) -> Result<Reply, GraphError> {
        let message = validate::message(body)?;
        let account = self
            .registry()
            .find_account(&number.account_id)
            .ok_or_else(|| GraphError::unknown_object(&http::Method::POST, &number.id))?;
        let customer = self.recipient(&message.recipient, &account);
        let template = self.check_sendable(number, &account, &message, &customer)?;
        let fate = self.fate(number, &message, &customer, template.as_deref())?;
        let settings = self.settings();
        let now = self.clock().now();
        number.admit(&customer.wa_id, &settings.limits, now)?;

        let faults = self.0.faults.strike_aftermath(subject, self.rng());
        let wamid: Arc<str> = self
            .0
            .wamids
            .mint(&customer.wa_id, Direction::FromBusiness)
            .into();
        self.ledger().accept(Send {
            seq: 0,
            wamid: Arc::clone(&wamid),
            phone_number_id: Arc::clone(&number.id),
            waba_id: Arc::clone(&number.account_id),
            to: message.input.to_owned(),
            wa_id: customer.wa_id.clone(),
            message_type: message.kind.to_owned(),
            opaque: message.opaque.map(Into::into),
            body: Some(RequestBody(raw)),
            accepted_at: now,
            answer,
            statuses: Vec::new(),
        });
        let planned = self
            .rng()
            .with(|rng| statuses::plan(fate, &settings.statuses, &faults, rng));
        let category = template.as_ref().map_or_else(
            || "service".into(),
            |known| known.template.category.to_lowercase(),
        );
        let window_open = number.window_is_open(&customer.wa_id, now);
        let told = Told {
            number,
            wamid: &wamid,
            recipient: Arc::new(Party::of(&customer)),
            pricing: Arc::new(Pricing::of(category, window_open, now)),
            opaque: message.opaque.map(Into::into),
            failed_carries_opaque: settings.statuses.failed_carries_opaque,
        };
        for status in planned {
            self.tell(&account.id, &told.event(status, &faults), status.after);
        }
        Ok(Reply {
            hold: statuses::answer_held_for(&faults),
            ..Reply::json(accepted(&message, &customer, &wamid, template.is_some()))
        })
    }

    fn recipient(&self, recipient: &Recipient, account: &Account) -> Customer {
        match recipient {
            Recipient::Phone(digits) => self.0.customers.by_phone(digits, &account.business_id),
            Recipient::UserId(id) => self
                .0
                .customers
                .by_user_id(id, &account.business_id)
                // Well-formed, but nobody this portfolio has met: undeliverable.
                .unwrap_or_else(|| Customer {
                    wa_id: id.clone(),
                    user_id: id.clone(),
                    profile: Profile {
                        hide_phone: true,
                        on_whatsapp: false,
                        ..Profile::default()
                    },
                }),
        }
    }

    /// Checks against what is registered. Returns the template, if the message is one.
    fn check_sendable(
        &self,
        number: &Number,
        account: &Account,
        message: &Message<'_>,
        customer: &Customer,
    ) -> Result<Option<Arc<Registered>>, GraphError> {
        if !number.spec().registered {
            return Err(GraphError::of(133_010));
        }
        if customer.wa_id == *number.digits {
            return Err(GraphError::of(131_021));
        }
        if !number.allows(&customer.wa_id) {
            return Err(GraphError::of(131_030));
        }
        if let Some((id, kind)) = message.media {
            self.check_media(number, id, kind)?;
        }
        if message.kind != "template" {
            return Ok(None);
        }
        let (name, language) = validate::template_key(message.content);
        let known = account
            .find_template(name, language)
            .ok_or_else(|| validate::template_not_found(name, language))?;
        validate::check_template(&known.template, &known.needs, message.content)?;
        let by_user_id = matches!(message.recipient, Recipient::UserId(_));
        if by_user_id && known.template.category == "AUTHENTICATION" {
            return Err(GraphError::of(131_062));
        }
        Ok(Some(known))
    }

    fn check_media(&self, number: &Number, id: &str, kind: &str) -> Result<(), GraphError> {
        let file = self
            .0
            .media
            .find(id, self.clock().now())
            .filter(|file| file.phone_number_id == *number.id)
            .ok_or_else(|| GraphError::value("Media ID is not valid or has expired"))?;
        if super::media::kind_of(&file.mime_type) == Some(kind) {
            return Ok(());
        }
        Err(GraphError::of(131_053).details(format!(
            "Media of type {} cannot be sent as {kind}",
            file.mime_type
        )))
    }

    /// What will become of the message; refused here when its number answers a closed window at
    /// once.
    fn fate(
        &self,
        number: &Number,
        message: &Message<'_>,
        customer: &Customer,
        template: Option<&Registered>,
    ) -> Result<Fate, GraphError> {
        let spec = number.spec();
        let closed = spec.enforce_window
            && template.is_none()
            && !number.window_is_open(&customer.wa_id, self.clock().now());
        if closed {
            return match spec.window_refusal {
                WindowRefusal::Webhook => Ok(Fate::Failed(131_047)),
                WindowRefusal::Response => Err(GraphError::of(131_047).details(
                    "Message failed to send because more than 24 hours have passed since the \
                     customer last replied to this number.",
                )),
            };
        }
        let marketing = template.is_some_and(|known| known.template.category == "MARKETING");
        Ok(if !customer.profile.on_whatsapp {
            Fate::Failed(131_026)
        } else if marketing && customer.profile.stopped_marketing {
            Fate::Failed(131_050)
        } else if message.kind == "reaction" {
            Fate::SentOnly
        } else {
            Fate::Delivered {
                receipts: customer.profile.read_receipts,
            }
        })
    }

    /// `{"status":"read"}` on the same path. Meta sends no webhook for it.
    pub(super) fn mark_read(&self, number: &Number, body: &Value) -> Result<Reply, GraphError> {
        let fields = validate::envelope(body)?;
        if fields.get("status").and_then(Value::as_str) != Some("read") {
            return Err(GraphError::schema("Param status must be one of {READ}"));
        }
        let wamid = fields
            .get("message_id")
            .and_then(Value::as_str)
            .ok_or_else(|| GraphError::missing("The parameter message_id is required."))?;
        validate::check_wamid(wamid)?;
        let typing = match fields.get("typing_indicator") {
            None => false,
            Some(indicator) if indicator["type"] == "text" => true,
            Some(_) => {
                return Err(GraphError::schema(
                    "Param typing_indicator['type'] must be one of {TEXT}",
                ));
            }
        };
        self.ledger().mark_read(ReadMark {
            seq: 0,
            at: self.clock().now(),
            phone_number_id: Arc::clone(&number.id),
            wamid: wamid.to_owned(),
            typing,
        });
        Ok(Reply::success())
    }
}

/// What all statuses of a message share.
struct Told<'a> {
    number: &'a Arc<Number>,
    wamid: &'a Arc<str>,
    recipient: Arc<Party>,
    pricing: Arc<Pricing>,
    opaque: Option<Arc<str>>,
    failed_carries_opaque: bool,
}

impl Told<'_> {
    fn event(&self, planned: Planned, faults: &[Fault]) -> Event {
        let failed = planned.status == Status::Failed;
        // Meta: pricing comes with sent and one of delivered and read.
        let priced = matches!(planned.status, Status::Sent | Status::Delivered);
        let details = faults.iter().find_map(|fault| fault.details.as_deref());
        Event::Status(Arc::new(StatusEvent {
            number: Arc::clone(self.number),
            wamid: Arc::clone(self.wamid),
            status: planned.status,
            recipient: Arc::clone(&self.recipient),
            pricing: priced.then(|| Arc::clone(&self.pricing)),
            opaque: self
                .opaque
                .clone()
                .filter(|_| !failed || self.failed_carries_opaque),
            error: planned.code.map(|code| StatusError::of(code, details)),
        }))
    }
}

fn accepted(message: &Message<'_>, customer: &Customer, wamid: &str, template: bool) -> Value {
    let contact = match message.recipient {
        Recipient::Phone(_) => json!({"input": message.input, "wa_id": customer.wa_id}),
        Recipient::UserId(_) => json!({"input": message.input, "user_id": customer.user_id}),
    };
    let mut sent = json!({ "id": wamid });
    if template {
        sent["message_status"] = "accepted".into();
    }
    json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]})
}
