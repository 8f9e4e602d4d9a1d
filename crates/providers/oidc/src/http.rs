//! The calls we make to a provider: guarded, short, small, and never redirected.

use std::{fmt, time::Duration};

use http::{HeaderName, Method, header};
use openidconnect::{AccessToken, HttpRequest, HttpResponse};
use outbound::{Error, NotSent, Response, Unknown, guard::Refused};
use secrecy::SecretString;
use url::Url;

/// A place at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// The discovery document.
    Discovery,
    /// Where browsers are sent.
    Authorization,
    /// Where codes are exchanged.
    Token,
    /// The signing keys.
    Keys,
    /// Facts about the person.
    Userinfo,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::Authorization => "authorization endpoint",
            Self::Token => "token endpoint",
            Self::Keys => "key set",
            Self::Userinfo => "userinfo endpoint",
        })
    }
}

/// Why a call brought nothing, for an administrator. Says where the fault is to be looked for, and
/// nothing about our own network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The network guard stopped the call.
    #[error("the address is not allowed: {0}")]
    Refused(Refused),
    /// The name has no address.
    #[error("its host name could not be resolved")]
    Unresolved,
    /// Nobody answers there.
    #[error("no connection could be made")]
    Unreachable,
    /// The certificate is not one to trust, or there is no TLS at all.
    #[error("the TLS handshake failed")]
    Tls,
    /// No complete answer in time.
    #[error("the answer took too long")]
    TooSlow,
    /// The connection broke.
    #[error("the connection was lost")]
    Lost,
    /// More than any such answer needs.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer points elsewhere. It is not followed: nobody vetted that address.
    #[error("it answers with a redirect, which is not followed")]
    Redirected,
    /// An answer with an error status.
    #[error("it answers with status {0}")]
    Status(u16),
    /// The answer is not the JSON it should be.
    #[error("the answer is not the expected JSON")]
    Unreadable,
}

impl Trouble {
    /// Whether the provider may well answer the next time.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unresolved | Self::Unreachable | Self::TooSlow | Self::Lost => true,
            Self::Status(status) => *status >= 500 || *status == 429,
            Self::Refused(_)
            | Self::Tls
            | Self::TooLarge(_)
            | Self::Redirected
            | Self::Unreadable => false,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::NotSent { reason, .. } => match reason {
                NotSent::Refused(refused) => Self::Refused(refused),
                NotSent::Dns => Self::Unresolved,
                NotSent::Tls => Self::Tls,
                NotSent::Connect
                | NotSent::ConnectTimeout
                | NotSent::CircuitOpen { .. }
                | NotSent::Invalid => Self::Unreachable,
            },
            Error::Unknown { reason, .. } => match reason {
                Unknown::Deadline => Self::TooSlow,
                Unknown::ConnectionLost | Unknown::BodyCut { .. } => Self::Lost,
                Unknown::BodyTooLarge { limit, .. } => Self::TooLarge(limit),
                Unknown::Undecodable { .. } => Self::Unreadable,
            },
        }
    }
}

/// What a provider's answers may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For each call, from the first lookup to the last byte.
    pub deadline: Duration,
    /// The size of the discovery document and of the key set, in bytes.
    pub document_bytes: usize,
    /// The size of an answer of the token or userinfo endpoint, in bytes.
    pub answer_bytes: usize,
}

impl Default for Limits {
    /// Microsoft's key set, the largest of the big ones, has about 20 KiB; an ID token with 200
    /// groups about 10 KiB. A person waits meanwhile.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(8),
            document_bytes: 256 * 1024,
            answer_bytes: 64 * 1024,
        }
    }
}

/// Our HTTP client, with the limits.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) client: outbound::Client,
    pub(crate) limits: Limits,
}

impl Http {
    /// The body of a successful answer.
    pub(crate) async fn get(
        &self,
        endpoint: Endpoint,
        url: Url,
        token: Option<&AccessToken>,
    ) -> Result<Response, Trouble> {
        let mut request = self
            .client
            .request(operation(endpoint), Method::GET, url)
            .header(header::ACCEPT, "application/json")
            .deadline(self.limits.deadline)
            .max_response_bytes(self.limit(endpoint));
        if let Some(token) = token {
            request = request.bearer(&SecretString::from(token.secret().as_str()));
        }
        let response = request.send().await?;
        match response.status() {
            status if status.is_redirection() => Err(Trouble::Redirected),
            status if status.is_success() => Ok(response),
            status => Err(Trouble::Status(status.as_u16())),
        }
    }

    /// Makes the call that the OAuth library prepared for the token endpoint.
    pub(crate) async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Trouble> {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string()).map_err(|_| Trouble::Unreachable)?;
        let mut call = self
            .client
            .request(operation(Endpoint::Token), head.method, url)
            .deadline(self.limits.deadline)
            .max_response_bytes(self.limit(Endpoint::Token))
            .body(body);
        for (name, value) in &head.headers {
            call = with_header(call, name, value)?;
        }
        let response = call.send().await?;
        if response.status().is_redirection() {
            return Err(Trouble::Redirected);
        }
        // The library could not read an error without a body, and its words would hide the status.
        if response.status().is_server_error() || response.body().is_empty() {
            return Err(Trouble::Status(response.status().as_u16()));
        }
        let mut answer = HttpResponse::new(response.body().to_vec());
        *answer.status_mut() = response.status();
        Ok(answer)
    }

    const fn limit(&self, endpoint: Endpoint) -> usize {
        match endpoint {
            Endpoint::Discovery | Endpoint::Keys => self.limits.document_bytes,
            Endpoint::Authorization | Endpoint::Token | Endpoint::Userinfo => {
                self.limits.answer_bytes
            }
        }
    }
}

fn with_header(
    call: outbound::Request,
    name: &HeaderName,
    value: &http::HeaderValue,
) -> Result<outbound::Request, Trouble> {
    let value = value.to_str().map_err(|_| Trouble::Unreachable)?;
    Ok(if name == header::AUTHORIZATION {
        call.secret_header(name.clone(), &SecretString::from(value))
    } else {
        call.header(name.clone(), value)
    })
}

const fn operation(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Discovery => "oidc.discover",
        Endpoint::Authorization => "oidc.authorize",
        Endpoint::Token => "oidc.exchange_code",
        Endpoint::Keys => "oidc.keys",
        Endpoint::Userinfo => "oidc.userinfo",
    }
}
