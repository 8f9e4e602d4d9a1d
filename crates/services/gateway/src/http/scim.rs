//! `/scim/v2/…`: SCIM speaks HTTP in its own way, so identity answers it whole and the gateway carries.

mod failure;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use errors::codes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use proto::identity::v1::{ServeScimRequest, ServeScimResponse};
use sb_http::{ForeignError, ProblemResponse, body, body::Limits, refusal};

use super::{answers, client::Client, inside};
use crate::app::Gateway;

const BASE: &str = "/scim/v2";
/// As identity takes it.
const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/scim/v2", any(serve))
        .route("/scim/v2/", any(serve))
        .route("/scim/v2/{*rest}", any(serve))
}

async fn serve(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match Box::pin(carry(&gateway, request)).await {
        Ok(response) => response,
        Err(problem) => failure::response(&answers::challenged(problem)),
    }
}

async fn carry(gateway: &Gateway, request: Request) -> Result<Response, ProblemResponse> {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, stream) = request.into_parts();
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(refusal::media_type_unsupported(
            "Send the body without Content-Encoding.",
        ));
    }
    let path = path(&parts.uri)?;
    let if_match = if_match(&parts.headers)?;
    let limits = Limits {
        max_bytes: MAX_BODY_BYTES,
        ..gateway.settings.api.body()
    };
    let body = body::read(&parts.headers, stream, limits).await?;
    let message = ServeScimRequest {
        token: auth::bearer(&parts.headers).unwrap_or_default().to_owned(),
        method: parts.method.as_str().to_owned(),
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.to_vec(),
        if_match,
        base_url: format!("{}{BASE}", gateway.settings.public_url()),
    };
    let call = inside::call(gateway, message, &parts.headers, &client).await?;
    let answer = gateway.scim.clone().serve_scim(call).await;
    response(inside::answer(gateway, answer)?)
}

/// The path below `/scim/v2`, decoded. A slash that is encoded belongs to a name, and no name of ours has one; decoded it
/// would be taken for a separator.
fn path(uri: &Uri) -> Result<String, ProblemResponse> {
    let rest = uri.path().strip_prefix(BASE).unwrap_or_default();
    let has_encoded_slash = rest.to_ascii_lowercase().contains("%2f");
    match percent_decode_str(rest).decode_utf8() {
        Ok(path) if !has_encoded_slash => Ok(path.into_owned()),
        _ => Err(refusal::route_unknown()),
    }
}

/// The whole of `If-Match`. One that can't be read is not taken for none: the change would be made whatever came before it.
fn if_match(headers: &HeaderMap) -> Result<String, ProblemResponse> {
    let values = headers.get_all(header::IF_MATCH).iter();
    let values: Result<Vec<&str>, _> = values.map(HeaderValue::to_str).collect();
    values.map(|values| values.join(", ")).map_err(|_| {
        let message = "Send the version as it was answered.";
        refusal::header_invalid("If-Match", message)
    })
}

fn response(answer: ServeScimResponse) -> Result<Response, ProblemResponse> {
    let status = u16::try_from(answer.status).ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status.ok_or_else(unusable)?;
    response.extensions_mut().insert(ForeignError);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, answer.content_type),
        (header::LOCATION, answer.location),
        (header::ETAG, answer.etag),
    ] {
        if !value.is_empty() {
            let value = HeaderValue::try_from(value).map_err(|_| unusable())?;
            headers.insert(name, value);
        }
    }
    if status == Some(StatusCode::UNAUTHORIZED) {
        headers.insert(header::WWW_AUTHENTICATE, answers::BEARER);
    }
    Ok(response)
}

fn unusable() -> ProblemResponse {
    tracing::error!("identity's answer to a directory can't be an answer over HTTP");
    ProblemResponse::new(&codes::INTERNAL)
}
