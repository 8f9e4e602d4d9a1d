//! The ID token: OpenID Connect Core section 3.1.3.7, and RFC 8725.

mod claims;
mod jws;
mod object;

use chrono::{DateTime, Utc};
pub(crate) use object::Object;
use openidconnect::OAuth2TokenResponse;
use secrecy::SecretString;
use uuid::Uuid;

use self::jws::Jws;
use crate::{
    Client, Kind, Provider, Refusal,
    exchange::Tokens,
    issuer::of_tenant,
    keys::{Key, KeySet, NoKey},
    shown::Shown,
};

/// The claims of a token that has passed every check.
pub(crate) struct Verified {
    pub(crate) claims: Object,
    pub(crate) subject: String,
    /// Entra: the directory, which is an admitted one.
    pub(crate) tenant: Option<Uuid>,
}

/// Checks the ID token.
pub(crate) async fn verify(
    client: &Client,
    provider: &Provider,
    tokens: &Tokens,
    nonce: &SecretString,
    now: DateTime<Utc>,
) -> Result<Verified, Refusal> {
    let jws = Jws::parse(tokens.id_token().ok_or(Refusal::IdTokenMissing)?)?;
    let inner = &provider.0;
    if !inner.plan.algorithms.contains(&jws.algorithm) {
        let found = Shown::new(&jws.algorithm_name);
        return Err(Refusal::AlgorithmRefused { found });
    }
    let find = |keys: &KeySet| find(keys, provider, &jws).cloned();
    let key = match find(&inner.known.published.keys) {
        // Perhaps the provider has a new key.
        Err(NoKey::Unknown) => match client.newer_keys(provider, now).await {
            Some(keys) => find(&keys),
            None => Err(NoKey::Unknown),
        },
        found => found,
    };
    let key = key.map_err(|why| match why {
        NoKey::Ambiguous => Refusal::KeyAmbiguous,
        NoKey::Unknown => Refusal::KeyUnknown {
            key: Shown::new(jws.key_id.as_deref().unwrap_or_default()),
        },
    })?;
    if !key.verifies(jws.algorithm, jws.signed.as_bytes(), &jws.signature) {
        return Err(Refusal::SignatureInvalid);
    }
    check_access_token(&key, &jws, tokens)?;
    claims::check(&inner.settings, &inner.plan.issuer, jws.claims, nonce, now)
}

/// The key the token's header names. What the header says is only a way to find it: keys and
/// addresses of keys that a header may carry are never used (RFC 8725 section 3.10).
fn find<'k>(keys: &'k KeySet, provider: &Provider, jws: &Jws<'_>) -> Result<&'k Key, NoKey> {
    let entra = matches!(provider.0.settings.kind, Kind::Entra { .. });
    // Microsoft's key set has keys that speak for one issuer only. The claims are not yet
    // verified here; a lie in them finds a key that did not sign it, or none.
    let belongs = |issuer: &str| {
        let tenant = jws
            .claims
            .text("tid")
            .and_then(|tid| Uuid::try_parse(tid).ok());
        !entra
            || tenant.is_some_and(|tenant| {
                jws.claims.text("iss") == Some(of_tenant(issuer, tenant).as_str())
            })
    };
    keys.find(jws.key_id.as_deref(), jws.algorithm, belongs)
}

fn check_access_token(key: &Key, jws: &Jws<'_>, tokens: &Tokens) -> Result<(), Refusal> {
    if !jws.claims.has("at_hash") {
        return Ok(());
    }
    let hash = key.access_token_hash(jws.algorithm, tokens.access_token());
    if hash.as_deref() == jws.claims.text("at_hash") {
        Ok(())
    } else {
        Err(Refusal::AccessTokenMismatch)
    }
}
