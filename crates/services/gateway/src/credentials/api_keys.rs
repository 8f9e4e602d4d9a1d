//! API keys: exchanged for access tokens by identity, which alone knows them.

use std::{net::IpAddr, sync::Arc, time::Duration};

use auth::ServiceTokenSource;
use chassis::Channel;
use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, earlier, later};
use errors::{Problem, codes};
use moka::future::Cache;
use proto::identity::v1::{
    AccessToken, ExchangeApiKeyRequest, identity_service_client::IdentityServiceClient,
};
use sha2::{Digest, Sha256};
use tonic::{Code, Request, Status};

use super::{Caller, Fingerprint, Refused};

/// A key that was refused is asked about again after this. A program that goes on with a revoked key
/// must not reach identity with each request, and a key that was just created is not kept waiting.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// An exchanged token is not used in the seconds before its end: the call may take some.
const MARGIN: Duration = Duration::from_secs(5);

/// Exchanges keys and remembers the answers.
#[derive(Debug)]
pub(crate) struct ApiKeys {
    identity: IdentityServiceClient<Channel>,
    /// Only services may exchange keys.
    own_token: ServiceTokenSource,
    exchanged: Cache<Fingerprint, Exchange>,
    ttl: Duration,
    clock: Clock,
}

/// What identity said of a key, and until when that is believed.
#[derive(Debug, Clone)]
struct Exchange {
    outcome: Result<Arc<Caller>, Refused>,
    fresh_until: DateTime<Utc>,
}

impl ApiKeys {
    /// `ttl` is how long a key's revocation may go unnoticed.
    pub(crate) fn new(
        identity: IdentityServiceClient<Channel>,
        own_token: ServiceTokenSource,
        capacity: u64,
        ttl: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            identity,
            own_token,
            exchanged: Cache::builder()
                .max_capacity(capacity)
                .time_to_live(ttl.max(REFUSED_FOR))
                .build(),
            ttl,
            clock,
        }
    }

    /// The caller that the key stands for, asking from `address`. A key may be bound to networks, down to a single
    /// address, so what identity said of it holds for that address alone.
    pub(super) async fn check(
        &self,
        key: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Caller>, Refused> {
        let address = address.map(|address| address.to_string());
        let address = address.unwrap_or_default();
        let name = name(key, &address);
        if let Some(known) = self.exchanged.get(&name).await
            && self.is_fresh(&known)
        {
            return known.outcome;
        }
        // Requests that come together with the same key wait for one exchange.
        self.exchanged
            .entry_by_ref(&name)
            .or_insert_with_if(Box::pin(self.exchange(key, &address)), |known| {
                !self.is_fresh(known)
            })
            .await
            .into_value()
            .outcome
    }

    fn is_fresh(&self, known: &Exchange) -> bool {
        self.clock.now() < known.fresh_until
    }

    async fn exchange(&self, key: &str, address: &str) -> Exchange {
        // A token's life is counted from before the question.
        let now = self.clock.now();
        let mut request = Request::new(ExchangeApiKeyRequest {
            secret: key.to_owned(),
            client_address: address.to_owned(),
        });
        if let Err(error) = self.own_token.authorize(&mut request, None).await {
            return Exchange {
                outcome: Err(Refused::NoServiceToken(error)),
                fresh_until: now,
            };
        }
        let answer = self.identity.clone().exchange_api_key(request).await;
        match answer.map(tonic::Response::into_inner) {
            Ok(token) => self.accepted(&token, now),
            Err(status) => self.refused(status, now),
        }
    }

    fn accepted(&self, token: &AccessToken, now: DateTime<Utc>) -> Exchange {
        let expires_at = now + TimeDelta::seconds(i64::from(token.expires_in));
        let usable_until = earlier(expires_at, MARGIN);
        Exchange {
            outcome: Caller::new(&token.access_token, expires_at, None)
                .map(Arc::new)
                .ok_or_else(|| {
                    Refused::Exchange(Status::internal("identity's token can't be a header"))
                }),
            fresh_until: usable_until.min(later(now, self.ttl)),
        }
    }

    fn refused(&self, status: Status, now: DateTime<Utc>) -> Exchange {
        if Problem::from_status(&status).code == codes::AUTH_API_KEY_INVALID.id {
            return Exchange {
                outcome: Err(Refused::Invalid),
                fresh_until: later(now, REFUSED_FOR),
            };
        }
        if status.code() == Code::Unauthenticated {
            // It is our own token that identity does not accept.
            self.own_token.forget();
        }
        // Nothing is said about the key; whoever comes next asks again.
        Exchange {
            outcome: Err(Refused::Exchange(status)),
            fresh_until: now,
        }
    }
}

/// A key and an address under one name. Neither has a line break.
fn name(key: &str, address: &str) -> Fingerprint {
    let digest = Sha256::new_with_prefix(key.as_bytes());
    digest
        .chain_update(b"\n")
        .chain_update(address)
        .finalize()
        .into()
}
