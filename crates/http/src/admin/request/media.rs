//! Media types: what a body is, and what the client takes (RFC 9110 §12.5.1).

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, StatusCode};
use wharf_oci::ErrorCode;

use crate::Rejection;

const LINES: &str = "application/x-ndjson";

/// Whether a body of that type is JSON. Nothing else is taken: forms are what other sites can make browsers send.
pub(super) fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    essence(text).eq_ignore_ascii_case("application/json")
}

/// That the client takes JSON.
pub(super) fn acceptable(headers: &HeaderMap) -> Result<(), Rejection> {
    let asked = || headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let takes = |range: &str| {
        let known = ["*/*", "application/*", "application/json", "application/problem+json", LINES];
        known.iter().any(|known| range.eq_ignore_ascii_case(known))
    };
    if asked().all(|text| text.trim().is_empty()) || asked().flat_map(ranges).any(takes) {
        return Ok(());
    }
    let message = "answers are application/json: accept that, or send no Accept";
    Err(Rejection::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::Unsupported, message))
}

/// Whether it names newline-delimited JSON, and no other JSON before.
pub(super) fn prefers_lines(accept: &HeaderValue) -> bool {
    let text = accept.to_str().unwrap_or_default();
    let first = ranges(text).find(|range| range.starts_with("application/"));
    first.is_some_and(|range| range.eq_ignore_ascii_case(LINES))
}

/// The media ranges of an `Accept`, those with a weight of 0 left out.
fn ranges(text: &str) -> impl Iterator<Item = &str> {
    let refused = |range: &str| {
        let weights = range.split(';').skip(1).filter_map(|parameter| parameter.trim().strip_prefix("q="));
        weights.filter_map(|weight| weight.trim().parse::<f32>().ok()).any(|weight| weight <= 0.0)
    };
    text.split(',').filter(move |range| !refused(range)).map(essence).filter(|range| !range.is_empty())
}

fn essence(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}
