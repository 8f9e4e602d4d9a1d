//! Making a call: attempts, deadline, breaker, span, metric.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use http::StatusCode;
use opentelemetry::KeyValue;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    Client, Request, Retry, Streaming,
    breaker::Permit,
    error::{At, Error, NotSent, Unknown},
    response::parse_retry_after,
    trace,
};

/// What came of one attempt.
struct Outcome<T> {
    /// The status, if an answer began.
    status: Option<StatusCode>,
    /// The pause the other side asks for.
    asked: Option<Duration>,
    result: Result<T, Error>,
}

/// What an answer may cost.
#[derive(Clone, Copy)]
struct Limits {
    bytes: usize,
    patience: Duration,
}

impl Client {
    /// Makes a call with its deadline, breaker and retries; `read` turns the head of an answer into
    /// what the caller wants and runs inside the deadline.
    pub(crate) async fn call<T>(
        &self,
        request: Request,
        read: impl AsyncFn(Streaming) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let at = At {
            peer: self.0.name,
            operation: request.operation,
        };
        let limits = Limits {
            bytes: request.max_response_bytes,
            patience: request.deadline,
        };
        let deadline = tokio::time::sleep(request.deadline);
        tokio::pin!(deadline);
        let mut builder = request.builder;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let retry = request.retry.filter(|retry| attempt < retry.attempts);
            // A body that is a stream can't be had twice: then there is no second attempt.
            let again = retry.and_then(|retry| Some((retry, builder.try_clone()?)));
            let built = builder.build().map_err(|error| at.transport(error))?;
            if let Some(policy) = &self.0.policy {
                let checked = policy.check_url(built.url());
                checked.map_err(|refused| at.not_sent(NotSent::Refused(refused), None))?;
            }
            let permit = self.permit(at)?;
            let outcome = tokio::select! {
                biased;
                outcome = self.attempt(at, built, attempt, limits, &read) => outcome,
                () = &mut deadline => Outcome {
                    status: None,
                    asked: None,
                    result: Err(at.unknown(Unknown::Deadline, None)),
                },
            };
            settle(permit, &outcome);
            let (Some((retry, next)), true) = (again, outcome.is_worth_repeating()) else {
                return outcome.result;
            };
            let Some(pause) = self.pause(retry, attempt, outcome.asked) else {
                return outcome.result;
            };
            tokio::select! {
                biased;
                () = &mut deadline => return outcome.result,
                () = self.0.clock.sleep(pause) => {}
            }
            builder = next;
        }
    }

    async fn attempt<T>(
        &self,
        at: At,
        mut request: reqwest::Request,
        attempt: u32,
        limits: Limits,
        read: &impl AsyncFn(Streaming) -> Result<T, Error>,
    ) -> Outcome<T> {
        let span = Self::span(at, &request, attempt);
        trace::inject(&span, request.headers_mut());
        // Measured on the monotonic clock: a duration, not a time of day.
        let started = Instant::now();
        let outcome = async {
            let response = match self.0.http.execute(request).await {
                Ok(response) => response,
                Err(error) => {
                    return Outcome {
                        status: None,
                        asked: None,
                        result: Err(at.transport(error)),
                    };
                }
            };
            let asked = parse_retry_after(response.headers(), self.0.clock.now());
            Outcome {
                status: Some(response.status()),
                asked,
                result: read(Streaming {
                    at,
                    response,
                    left: limits.bytes,
                    limit: limits.bytes,
                    patience: limits.patience,
                })
                .await,
            }
        }
        .instrument(span.clone())
        .await;
        self.observe(at, &span, started.elapsed(), &outcome);
        outcome
    }

    fn span(at: At, request: &reqwest::Request, attempt: u32) -> Span {
        tracing::info_span!(
            "http.client",
            otel.name = at.operation,
            otel.kind = "client",
            otel.status_code = Empty,
            peer.service = at.peer,
            http.request.method = %request.method(),
            http.request.resend_count = attempt - 1,
            http.response.status_code = Empty,
            server.address = request.url().host_str(),
            error.type = Empty,
        )
    }

    fn observe<T>(&self, at: At, span: &Span, took: Duration, outcome: &Outcome<T>) {
        if let Some(status) = outcome.status {
            span.record("http.response.status_code", status.as_u16());
        }
        let error = outcome.result.as_ref().err().map(Error::kind);
        if let Some(error) = error {
            span.record("error.type", error);
            span.record("otel.status_code", "ERROR");
        }
        let status = outcome
            .status
            .map_or(0, |status| i64::from(status.as_u16()));
        self.0.duration.record(
            took.as_secs_f64(),
            &[
                KeyValue::new("peer.service", at.peer),
                KeyValue::new("operation", at.operation),
                KeyValue::new("http.response.status_code", status),
                KeyValue::new("error.type", error.unwrap_or("none")),
            ],
        );
    }

    fn permit(&self, at: At) -> Result<Option<Permit<'_>>, Error> {
        let Some(breaker) = &self.0.breaker else {
            return Ok(None);
        };
        match breaker.acquire() {
            Ok(permit) => Ok(Some(permit)),
            Err(retry_after) => Err(at.not_sent(NotSent::CircuitOpen { retry_after }, None)),
        }
    }

    fn pause(&self, retry: Retry, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        let mut jitter = self.0.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        retry.pause(attempt, asked, &mut jitter)
    }
}

impl<T> Outcome<T> {
    fn is_worth_repeating(&self) -> bool {
        match &self.result {
            Ok(_) => self.status.is_some_and(Retry::wants_another),
            Err(Error::NotSent { reason, .. }) => match reason {
                NotSent::Dns | NotSent::Connect | NotSent::Tls | NotSent::ConnectTimeout => true,
                NotSent::CircuitOpen { .. } | NotSent::Refused(_) | NotSent::Invalid => false,
            },
            Err(Error::Unknown { reason, .. }) => match reason {
                Unknown::ConnectionLost | Unknown::BodyCut { .. } => true,
                Unknown::Deadline | Unknown::BodyTooLarge { .. } | Unknown::Undecodable { .. } => {
                    false
                }
            },
        }
    }

    /// What the attempt says about the other side as a whole: whether it works, or nothing.
    fn verdict(&self) -> Option<bool> {
        match &self.result {
            // A 500 is often about one request; these three are about the server.
            Ok(_) => Some(!self.status.is_some_and(|status| {
                matches!(
                    status,
                    StatusCode::BAD_GATEWAY
                        | StatusCode::SERVICE_UNAVAILABLE
                        | StatusCode::GATEWAY_TIMEOUT
                )
            })),
            Err(Error::NotSent { reason, .. }) => match reason {
                NotSent::Dns | NotSent::Connect | NotSent::Tls | NotSent::ConnectTimeout => {
                    Some(false)
                }
                NotSent::CircuitOpen { .. } | NotSent::Refused(_) | NotSent::Invalid => None,
            },
            Err(Error::Unknown { reason, .. }) => match reason {
                Unknown::Deadline | Unknown::ConnectionLost | Unknown::BodyCut { .. } => {
                    Some(false)
                }
                Unknown::BodyTooLarge { .. } | Unknown::Undecodable { .. } => Some(true),
            },
        }
    }
}

fn settle<T>(permit: Option<Permit<'_>>, outcome: &Outcome<T>) {
    match (permit, outcome.verdict()) {
        (Some(permit), Some(true)) => permit.succeeded(),
        (Some(permit), Some(false)) => permit.failed(),
        // Dropping the permit gives its place back without a count.
        (Some(_), None) | (None, _) => {}
    }
}
