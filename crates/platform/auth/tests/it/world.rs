//! A signer, a key source that counts, and a clock that a test moves.

use std::collections::BTreeSet;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use auth::{
    Jwks, KeySource, KeySourceError, LIFETIME, Membership, News, Principal, Proof, Revocation,
    RevocationSource, Revocations, RevocationsUnknown, Role, Scopes, TokenKey, Verified, Verifier,
    View,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use ed25519_dalek::{Signer, SigningKey};
use errors::Classify;
use ids::{ApiKeyId, OrganizationId, SessionId, UserId};
use proto::identity::v1::Jwk;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_760_000_000;

/// What identity would answer, and how often it was asked.
#[derive(Default)]
pub(crate) struct Source {
    answer: Mutex<Option<Vec<Jwk>>>,
    asked: AtomicUsize,
}

impl Source {
    pub(crate) fn answer(&self, keys: Vec<Jwk>) {
        *self.answer.lock().unwrap() = Some(keys);
    }

    pub(crate) fn set_down(&self) {
        *self.answer.lock().unwrap() = None;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl KeySource for Source {
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap().clone();
        // Gives concurrent callers the chance to arrive.
        tokio::task::yield_now().await;
        answer.ok_or(KeySourceError::Timeout)
    }
}

/// What identity would say is revoked.
#[derive(Default)]
pub(crate) struct Recorded(Mutex<Vec<Revocation>>);

impl Recorded {
    pub(crate) fn add(&self, revocation: Revocation) {
        self.0.lock().unwrap().push(revocation);
    }
}

#[async_trait]
impl RevocationSource for Recorded {
    async fn fetch(&self, _: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown> {
        Ok(News {
            revocations: self.0.lock().unwrap().clone(),
            as_of: DateTime::from_timestamp(NOW, 0).unwrap(),
        })
    }
}

pub(crate) struct World {
    pub(crate) key: TokenKey,
    pub(crate) source: Arc<Source>,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) jwks: Jwks,
    pub(crate) revocations: Arc<Recorded>,
    pub(crate) verifier: Verifier,
}

impl World {
    pub(crate) fn new() -> Self {
        let (clock, hand) = Clock::manual(DateTime::from_timestamp(NOW, 0).unwrap());
        let key = TokenKey::generate();
        let source = Arc::new(Source::default());
        source.answer(vec![key.jwk()]);
        let revocations = Arc::new(Recorded::default());
        let jwks = Jwks::new(source.clone(), clock.clone());
        Self {
            verifier: Verifier::new(
                jwks.clone(),
                Revocations::new(revocations.clone(), clock.clone()),
                clock.clone(),
            ),
            revocations,
            key,
            source,
            clock,
            hand,
            jwks,
        }
    }

    pub(crate) fn token(&self, principal: &Principal) -> String {
        self.token_of(&self.key, principal)
    }

    pub(crate) fn token_of(&self, key: &TokenKey, principal: &Principal) -> String {
        let token = key.sign(principal, self.clock.now(), LIFETIME).unwrap();
        token.expose_secret().to_owned()
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, auth::Error> {
        self.verifier.verify(token).await
    }

    /// A header that is in order, to be spoiled.
    pub(crate) fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.key.kid()})
    }

    /// A token with exactly these texts as header and claims, signed with the real key.
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = SigningKey::from_bytes(self.key.seed()).sign(message.as_bytes());
        format!("{message}.{}", encode(signature.to_bytes()))
    }
}

pub(crate) async fn assert_refused(world: &World, token: &str, what: &str) {
    match world.verify(token).await {
        Ok(verified) => panic!("{what}: accepted as {verified:?}"),
        Err(error) => assert_eq!(error.code().id, "auth.unauthenticated", "{what}: {error}"),
    }
}

/// Claims that are in order at [`NOW`], to be spoiled.
pub(crate) fn claims() -> Value {
    json!({
        "iss": "switchboard-identity",
        "aud": "switchboard",
        "sub": UserId::min_at(1).to_string(),
        "kind": "user",
        "org": OrganizationId::min_at(2).to_string(),
        "role": "agent",
        "sid": SessionId::min_at(3).to_string(),
        "iat": NOW,
        "ims": NOW * 1_000,
        "auth_time": NOW,
        "nbf": NOW,
        "exp": NOW + 300,
    })
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn member(role: Role, scopes: Scopes) -> Membership {
    Membership {
        organization_id: OrganizationId::generate(),
        role,
        scopes,
        view: View::default(),
    }
}

pub(crate) fn user(role: Role) -> Principal {
    Principal::User {
        id: UserId::generate(),
        session_id: SessionId::generate(),
        member: member(
            role,
            match role {
                Role::Custom => Scopes::Only(BTreeSet::from(["conversations.read".to_owned()])),
                _ => Scopes::All,
            },
        ),
        proof: Proof {
            at: DateTime::from_timestamp(NOW, 0).unwrap(),
            strong: false,
        },
    }
}

pub(crate) fn api_key(role: Role, scopes: &[&str]) -> Principal {
    Principal::ApiKey {
        id: ApiKeyId::generate(),
        member: member(
            role,
            Scopes::Only(scopes.iter().map(|&scope| scope.to_owned()).collect()),
        ),
    }
}

pub(crate) fn service(name: &str) -> Principal {
    Principal::Service {
        name: name.to_owned(),
    }
}
