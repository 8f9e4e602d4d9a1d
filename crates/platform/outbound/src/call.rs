//! Making a call: attempts, deadline, breaker, span, metric.

use std::{sync::PoisonError, time::Duration};

use http::StatusCode;
use opentelemetry::KeyValue;
use tokio::time::{Instant, timeout_at};
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
    /// The longest silence within a body that is read as it comes.
    patience: Duration,
    /// When the whole call ends, with its repetitions and pauses.
    deadline: Instant,
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
            deadline: Instant::now() + request.deadline,
        };
        let mut builder = request.builder;
        let mut attempt = 0;
        let mut result = None;
        loop {
            attempt += 1;
            let retry = request.retry.filter(|retry| attempt < retry.attempts);
            // A body that is a stream can't be had twice: then there is no second attempt.
            let again = retry.and_then(|retry| Some((retry, builder.try_clone()?)));
            let built = builder.build().map_err(|error| at.transport(error))?;
            let outcome = self.attempt(at, built, attempt, limits, &read).await;
            let pause = again
                .filter(|_| outcome.is_worth_repeating())
                .and_then(|(retry, next)| Some((self.pause(retry, attempt, outcome.asked)?, next)));
            let latest = later(result, outcome.result);
            let Some((pause, next)) = pause else {
                return latest;
            };
            let slept = timeout_at(limits.deadline, self.0.clock.sleep(pause)).await;
            if slept.is_err() {
                return latest;
            }
            result = Some(latest);
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
        // What we hold back ourselves is an attempt too: it shows in the metric as what it was.
        let outcome = async {
            match self.admit(at, &request) {
                Ok(permit) => {
                    let outcome = self.exchange(at, request, limits, read).await;
                    settle(permit, &outcome);
                    outcome
                }
                Err(error) => Outcome::failed(error),
            }
        }
        .instrument(span.clone())
        .await;
        self.observe(at, &span, started.elapsed(), &outcome);
        outcome
    }

    async fn exchange<T>(
        &self,
        at: At,
        request: reqwest::Request,
        limits: Limits,
        read: &impl AsyncFn(Streaming) -> Result<T, Error>,
    ) -> Outcome<T> {
        let too_late = || at.unknown(Unknown::Deadline, None);
        let response = match timeout_at(limits.deadline, self.0.http.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Outcome::failed(at.transport(error)),
            Err(_) => return Outcome::failed(too_late()),
        };
        let status = response.status();
        let asked = parse_retry_after(response.headers(), self.0.clock.now());
        let streaming = Streaming {
            at,
            response,
            left: limits.bytes,
            limit: limits.bytes,
            patience: limits.patience,
        };
        Outcome {
            status: Some(status),
            asked,
            result: timeout_at(limits.deadline, read(streaming))
                .await
                .unwrap_or_else(|_| Err(too_late())),
        }
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

    /// Whether the request may leave, by the network guard and the breaker.
    fn admit(&self, at: At, request: &reqwest::Request) -> Result<Option<Permit<'_>>, Error> {
        if let Some(policy) = &self.0.policy {
            let checked = policy.check_url(request.url());
            checked.map_err(|refused| at.not_sent(NotSent::Refused(refused), None))?;
        }
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

/// What the caller learns after another attempt. An attempt that surely did not leave says nothing about an earlier one
/// that perhaps did: then the earlier one is the answer.
fn later<T>(earlier: Option<Result<T, Error>>, latest: Result<T, Error>) -> Result<T, Error> {
    let surely_not_sent =
        |result: &Result<T, Error>| result.as_ref().is_err_and(Error::is_surely_not_sent);
    match earlier {
        Some(earlier) if surely_not_sent(&latest) && !surely_not_sent(&earlier) => earlier,
        _ => latest,
    }
}

impl<T> Outcome<T> {
    /// No answer began.
    const fn failed(error: Error) -> Self {
        Self {
            status: None,
            asked: None,
            result: Err(error),
        }
    }

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
