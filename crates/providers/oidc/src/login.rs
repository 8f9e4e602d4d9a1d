//! The way to the provider and back, through a browser nobody can trust.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use ids::SsoConnectionId;
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, CsrfToken, LoginHint, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, core::CoreResponseType,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use subtle::ConstantTimeEq;
use url::Url;

use crate::{Client, Identity, Kind, Provider, Refusal, exchange, shown::Shown, token, userinfo};

/// How long a person may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// Bytes of randomness in the state, the nonce and the PKCE verifier.
const RANDOM_BYTES: u32 = 32;

/// The longest values that can mean something, in bytes. Microsoft's codes have over 1 KiB.
const MAX_CODE: usize = 8 * 1024;
const MAX_LOGIN_HINT: usize = 320;

/// A login that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where to send the browser. Not for logs: it holds the state.
    pub url: Url,
    /// What [`Client::finish`] needs.
    pub pending: Pending,
}

/// A login that has begun and not ended. Seal it: whoever knows it can end the login. It is not
/// `Clone`, because it is used once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    #[serde(serialize_with = "expose")]
    state: SecretString,
    #[serde(serialize_with = "expose")]
    nonce: SecretString,
    #[serde(serialize_with = "expose")]
    pkce_verifier: SecretString,
    connection: SsoConnectionId,
    issuer: String,
    redirect_uri: Url,
    expires_at: DateTime<Utc>,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Pending {
    /// The `state` the answer will have, to find this again by.
    pub const fn state(&self) -> &SecretString {
        &self.state
    }

    /// The connection whose provider the browser was sent to.
    pub const fn connection(&self) -> SsoConnectionId {
        self.connection
    }

    /// When [`Client::finish`] will no longer take it.
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    pub(crate) const fn nonce(&self) -> &SecretString {
        &self.nonce
    }
}

/// What the browser brings back, as the query of the redirect address.
#[derive(Default, Deserialize)]
pub struct Callback {
    /// The code, if the login succeeded.
    pub code: Option<String>,
    /// The state we sent.
    pub state: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
    /// The error, if it did not.
    pub error: Option<String>,
    /// The provider's words for it.
    pub error_description: Option<String>,
}

/// Without what it holds: a code logs somebody in.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("has_code", &self.code.is_some())
            .field("has_error", &self.error.is_some())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Begins a login: makes the address to send the browser to. `redirect_uri` is the
    /// connection's own; `login_hint` is whom the person says to be, if anything.
    pub fn begin(
        &self,
        provider: &Provider,
        redirect_uri: Url,
        login_hint: Option<&str>,
        now: DateTime<Utc>,
    ) -> Begun {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256_len(RANDOM_BYTES);
        let inner = &provider.0;
        let party = exchange::relying_party(provider)
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let mut request = party
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new_random_len(RANDOM_BYTES),
                || Nonce::new_random_len(RANDOM_BYTES),
            )
            .add_scopes(inner.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        if let Some(hint) = login_hint.filter(|hint| hint.len() <= MAX_LOGIN_HINT) {
            request = request.set_login_hint(LoginHint::new(hint.to_owned()));
        }
        // Only a hint to the account chooser; what counts is the claim in the token.
        if let Kind::Google { hosted_domains } = &inner.settings.kind
            && let [domain] = hosted_domains.as_slice()
        {
            request = request.add_extra_param("hd", domain);
        }
        let (url, state, nonce) = request.url();
        Begun {
            url,
            pending: Pending {
                state: SecretString::from(state.into_secret()),
                nonce: SecretString::from(nonce.secret().as_str()),
                pkce_verifier: SecretString::from(verifier.into_secret()),
                connection: inner.connection,
                issuer: inner.settings.issuer.clone(),
                redirect_uri,
                expires_at: now + PATIENCE,
            },
        }
    }

    /// Ends a login: checks the answer, exchanges the code and says who it is.
    ///
    /// # Errors
    /// [`Refusal`]: nobody is logged in, and this `pending` must not be used again.
    pub async fn finish(
        &self,
        provider: &Provider,
        pending: Pending,
        callback: Callback,
        now: DateTime<Utc>,
    ) -> Result<Identity, Refusal> {
        let code = accept(provider, &pending, callback, now)?;
        let proof = PkceCodeVerifier::new(pending.pkce_verifier.expose_secret().to_owned());
        let redirect_uri = RedirectUrl::from_url(pending.redirect_uri.clone());
        let exchange = exchange::exchange(&self.0.http, provider, code, proof, redirect_uri);
        let tokens = Box::pin(exchange).await?;
        let verified = token::verify(self, provider, &tokens, pending.nonce(), now).await?;
        let facts = userinfo::complete(&self.0.http, provider, verified, &tokens).await?;
        Identity::new(&provider.0, facts)
    }
}

/// Checks everything about the answer that can be known without a call, in the order that gives
/// an attacker the least: nothing of it is looked at before the state is right.
fn accept(
    provider: &Provider,
    pending: &Pending,
    callback: Callback,
    now: DateTime<Utc>,
) -> Result<AuthorizationCode, Refusal> {
    let inner = &provider.0;
    let state = callback.state.ok_or(Refusal::StateMissing)?;
    if !is_same(&state, &pending.state) {
        return Err(Refusal::StateMismatch);
    }
    if pending.connection != inner.connection || pending.issuer != inner.settings.issuer {
        return Err(Refusal::ConnectionMismatch);
    }
    if now >= pending.expires_at {
        return Err(Refusal::LoginExpired);
    }
    match callback.iss {
        None if inner.plan.names_itself => return Err(Refusal::IssuerParameterMissing),
        Some(found) if !answers_for(provider, &found) => {
            let found = Shown::new(&found);
            return Err(Refusal::IssuerParameterMismatch { found });
        }
        None | Some(_) => {}
    }
    if let Some(error) = callback.error {
        return Err(Refusal::Denied {
            error: Shown::new(&error),
            description: Shown::new(callback.error_description.as_deref().unwrap_or_default()),
        });
    }
    let code = callback.code.filter(|code| !code.is_empty());
    let code = code.ok_or(Refusal::CodeMissing)?;
    if code.len() > MAX_CODE {
        return Err(Refusal::CodeMissing);
    }
    Ok(AuthorizationCode::new(code))
}

/// Whether an answer through the browser may name this issuer (RFC 9207 section 2.4).
fn answers_for(provider: &Provider, found: &str) -> bool {
    let inner = &provider.0;
    let tenants = match &inner.settings.kind {
        Kind::Entra { tenant_ids } => tenant_ids.as_slice(),
        Kind::Generic | Kind::Google { .. } | Kind::Okta => &[],
    };
    inner.plan.issuer.is(found, None)
        || tenants
            .iter()
            .any(|tenant| inner.plan.issuer.is(found, Some(*tenant)))
}

/// Compares without telling by the time it takes how much is right.
pub(crate) fn is_same(found: &str, expected: &SecretString) -> bool {
    let expected = expected.expose_secret().as_bytes();
    found.as_bytes().ct_eq(expected).into()
}
