//! From cookies to the caller they stand for, with new tokens where the old ones are near their end.

use std::{sync::Arc, time::Duration};

use chassis::Channel;
use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, later};
use http::{HeaderMap, header};
use moka::future::Cache;
use proto::identity::v1::{
    LogOutRequest, RefreshSessionRequest, identity_service_client::IdentityServiceClient,
};
use secrecy::ExposeSecret;
use tonic::{Code, Request, Status, metadata::MetadataMap};

use super::{
    Guard, Purpose, Session,
    cookies::{Cookie, Cookies},
    visit::{Issued, Visit},
};
use crate::credentials::{Caller, Fingerprint, Refused, Tokens, fingerprint};

/// A token with less time left is renewed before it is used. The call it is for may take some, too.
const RENEWED_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// Requests that a browser sent together carry the same refresh token, which works once. Identity repeats its answer for
/// as long; this saves asking for it.
const REPEATED_FOR: Duration = Duration::from_secs(10);

/// What a browser sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'r> {
    pub(crate) headers: &'r HeaderMap,
    pub(crate) purpose: Purpose,
    /// Of the calls to identity that the request needs.
    pub(crate) metadata: &'r HeaderMap,
}

/// Who is let in, and what the browser is told about it in any case.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) caller: Result<Arc<Caller>, Refused>,
    pub(crate) visit: Visit,
}

/// Sessions of browsers. Nothing is kept here that another replica needs.
#[derive(Debug)]
pub(crate) struct Sessions {
    identity: IdentityServiceClient<Channel>,
    tokens: Tokens,
    cookies: Cookies,
    guard: Guard,
    renewals: Cache<Fingerprint, Renewal>,
    clock: Clock,
}

/// What identity answered to a refresh token, and until when that is repeated.
#[derive(Debug, Clone)]
struct Renewal {
    outcome: Result<Issued, Refused>,
    repeated_until: DateTime<Utc>,
}

impl Sessions {
    pub(crate) fn new(
        identity: IdentityServiceClient<Channel>,
        tokens: Tokens,
        cookies: Cookies,
        guard: Guard,
        clock: Clock,
    ) -> Self {
        Self {
            identity,
            tokens,
            cookies,
            guard,
            renewals: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(REPEATED_FOR)
                .build(),
            clock,
        }
    }

    /// Whether the request has a session's cookie, of whatever worth.
    pub(crate) fn has_login(&self, headers: &HeaderMap) -> bool {
        self.cookies.has_login(headers)
    }

    /// The caller behind the cookies.
    pub(crate) async fn admit(&self, ask: Ask<'_>) -> Admission {
        let mut visit = Visit::new(self.cookies);
        let text = self.cookies.find(ask.headers, Cookie::Session);
        let caller = match text.and_then(Session::parse) {
            Some(session) => self.caller(ask, session, &mut visit).await,
            None => Err(Refused::SessionOver),
        };
        if let Err(Refused::SessionOver) = &caller {
            visit.end();
        }
        Admission { caller, visit }
    }

    /// A browser is about to log in: the page must be ours, or it would log a person into somebody else's account.
    ///
    /// # Errors
    ///
    /// [`Refused::CrossSite`]
    pub(crate) fn admit_login(&self, headers: &HeaderMap) -> Result<Visit, Refused> {
        self.guard.check_site(headers, Purpose::LogIn)?;
        Ok(Visit::new(self.cookies))
    }

    /// A browser that comes back from an identity provider, whose login is its own proof: it has the secret of the login.
    pub(crate) const fn begin(&self) -> Visit {
        Visit::new(self.cookies)
    }

    pub(crate) const fn cookies(&self) -> Cookies {
        self.cookies
    }

