//! What a browser is told about its session beside the answer.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use ids::SessionId;
use proto::identity::v1::SessionTokens;
use secrecy::SecretString;

use super::{
    CSRF_TOKEN, Session,
    cookies::{Cookie, Cookies},
};

/// Tokens as identity made them.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) session_id: SessionId,
    pub(crate) access_token: SecretString,
    pub(crate) access_token_lasts: Duration,
    pub(crate) refresh_token: SecretString,
}

impl Issued {
    /// `None` for an answer that is not one of ours.
    pub(crate) fn read(tokens: SessionTokens) -> Option<Self> {
        Some(Self {
            session_id: tokens.session_id.parse().ok()?,
            access_token: tokens.access_token.into(),
            access_token_lasts: Duration::from_secs(tokens.expires_in.into()),
            refresh_token: tokens.refresh_token.into(),
        })
    }
}

/// One request of a browser.
#[derive(Debug)]
pub(crate) struct Visit {
    cookies: Cookies,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is known, and nothing is said.
    Stranger,
    /// The session goes on as it is.
    Known(Session),
    /// The browser gets other tokens.
    Renewed(Session, Issued),
    /// The browser has to forget the session.
    Over,
}

impl Visit {
    /// Of a browser without a session.
    pub(super) const fn new(cookies: Cookies) -> Self {
        Self {
            cookies,
            state: State::Stranger,
        }
    }

    /// The session that the request came with, or got.
    pub(crate) const fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Known(session) | State::Renewed(session, _) => Some(session),
            State::Stranger | State::Over => None,
        }
    }

    pub(super) fn knows(&mut self, session: Session) {
        self.state = State::Known(session);
    }

    /// The browser keeps these tokens from now on. A login that goes on keeps its CSRF token; any other one starts afresh,
    /// so that nothing a browser had before it logged in is worth anything afterwards.
    pub(crate) fn keep(&mut self, issued: Issued) {
        let refresh_token = issued.refresh_token.clone();
        let session = match self.session() {
            Some(session) if session.id() == issued.session_id => session.renewed(refresh_token),
            _ => Session::begin(issued.session_id, refresh_token),
        };
        self.state = State::Renewed(session, issued);
    }

    /// The session has ended.
    pub(crate) fn end(&mut self) {
        self.state = State::Over;
    }

    /// Adds to an answer what the browser has to know.
    pub(crate) fn tell(&self, answer: &mut HeaderMap) {
        if let Some(session) = self.session()
            && let Ok(token) = HeaderValue::try_from(session.csrf_token())
        {
            answer.insert(CSRF_TOKEN, token);
        }
        match &self.state {
            State::Stranger | State::Known(_) => {}
            State::Renewed(session, issued) => {
                let all = [
                    (Cookie::Session, session.text(), self.cookies.keep),
                    (
                        Cookie::Access,
                        issued.access_token.clone(),
                        issued.access_token_lasts,
                    ),
                    (Cookie::Csrf, session.csrf_token().into(), self.cookies.keep),
                ];
                for (cookie, value, lasts) in all {
                    // A token that fits no cookie is asked for again with the next request.
                    let kept = self.cookies.keep(cookie, &value, lasts);
                    let header = kept.unwrap_or_else(|| self.cookies.forget(cookie));
                    answer.append(header::SET_COOKIE, header);
                }
            }
            State::Over => {
                for cookie in Cookies::ALL {
                    answer.append(header::SET_COOKIE, self.cookies.forget(cookie));
                }
            }
        }
    }
}
