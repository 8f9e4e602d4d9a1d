//! The token endpoint.

use openidconnect::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret,
    EmptyAdditionalClaims, EndpointNotSet, EndpointSet, HttpRequest, IdToken, IssuerUrl,
    JsonWebKeySet, OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, TokenResponse, TokenUrl,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, Serialize, de::IntoDeserializer};

use crate::{
    Endpoint, Provider, Refusal, Trouble, discovery::ClientAuthentication, http::Http, shown::Shown,
};

type ErrorAnswer = openidconnect::StandardErrorResponse<CoreErrorResponseType>;

/// The library's client, with our own form of the token answer.
type RelyingParty = Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    ErrorAnswer,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// What comes for a code. The ID token stays as it was sent: see the crate's documentation for why
/// the library does not read it. Neither is kept: an access token opens the person's account at the
/// provider.
#[derive(Deserialize, Serialize)]
pub(crate) struct Tokens {
    access_token: AccessToken,
    #[serde(deserialize_with = "in_any_case")]
    token_type: CoreTokenType,
    id_token: Option<String>,
}

/// The type is `Bearer`, `bearer` or `BEARER` (RFC 6749 section 5.1).
fn in_any_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CoreTokenType, D::Error> {
    let name = String::deserialize(deserializer)?.to_ascii_lowercase();
    CoreTokenType::deserialize(name.into_deserializer())
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

impl Tokens {
    pub(crate) fn id_token(&self) -> Option<&str> {
        self.id_token.as_deref()
    }
}

impl OAuth2TokenResponse for Tokens {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

type LibraryIdToken = IdToken<
    EmptyAdditionalClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for Tokens
{
    /// Never in the library's form.
    fn id_token(&self) -> Option<&LibraryIdToken> {
        None
    }
}

/// The library's client for a provider.
pub(crate) fn relying_party(provider: &Provider) -> RelyingParty {
    let inner = &provider.0;
    let settings = &inner.settings;
    let issuer = IssuerUrl::new(settings.issuer.clone()).expect("checked with the settings");
    let mut party = Client::new(
        ClientId::new(settings.client_id.clone()),
        issuer,
        // We check signatures by the keys ourselves.
        JsonWebKeySet::new(Vec::new()),
    )
    .set_auth_type(match inner.plan.authentication {
        ClientAuthentication::Basic => AuthType::BasicAuth,
        ClientAuthentication::Post | ClientAuthentication::None => AuthType::RequestBody,
    })
    .set_auth_uri(AuthUrl::from_url(inner.plan.authorization.clone()))
    .set_token_uri(TokenUrl::from_url(inner.plan.token.clone()));
    if let Some(secret) = &settings.client_secret {
        party = party.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
    }
    party
}

/// Exchanges the code. Never repeated: a code works once, and a second try would revoke what the
/// first one brought.
pub(crate) async fn exchange(
    http: &Http,
    provider: &Provider,
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    redirect_uri: RedirectUrl,
) -> Result<Tokens, Refusal> {
    let party = relying_party(provider).set_redirect_uri(redirect_uri);
    let call = |request: HttpRequest| {
        let http = http.clone();
        async move { http.exchange(request).await }
    };
    let answer = party
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .request_async(&call)
        .await;
    let tokens: Tokens = answer.map_err(refused)?;
    match tokens.token_type {
        CoreTokenType::Bearer => Ok(tokens),
        _ => Err(unreadable()),
    }
}

fn refused(error: RequestTokenError<Trouble, ErrorAnswer>) -> Refusal {
    match error {
        RequestTokenError::Request(trouble) => Refusal::ProviderFailed {
            endpoint: Endpoint::Token,
            trouble,
        },
        RequestTokenError::ServerResponse(answer) => Refusal::CodeRefused {
            error: Shown::new(answer.error().as_ref()),
            description: Shown::new(answer.error_description().map_or("", String::as_str)),
        },
        // The library's error holds the answer, which may hold tokens: it ends here.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => unreadable(),
    }
}

const fn unreadable() -> Refusal {
    Refusal::ProviderFailed {
        endpoint: Endpoint::Token,
        trouble: Trouble::Unreadable,
    }
}