    /// The browser logged in anew: the session that it had before is of no use to anybody but a thief.
    pub(crate) async fn end_former(&self, ask: Ask<'_>, visit: &Visit) {
        let former = self.cookies.find(ask.headers, Cookie::Session);
        let Some(former) = former.and_then(Session::parse) else {
            return;
        };
        if visit.session().is_none_or(|now| now.id() == former.id()) {
            return;
        }
        let Ok(caller) = self
            .caller(ask, former, &mut Visit::new(self.cookies))
            .await
        else {
            return;
        };
        let mut request = Request::new(LogOutRequest {});
        let mut metadata = ask.metadata.clone();
        metadata.insert(header::AUTHORIZATION, caller.authorization());
        *request.metadata_mut() = MetadataMap::from_headers(metadata);
        if let Err(status) = self.identity.clone().log_out(request).await {
            // It ends by itself when it is not used.
            tracing::info!(grpc.code = ?status.code(), "a browser's former session was not ended");
        }
    }

    async fn caller(
        &self,
        ask: Ask<'_>,
        session: Session,
        visit: &mut Visit,
    ) -> Result<Arc<Caller>, Refused> {
        self.guard.check_site(ask.headers, ask.purpose)?;
        if ask.purpose == Purpose::Change {
            let cookie = self.cookies.find(ask.headers, Cookie::Csrf);
            Guard::check_token(ask.headers, cookie, &session)?;
        }
        let current = match self.cookies.find(ask.headers, Cookie::Access) {
            Some(token) => self.tokens.check(token).await,
            None => Err(Refused::Missing),
        };
        let current = match current {
            Ok(caller) if caller.session_id() != Some(session.id()) => Err(Refused::Invalid),
            Err(unknown @ Refused::KeysUnavailable(_)) => return Err(unknown),
            other => other,
        };
        let now = self.clock.now();
        let spent = match &current {
            Ok(caller) => caller.expires_at() <= now + RENEWED_BEFORE,
            // Expired, or revoked because the person's rights changed: a new one tells.
            Err(_) => true,
        };
        visit.knows(session.clone());
        if !spent {
            return current;
        }
        match self.renew(&session, ask.metadata).await {
            Ok(issued) if issued.session_id == session.id() => {
                visit.keep(issued.clone());
                self.tokens.check(issued.access_token.expose_secret()).await
            }
            Ok(_) | Err(Refused::SessionOver) => Err(Refused::SessionOver),
            // The rest of its time, the old token is good.
            Err(unavailable) => match current {
                Ok(caller) if caller.expires_at() > now => Ok(caller),
                _ => Err(unavailable),
            },
        }
    }

    async fn renew(&self, session: &Session, metadata: &HeaderMap) -> Result<Issued, Refused> {
        let refresh_token = session.refresh_token().expose_secret();
        let name = fingerprint(refresh_token);
        let is_over = |known: &Renewal| self.clock.now() >= known.repeated_until;
        self.renewals
            .entry_by_ref(&name)
            .or_insert_with_if(
                Box::pin(self.ask_identity(refresh_token, metadata)),
                is_over,
            )
            .await
            .into_value()
            .outcome
    }

    async fn ask_identity(&self, refresh_token: &str, metadata: &HeaderMap) -> Renewal {
        let now = self.clock.now();
        let mut request = Request::new(RefreshSessionRequest {
            refresh_token: refresh_token.to_owned(),
        });
        *request.metadata_mut() = MetadataMap::from_headers(metadata.clone());
        let answer = self.identity.clone().refresh_session(request).await;
        let outcome = match answer.map(tonic::Response::into_inner) {
            Ok(answer) => answer.tokens.and_then(Issued::read).ok_or_else(|| {
                Refused::Renewal(Status::internal("identity's answer has no tokens"))
            }),
            Err(status) if is_refusal(status.code()) => Err(Refused::SessionOver),
            Err(status) => Err(Refused::Renewal(status)),
        };
        let repeated_until = match &outcome {
            Ok(_) => later(now, REPEATED_FOR),
            Err(_) => now,
        };
        Renewal {
            outcome,
            repeated_until,
        }
    }
}

/// Identity looked at the token and does not accept it.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated | Code::PermissionDenied | Code::InvalidArgument | Code::NotFound
    )
}
