//! Why a webhook was not accepted.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use errors::{Classify, Code, codes};
use sb_http::{ProblemResponse, body::BodyError};
use whatsapp::signature::SignatureError;

use crate::ops::{receive_webhook::NotStored, verify_subscription::VerifySubscriptionError};

/// After this a sender may try again. Meta has its own schedule; others look at the header.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no app has this name")]
    AppUnknown,
    #[error("webhooks of this provider are not set up")]
    NotSetUp,
    /// A limit on what may be under way at once is reached.
    #[error("too many requests are under way")]
    Crowded,
    #[error("the body is compressed")]
    Compressed,
    #[error("the request does not prove who sent it")]
    Signature(#[source] SignatureError),
    #[error("the request does not prove that Resend sent it")]
    ResendSignature(#[source] resend::webhook::SignatureError),
    #[error("the body could not be read")]
    Body(#[source] BodyError),
    #[error("the webhook is not stored")]
    NotStored(#[source] NotStored),
    #[error("the address is not confirmed")]
    Verification(#[source] VerifySubscriptionError),
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::AppUnknown | Self::NotSetUp => &codes::WEBHOOK_APP_UNKNOWN,
            Self::Crowded | Self::NotStored(_) => &codes::UNAVAILABLE,
            Self::Compressed => &codes::WEBHOOK_ENCODING_UNSUPPORTED,
            Self::Signature(_) | Self::ResendSignature(_) => &codes::WEBHOOK_SIGNATURE_INVALID,
            Self::Body(BodyError::TooLarge { .. }) => &codes::REQUEST_TOO_LARGE,
            Self::Body(BodyError::TooSlow) => &codes::REQUEST_TOO_SLOW,
            Self::Body(BodyError::Broken(_)) => &codes::REQUEST_MALFORMED,
            Self::Verification(VerifySubscriptionError::Token) => {
                &codes::WEBHOOK_VERIFY_TOKEN_WRONG
            }
            Self::Verification(_) => &codes::WEBHOOK_CHALLENGE_INVALID,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Crowded => "Too many requests are under way.".into(),
            Self::NotStored(_) => "The webhook may not have been stored: send it again.".into(),
            Self::Signature(error) => sentence(error),
            Self::ResendSignature(error) => sentence(error),
            Self::Verification(error) => sentence(error),
            Self::AppUnknown | Self::NotSetUp | Self::Compressed | Self::Body(_) => {
                self.code().title.into()
            }
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Crowded | Self::NotStored(_)).then_some(RETRY_AFTER)
    }
}

fn sentence(error: &impl std::error::Error) -> Cow<'static, str> {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str()).into()
}

impl From<Error> for ProblemResponse {
    fn from(error: Error) -> Self {
        let problem = Self::new(error.code()).with_detail(error.detail());
        let problem = match error.retry_after() {
            Some(delay) => problem.with_retry_after(delay),
            None => problem,
        };
        match error {
            // It carries headers and limits of their own.
            Error::Body(error) => error.into(),
            _ => problem,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        ProblemResponse::from(self).into_response()
    }
}
