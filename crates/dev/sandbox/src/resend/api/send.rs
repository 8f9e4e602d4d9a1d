//! `POST /emails`, `POST /emails/batch` and `GET /emails/{id}`.

use std::sync::Arc;

use chrono::SecondsFormat;
use rand::Rng;
use serde_json::{Value, json};

use crate::resend::{
    Resend,
    error::ApiError,
    fate,
    fault::Subject,
    ledger::{Mail, links},
    team::Team,
    validate::{self, Message},
};

/// Resend: e-mails in one batch.
const MAX_BATCH: usize = 100;

impl Resend {
    /// Takes one e-mail. `seen_as` is what the caller will see of it.
    pub(super) fn send(
        &self,
        team: &Arc<Team>,
        body: &Value,
        subject: &Subject,
        seen_as: &'static str,
    ) -> Result<Value, ApiError> {
        let message = validate::message(body, team)?;
        team.spend(1, &self.settings().limits, self.clock().now())?;
        Ok(json!({"id": self.accept(team, message, subject, seen_as)}))
    }

    /// Takes all e-mails of a batch or none; with `permissive` those that can be taken.
    pub(super) fn send_batch(
        &self,
        team: &Arc<Team>,
        body: &Value,
        permissive: bool,
        subject: &Subject,
        seen_as: &'static str,
    ) -> Result<Value, ApiError> {
        let emails = body
            .as_array()
            .filter(|all| (1..=MAX_BATCH).contains(&all.len()));
        let emails = emails.ok_or_else(|| {
            ApiError::validation(format!(
                "The body must be an array of 1 to {MAX_BATCH} emails."
            ))
        })?;
        let (mut messages, mut errors) = (Vec::new(), Vec::new());
        for (index, email) in emails.iter().enumerate() {
            match validate::message(email, team) {
                Ok(message) => messages.push(message),
                Err(error) if permissive => {
                    errors.push(json!({"index": index, "message": error.message}));
                }
                Err(error) => return Err(error),
            }
        }
        team.spend(messages.len(), &self.settings().limits, self.clock().now())?;
        let taken = messages.into_iter().map(|message| {
            let id = self.accept(team, message, subject, seen_as);
            json!({"id": id})
        });
        let mut answer = json!({"data": taken.collect::<Vec<_>>()});
        if permissive {
            answer["errors"] = errors.into();
        }
        Ok(answer)
    }

    fn accept(
        &self,
        team: &Arc<Team>,
        message: Message,
        subject: &Subject,
        seen_as: &'static str,
    ) -> Arc<str> {
        let faults = self.0.faults.strike_aftermath(subject, self.rng());
        let settings = self.settings();
        let planned = self
            .rng()
            .with(|rng| fate::plan(&message.recipients, team, &settings.events, &faults, rng));
        let id: Arc<str> = self.rng().with(|rng| email_id(rng.random())).into();
        let texts = [message.text.as_deref(), message.html.as_deref()];
        let mail = Mail {
            seq: 0,
            id: Arc::clone(&id),
            team: Arc::clone(&team.name),
            links: links(texts.into_iter().flatten()),
            from: message.from,
            to: message.to,
            cc: message.cc,
            bcc: message.bcc,
            reply_to: message.reply_to,
            subject: message.subject,
            html: message.html,
            text: message.text,
            tags: message.tags,
            idempotency_key: subject.idempotency_key.clone(),
            accepted_at: self.clock().now(),
            answer: seen_as,
            last_event: "queued",
            events: Vec::new(),
        };
        self.ledger().accept(mail.clone());
        self.tell(team, &mail, planned);
        id
    }

    /// An e-mail of the team; another team's does not exist.
    pub(super) fn retrieve(&self, team: &Team, id: &str) -> Result<Value, ApiError> {
        let mail = self.ledger().find_mail(id);
        let mail = mail.filter(|mail| mail.team == team.name);
        let mail = mail.ok_or_else(|| ApiError::not_found("Email not found"))?;
        let created_at = mail
            .accepted_at
            .to_rfc3339_opts(SecondsFormat::Micros, true);
        Ok(json!({
            "object": "email",
            "id": mail.id,
            "message_id": format!("<{}@email.resend.example>", mail.id),
            "to": mail.to,
            "from": mail.from,
            "created_at": created_at,
            "subject": mail.subject,
            "html": mail.html,
            "text": mail.text,
            "bcc": mail.bcc,
            "cc": mail.cc,
            "reply_to": mail.reply_to,
            "last_event": mail.last_event,
        }))
    }
}

/// A random UUID, version 4.
fn email_id(random: u128) -> String {
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        assert_eq!(email_id(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(email_id(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
