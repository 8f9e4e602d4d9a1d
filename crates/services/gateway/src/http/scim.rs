//! `/scim/v2/…`: SCIM speaks HTTP in its own way, so identity answers it whole and the gateway carries.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use proto::identity::v1::{ServeScimRequest, ServeScimResponse};
use sb_http::{ProblemResponse, body, body::Limits, refusal};

use super::{answers, client::Client, inside};
use crate::app::Gateway;

const BASE: &str = "/scim/v2";
/// As identity takes it.
const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/scim/v2", any(serve))
        .route("/scim/v2/{*rest}", any(serve))
}

async fn serve(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match Box::pin(carry(&gateway, request)).await {
        Ok(response) => response,
        Err(problem) => answers::challenged(problem).into_response(),
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
    let limits = Limits {
        max_bytes: MAX_BODY_BYTES,
        ..gateway.settings.api.body()
    };
    let body = body::read(&parts.headers, stream, limits).await?;
    let rest = parts.uri.path().strip_prefix(BASE).unwrap_or_default();
    let path = percent_decode_str(rest)
        .decode_utf8()
        .map_err(|_| refusal::route_unknown())?;
    let message = ServeScimRequest {
        token: auth::bearer(&parts.headers).unwrap_or_default().to_owned(),
        method: parts.method.as_str().to_owned(),
        path: path.into_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.to_vec(),
        if_match: text(&parts.headers, &header::IF_MATCH),
        base_url: format!("{}{BASE}", gateway.settings.public_url()),
    };
    let call = inside::call(gateway, message, &parts.headers, &client).await?;
    let answer = gateway.scim.clone().serve_scim(call).await;
    let answer = answer.map_err(|status| answers::problem(&status, &HeaderMap::new()))?;
    response(answer.into_inner())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn response(answer: ServeScimResponse) -> Result<Response, ProblemResponse> {
    let unusable = |_| ProblemResponse::new(&errors::codes::INTERNAL);
    let status = u16::try_from(answer.status).unwrap_or_default();
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(status).map_err(|_| ProblemResponse::new(&errors::codes::INTERNAL))?;
    for (name, value) in [
        (header::CONTENT_TYPE, answer.content_type),
        (header::LOCATION, answer.location),
        (header::ETAG, answer.etag),
    ] {
        if !value.is_empty() {
            let value = HeaderValue::try_from(value).map_err(unusable)?;
            response.headers_mut().insert(name, value);
        }
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(r#"Bearer realm="switchboard""#);
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
}
