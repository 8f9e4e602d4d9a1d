//! The services behind the gateway: the generated traits over a script, with the real access layer
//! in front.

mod played;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use auth::{LIFETIME, Membership, Principal, Proof, Role, Scopes, TokenKey, View};
use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use ids::{ApiKeyId, OrganizationId, SessionId};
use proto::{identity::v1 as identity, messaging::v1 as messaging};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status, metadata::MetadataMap};

/// A call that reached a service.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: &'static str,
    pub(crate) metadata: MetadataMap,
    /// The request, as its Debug form.
    pub(crate) request: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(name)
            .and_then(|value| value.to_str().ok())
    }
}

/// What an event stream does once it is open.
#[derive(Debug)]
pub(crate) enum Act {
    Send(Box<messaging::Event>),
    /// The service ends the stream in order.
    End,
    Fail(Status),
}

/// What the services do and what they saw. Clones share it.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) key: TokenKey,
    pub(crate) clock: Clock,
    /// Whose the API key is.
    program: Principal,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    refusals: VecDeque<Status>,
    refusing: Option<Status>,
    hanging: bool,
    answer_headers: Vec<(&'static str, &'static str)>,
    api_key: Option<String>,
    /// What SCIM requests are answered.
    scim: identity::ServeScimResponse,
    /// What the next single sign-on is begun with.
    begun: identity::BeginSsoResponse,
    revoked: Vec<identity::Revocation>,
    /// Who logs in.
    person: Option<Principal>,
    sessions: HashMap<SessionId, Live>,
    /// One list of acts for each time the event stream is opened; without one it stays silent.
    streams: VecDeque<Vec<Act>>,
}

/// A session as identity knows it.
struct Live {
    person: Principal,
    /// Of the refresh token that is good, and when the one before it was used.
    generation: u32,
    used_at: DateTime<Utc>,
}

/// How long identity repeats its answer to a refresh token.
const GRACE: TimeDelta = TimeDelta::seconds(10);

impl State {
    fn refusal(&mut self) -> Option<Status> {
        self.refusals.pop_front().or_else(|| self.refusing.clone())
    }
}

impl Script {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            key: TokenKey::generate(),
            clock,
            program: api_key(),
            state: Arc::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call is refused.
    pub(crate) fn refuse(&self, status: Status) {
        self.state().refusals.push_back(status);
    }

    /// Every call is refused from now on, or none any more.
    pub(crate) fn keep_refusing(&self, status: Option<Status>) {
        self.state().refusing = status;
    }

    /// Calls are never answered.
    pub(crate) fn hang(&self) {
        self.state().hanging = true;
    }

    /// Metadata of every answer.
    pub(crate) fn answer_with(&self, headers: &[(&'static str, &'static str)]) {
        self.state().answer_headers = headers.to_vec();
    }

    /// A person's session has ended: its tokens are void.
    pub(crate) fn revoke(&self, person: &Principal) {
        let Principal::User {
            session_id, member, ..
        } = person
        else {
            panic!("only people have sessions")
        };
        self.state().revoked.push(identity::Revocation {
            organization_id: member.organization_id.to_string(),
            kind: "session".to_owned(),
            subject: session_id.as_uuid().as_bytes().to_vec(),
            issued_until: Some(self.clock.now().into()),
        });
    }

    /// The tokens of the API key are void.
    pub(crate) fn revoke_api_key(&self) {
        let Principal::ApiKey { id, member } = &self.program else {
            panic!("a key")
        };
        self.state().revoked.push(identity::Revocation {
            organization_id: member.organization_id.to_string(),
            kind: "api_key".to_owned(),
            subject: id.as_uuid().as_bytes().to_vec(),
            issued_until: Some(self.clock.now().into()),
        });
    }

    /// The API key that exists, or none.
    pub(crate) fn api_key(&self, key: Option<&str>) {
        self.state().api_key = key.map(str::to_owned);
    }

    /// SCIM requests are answered this.
    pub(crate) fn answer_scim(&self, answer: identity::ServeScimResponse) {
        self.state().scim = answer;
    }

    /// A single sign-on goes there and comes back with this state; the secret is made of it.
    pub(crate) fn begin_sso_with(&self, redirect_url: &str, state: &str) {
        self.state().begun = identity::BeginSsoResponse {
            redirect_url: redirect_url.to_owned(),
            browser_secret: format!("secret-of-{state}"),
            state: state.to_owned(),
        };
    }

    /// The next opening of the event stream does this.
    pub(crate) fn stream(&self, acts: Vec<Act>) {
        self.state().streams.push_back(acts);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    pub(crate) fn seen_of(&self, method: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|call| call.method == method);
        seen
    }

    fn note<T: std::fmt::Debug>(&self, method: &'static str, request: &Request<T>) {
        self.state().seen.push(Seen {
            method,
            metadata: request.metadata().clone(),
            request: format!("{:?}", request.get_ref()),
        });
    }

