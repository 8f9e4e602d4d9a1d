//! One call to WhatsApp, and what its result means for the message.

use std::time::Duration;

use proto::messaging::v1::Failure;
use secrecy::SecretString;
use whatsapp::{
    Client,
    client::{Rejection, SendError},
    codes::{Class, Scope},
};

use super::{claim::Ready, settle::Done};
use crate::domain::failure;

/// What came of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// WhatsApp took the message.
    Accepted { wamid: String },
    /// No byte left this machine: it is sent again after the pause.
    NotSent { pause: Duration, detail: String },
    /// Refused before processing, for a reason that passes.
    Again {
        code: i32,
        pause: Duration,
        detail: String,
    },
    /// WhatsApp does not know the file any more: it is uploaded again.
    FileUnknown {
        code: i32,
        provider_id: String,
        detail: String,
    },
    /// Refused because of the number, the account or the token: nothing else would be taken.
    ChannelBlocked {
        code: i32,
        hint: &'static str,
        detail: String,
    },
    /// Refused for good.
    Failed { failure: Failure, detail: String },
    /// It may have been sent.
    Unknown { detail: String },
}

/// Sends one message, once.
pub(crate) async fn call(
    client: Client,
    phone_number_id: String,
    token: SecretString,
    ready: Ready,
) -> Done {
    let outcome = match client.send(&phone_number_id, &token, &ready.outgoing).await {
        Ok(accepted) => Outcome::Accepted {
            wamid: accepted.wamid,
        },
        Err(error) => match outcome(&error, ready.attempt) {
            Outcome::Failed { failure, detail } => failed(failure, detail, ready.old_upload),
            outcome => outcome,
        },
    };
    Done {
        message_id: ready.message_id,
        attempt_id: ready.attempt_id,
        outcome,
    }
}

fn outcome(error: &SendError, attempt: u32) -> Outcome {
    let detail = errors::chain(error);
    match error {
        SendError::Unknown { .. } => Outcome::Unknown { detail },
        SendError::NotSent { class, .. } => match pause(error, *class, attempt) {
            Some(pause) => Outcome::NotSent { pause, detail },
            // The request itself could not be built or its address is refused.
            None => Outcome::Failed {
                failure: failure::ours(
                    "provider",
                    "The message could not be handed to WhatsApp. Tell support the message id.",
                ),
                detail,
            },
        },
        SendError::Rejected(rejection) => rejected(error, rejection, attempt, detail),
    }
}

fn rejected(error: &SendError, rejection: &Rejection, attempt: u32, detail: String) -> Outcome {
    let code = rejection
        .code
        .and_then(|code| i32::try_from(code).ok())
        .unwrap_or(0);
    if let Some(pause) = pause(error, rejection.class, attempt) {
        return Outcome::Again {
            code,
            pause,
            detail,
        };
    }
    if blocks_the_channel(rejection) {
        return Outcome::ChannelBlocked {
            code,
            hint: rejection.hint,
            detail,
        };
    }
    Outcome::Failed {
        failure: failure::from_code(i64::from(code)),
        detail,
    }
}

/// Meta names no code for an uploaded file that it has no more: it is a parameter that is wrong, or a file that can't be
/// used. An id given out for this very message is not to blame.
const FILE_UNKNOWN: [i32; 3] = [100, 131_009, 131_053];

fn failed(failure: Failure, detail: String, old_upload: Option<String>) -> Outcome {
    match old_upload {
        Some(provider_id) if FILE_UNKNOWN.contains(&failure.provider_code) => {
            Outcome::FileUnknown {
                code: failure.provider_code,
                provider_id,
                detail,
            }
        }
        _ => Outcome::Failed { failure, detail },
    }
}

/// Nothing else would be taken either. An account may refuse one country or one kind of message for
/// good: that fails the message and nothing more.
const fn blocks_the_channel(rejection: &Rejection) -> bool {
    match rejection.class {
        Class::Wait => !matches!(
            rejection.scope,
            Scope::Message | Scope::Recipient | Scope::Template
        ),
        Class::Never => matches!(
            rejection.scope,
            Scope::Number | Scope::Credential | Scope::App
        ),
        Class::RetryNow | Class::Backoff { .. } | Class::PairBackoff | Class::Unknown => false,
    }
}

/// WhatsApp may ask for longer; then it is asked again after this time.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

fn pause(error: &SendError, class: Class, attempt: u32) -> Option<Duration> {
    let own = class.delay(attempt)?;
    let asked = error.retry_after().unwrap_or_default();
    Some(own.max(asked).min(LONGEST_PAUSE))
}
