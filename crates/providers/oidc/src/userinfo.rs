//! The userinfo endpoint: facts the ID token leaves out.

use openidconnect::OAuth2TokenResponse;

use crate::{
    Endpoint, Kind, Provider, Refusal, Trouble,
    exchange::Tokens,
    http::Http,
    token::{Object, Verified},
};

/// Who it is, with what the userinfo endpoint adds.
pub(crate) struct Facts {
    pub(crate) verified: Verified,
    /// Only about the same person; empty if it was not asked.
    pub(crate) userinfo: Object,
}

/// Asks for what is missing, if there is somebody to ask.
pub(crate) async fn complete(
    http: &Http,
    provider: &Provider,
    verified: Verified,
    tokens: &Tokens,
) -> Result<Facts, Refusal> {
    let inner = &provider.0;
    let wanted = inner.settings.userinfo && is_wanting(provider, &verified.claims);
    let userinfo = match &inner.plan.userinfo {
        Some(url) if wanted => {
            let token = tokens.access_token();
            let fetched = http.get(Endpoint::Userinfo, url.clone(), Some(token)).await;
            let answer: Object = fetched
                .and_then(|answer| answer.json().map_err(Trouble::from))
                .map_err(|trouble| Refusal::ProviderFailed {
                    endpoint: Endpoint::Userinfo,
                    trouble,
                })?;
            // The answer is not signed: a token put in by somebody else would bring that person's
            // facts (OpenID Connect Core section 5.3.2).
            if answer.text("sub") != Some(verified.subject.as_str()) {
                return Err(Refusal::UserinfoMismatch);
            }
            answer
        }
        _ => Object::default(),
    };
    Ok(Facts { verified, userinfo })
}

fn is_wanting(provider: &Provider, claims: &Object) -> bool {
    let settings = &provider.0.settings;
    // Entra's userinfo has nothing its ID tokens can't have, and what it says of e-mail addresses
    // is never verified.
    if matches!(settings.kind, Kind::Entra { .. }) {
        return false;
    }
    let groups = settings.groups_claim.as_deref();
    ["email", "name"]
        .into_iter()
        .chain(groups)
        .any(|name| !claims.has(name))
}