    async fn answer<T: Default>(&self) -> Result<Response<T>, Status> {
        let (refusal, hanging, headers) = {
            let mut state = self.state();
            let refusal = state.refusal();
            (refusal, state.hanging, state.answer_headers.clone())
        };
        if let Some(mut status) = refusal {
            for (name, value) in headers {
                let value = value.parse().expect("metadata");
                status.metadata_mut().insert(name, value);
            }
            return Err(status);
        }
        if hanging {
            std::future::pending::<()>().await;
        }
        let mut response = Response::new(T::default());
        for (name, value) in headers {
            let value = value.parse().expect("metadata");
            response.metadata_mut().insert(name, value);
        }
        Ok(response)
    }

    /// A token as identity signs it.
    pub(crate) fn token(&self, principal: &Principal) -> String {
        self.token_for(principal, LIFETIME)
    }

    pub(crate) fn token_for(&self, principal: &Principal, lifetime: Duration) -> String {
        self.key
            .sign(principal, self.clock.now(), lifetime)
            .expect("a token")
            .expose_secret()
            .to_owned()
    }

    /// Whoever logs in from now on is this person.
    pub(crate) fn person(&self, person: &Principal) {
        self.state().person = Some(person.clone());
    }

    /// The sessions there are, as their people.
    pub(crate) fn sessions(&self) -> Vec<Principal> {
        let state = self.state();
        state
            .sessions
            .values()
            .map(|live| live.person.clone())
            .collect()
    }

    /// Identity forgets every session: refresh tokens are refused.
    pub(crate) fn end_sessions(&self) {
        self.state().sessions.clear();
    }

    /// The end of a single sign-on.
    fn finish_sso(&self) -> identity::FinishSsoResponse {
        identity::FinishSsoResponse {
            login: Some(identity::LogInResponse {
                tokens: self.begin_session(),
                ..identity::LogInResponse::default()
            }),
            return_to: "/inbox?view=mine".to_owned(),
        }
    }

    /// The tokens of a new session; none where nobody was said to log in.
    fn begin_session(&self) -> Option<identity::SessionTokens> {
        let mut person = self.state().person.clone()?;
        let id = SessionId::generate();
        if let Principal::User { session_id, .. } = &mut person {
            *session_id = id;
        }
        let tokens = self.session_tokens(&person, id, 0);
        let live = Live {
            person,
            generation: 0,
            used_at: self.clock.now(),
        };
        self.state().sessions.insert(id, live);
        Some(tokens)
    }

    fn session_tokens(
        &self,
        person: &Principal,
        id: SessionId,
        generation: u32,
    ) -> identity::SessionTokens {
        identity::SessionTokens {
            access_token: self.token(person),
            expires_in: u32::try_from(LIFETIME.as_secs()).expect("minutes"),
            refresh_token: format!("sbr_{id}-{generation}"),
            session_id: id.to_string(),
        }
    }

    /// As identity rotates: once, and the same again for a moment.
    fn refresh(&self, token: &str) -> Result<Option<identity::SessionTokens>, Status> {
        let Some((id, generation)) = token
            .strip_prefix("sbr_")
            .and_then(|rest| rest.split_once('-'))
        else {
            return Ok(None);
        };
        let refused = || errors::status_of(&errors::codes::AUTH_REFRESH_INVALID);
        let id: SessionId = id.parse().map_err(|_| refused())?;
        let presented: u32 = generation.parse().map_err(|_| refused())?;
        let now = self.clock.now();
        let person = {
            let mut state = self.state();
            let live = state.sessions.get_mut(&id).ok_or_else(refused)?;
            if presented == live.generation {
                live.generation += 1;
                live.used_at = now;
            } else if presented + 1 != live.generation || now > live.used_at + GRACE {
                state.sessions.remove(&id);
                return Err(refused());
            }
            live.person.clone()
        };
        Ok(Some(self.session_tokens(&person, id, presented + 1)))
    }

    fn access_token(&self, principal: &Principal) -> Response<identity::AccessToken> {
        Response::new(identity::AccessToken {
            access_token: self.token(principal),
            expires_in: u32::try_from(LIFETIME.as_secs()).expect("minutes"),
        })
    }
}

/// A person with this role.
pub(crate) fn user(role: Role) -> Principal {
    Principal::User {
        id: ids::UserId::generate(),
        session_id: ids::SessionId::generate(),
        member: member(role),
        proof: Proof {
            at: Clock::system().now(),
            strong: false,
        },
    }
}

fn api_key() -> Principal {
    Principal::ApiKey {
        id: ApiKeyId::generate(),
        member: member(Role::Agent),
    }
}

fn member(role: Role) -> Membership {
    Membership {
        organization_id: OrganizationId::generate(),
        role,
        scopes: Scopes::All,
        view: View::default(),
    }
}
