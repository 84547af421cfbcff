//! Blobs: HEAD, GET with ranges and conditions, DELETE.

use std::ops::Range;
use std::sync::Arc;

use axum::response::Response;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderValue, StatusCode};
use wharf_oci::{Digest, RangeOutcome, RepoName, if_none_match, parse_range};
use wharf_registry::BlobInfo;

use super::{CONTENT_DIGEST, Call, Outcome, empty, etag, header};
use crate::Rejection;
use crate::body::{self, Pace};

pub(super) async fn get(call: &Call, name: &RepoName, digest: &Digest) -> Outcome {
    let blob = call.app.registry.blob(&call.caller, name, digest).await?;
    if call.header(IF_NONE_MATCH).is_some_and(|header| if_none_match(header, digest)) {
        return with_digest(empty(StatusCode::NOT_MODIFIED), digest);
    }
    if call.is_head() {
        let mut response = empty(StatusCode::OK);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(blob.size));
        return with_digest(response, digest);
    }
    match asked_range(call, digest, blob.size) {
        RangeOutcome::Unsatisfiable => Err(Rejection::range(blob.size)),
        RangeOutcome::Whole => {
            let whole = 0..blob.size;
            with_digest(send(call, blob, whole, StatusCode::OK), digest)
        }
        RangeOutcome::Part(part) => {
            let content_range = format!("bytes {}-{}/{}", part.start, part.end - 1, blob.size);
            let mut response = send(call, blob, part, StatusCode::PARTIAL_CONTENT);
            response.headers_mut().insert(CONTENT_RANGE, header(content_range)?);
            with_digest(response, digest)
        }
    }
}

pub(super) async fn delete(call: &Call, name: &RepoName, digest: &Digest) -> Outcome {
    call.app.registry.delete_blob(&call.caller, name, digest).await?;
    Ok(empty(StatusCode::ACCEPTED))
}

fn asked_range(call: &Call, digest: &Digest, size: u64) -> RangeOutcome {
    let Some(range) = call.header(RANGE) else { return RangeOutcome::Whole };
    // A part of something else is worth nothing: then all of this.
    let is_this = call.header(IF_RANGE).is_none_or(|condition| condition.trim_matches('"') == digest.as_str());
    if is_this { parse_range(range, size) } else { RangeOutcome::Whole }
}

fn send(call: &Call, blob: BlobInfo, range: Range<u64>, status: StatusCode) -> Response {
    let length = range.end - range.start;
    let body = body::outgoing(blob.into_content(range), Pace::of(call.parts.version), Arc::clone(&call.app.metrics));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn with_digest(mut response: Response, digest: &Digest) -> Outcome {
    let (name, value) = etag(digest)?;
    let headers = response.headers_mut();
    headers.insert(name, value);
    headers.insert(CONTENT_DIGEST, header(digest.to_string())?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=31536000, immutable"));
    Ok(response)
}
