//! Which part of an unreadable request is at fault. The transcoder says it for the request as a
//! whole; a second transcoder, which reads requests and calls nobody, is asked about the parts.

use http::HeaderMap;
use rest_over_grpc::transcoding::{Transcode, TranscodeResponse};
use sb_http::json::Mistake;

use super::answers;
use crate::upstreams::Api;

/// As many parameters as the transcoder takes; a request with more is refused for that.
const MOST_PARAMETERS: usize = 128;

/// The request as the transcoder saw it.
pub(super) struct Unreadable<'r> {
    pub(super) method: &'static str,
    pub(super) path: &'r str,
    pub(super) query: Option<&'r str>,
    pub(super) body: &'r [u8],
    /// What the transcoder said.
    pub(super) words: String,
}

/// The mistake, in the field it is in as far as that can be told.
pub(super) async fn find(reader: &Api, request: Unreadable<'_>) -> Mistake {
    let Some(query) = request.query.filter(|query| !query.is_empty()) else {
        return Mistake::of(request.body, &request.words);
    };
    let method = request.method;
    // Positions count from the wrong place where query and body were read together.
    if !request.body.is_empty()
        && let Some(words) = read(reader, method, request.path, request.body).await
    {
        return Mistake::of(request.body, &words);
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    for pair in pairs.take(MOST_PARAMETERS) {
        let target = format!("{}?{pair}", request.path);
        if let Some(words) = read(reader, method, &target, b"").await {
            let name = pair.split('=').next().unwrap_or(pair);
            let shown: String = name.chars().take(100).collect();
            return Mistake::of(b"", &words).in_field(shown);
        }
    }
    Mistake::of(b"", &request.words)
}

/// What the transcoder says against this request, if anything.
async fn read(reader: &Api, method: &str, target: &str, body: &[u8]) -> Option<String> {
    let answer = Box::pin(reader.try_transcode(method, target, HeaderMap::new(), body)).await?;
    let TranscodeResponse::Unary(refused) = answer else {
        return None;
    };
    let status = answers::status(refused.body());
    answers::unreadable(&status).map(str::to_owned)
}
