//! What is answered when nothing is refused.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use wharf_api::Page;
use wharf_registry::Error;

use super::request::Call;
use super::{Outcome, Refusal};

/// 200 with what was asked for.
pub(super) fn found(body: &impl Serialize) -> Outcome {
    json(StatusCode::OK, HeaderMap::new(), body)
}

/// 200 with what was asked for, and the version to change it by.
pub(super) fn versioned(body: &impl Serialize, version: u64) -> Outcome {
    json(StatusCode::OK, etag(version)?, body)
}

/// 201 with what was made and where it is; 200 when it was there already.
pub(super) fn made(is_new: bool, location: String, body: &impl Serialize, version: Option<u64>) -> Outcome {
    let mut headers = version.map_or_else(|| Ok(HeaderMap::new()), etag)?;
    headers.insert(LOCATION, value(location)?);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    json(status, headers, body)
}

/// What was put there: 201 where nothing was before.
pub(super) fn set(is_new: bool, body: &impl Serialize) -> Outcome {
    json(if is_new { StatusCode::CREATED } else { StatusCode::OK }, HeaderMap::new(), body)
}

/// 204.
pub(super) fn done() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A page, and where the next one is: the same request with another `after`.
pub(super) fn page<T, U: Serialize>(
    call: &Call,
    found: wharf_registry::Page<T>,
    cursor: impl Fn(&T) -> String,
    view: impl FnMut(T) -> U,
) -> Outcome {
    let next = found.entries.last().filter(|_| found.more).map(cursor);
    page_until(call, found.entries, next, view)
}

/// A page whose end says itself where to go on.
pub(super) fn page_until<T, U: Serialize>(
    call: &Call,
    entries: Vec<T>,
    next: Option<String>,
    view: impl FnMut(T) -> U,
) -> Outcome {
    let page = Page { items: entries.into_iter().map(view).collect(), next };
    let mut headers = HeaderMap::new();
    if let Some(next) = &page.next {
        let pairs = form_urlencoded::parse(call.query().as_bytes()).filter(|(name, _)| name != "after");
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).append_pair("after", next).finish();
        headers.insert(LINK, value(format!("<{}?{query}>; rel=\"next\"", call.path()))?);
    }
    json(StatusCode::OK, headers, &page)
}

fn etag(version: u64) -> Result<HeaderMap, Refusal> {
    Ok(HeaderMap::from_iter([(ETAG, value(format!("\"{version}\""))?)]))
}

fn json(status: StatusCode, mut headers: HeaderMap, body: &impl Serialize) -> Outcome {
    let body = serde_json::to_vec(body).map_err(|error| Error::Internal(format!("an answer of our own: {error}")))?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn value(text: String) -> Result<HeaderValue, Refusal> {
    HeaderValue::try_from(text).map_err(|error| Error::Internal(format!("a header of our own: {error}")).into())
}
