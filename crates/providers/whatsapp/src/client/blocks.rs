//! Whom a number does not want to hear from (Meta: block users).

use outbound::{Request, Retry};
use secrecy::SecretString;
use serde::Serialize;

use super::{CallError, Client};
use crate::send::Recipient;

/// The body of both calls.
#[derive(Serialize)]
struct Users {
    messaging_product: &'static str,
    block_users: [User; 1],
}

#[derive(Serialize)]
#[serde(untagged)]
enum User {
    Phone { user: String },
    BusinessScoped { user_id: String },
}

impl Users {
    /// `None` for what is no person.
    fn of(recipient: &Recipient) -> Option<Self> {
        let user = match recipient {
            Recipient::Phone(number) => User::Phone {
                user: Recipient::dialled(number),
            },
            Recipient::BusinessScoped(user_id) => User::BusinessScoped {
                user_id: user_id.clone(),
            },
            Recipient::Group(_) => return None,
        };
        Some(Self {
            messaging_product: "whatsapp",
            block_users: [user],
        })
    }
}

impl Client {
    /// Blocks a user: what they write to the number does not arrive, and nothing can be sent to them. Only users who
    /// wrote within 24 hours can be blocked, at most 64,000 of them.
    ///
    /// # Errors
    /// [`CallError`]; 131047 for a user who has been silent for longer.
    pub async fn block_user(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        user: &Recipient,
    ) -> Result<(), CallError> {
        let url = self.url(&[phone_number_id, "block_users"])?;
        let request = self.post("block_users.create", url, token);
        self.change_blocks(request, user, "added_users").await
    }

    /// Takes a block back. A user who is not blocked stays so.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn unblock_user(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        user: &Recipient,
    ) -> Result<(), CallError> {
        let url = self.url(&[phone_number_id, "block_users"])?;
        let request = self.delete("block_users.delete", url, token);
        self.change_blocks(request, user, "removed_users").await
    }

    /// Blocking twice is blocking once, so the calls may be repeated.
    async fn change_blocks(
        &self,
        request: Request,
        user: &Recipient,
        changed: &str,
    ) -> Result<(), CallError> {
        let users = Users::of(user).ok_or(CallError::Unreadable)?;
        let request = request.json(&users).idempotent(Retry::default());
        let body = self.call(request).await?;
        let done = body.object().and_then(|object| {
            let users = object.object("block_users")?;
            (!users.objects(changed).is_empty()).then_some(())
        });
        done.ok_or(CallError::Unreadable)
    }
}
