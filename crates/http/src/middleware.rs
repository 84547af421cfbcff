//! Around every request: an id, the limits on its head, a span, a line in the log, and its numbers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;
use tracing::Instrument;
use wharf_oci::ErrorCode;

use crate::serve::Peer;
use crate::{App, Rejection};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// The caller's name, left on the response for the log.
#[derive(Clone)]
pub(crate) struct CallerName(pub(crate) Arc<str>);

/// What kind of request it was, left on the response for the metrics.
#[derive(Clone, Copy)]
pub(crate) struct RouteName(pub(crate) &'static str);

/// The request's id, for whatever handles it.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

pub(crate) async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::now_v7().simple().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.addr);
    let span = tracing::info_span!("request", id, %method, path);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(RequestId(id.as_str().into()));
    let mut response = match check_head(&app, &parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).instrument(span.clone()).await,
        Err(rejection) => rejection.into_response(),
    };
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    if let Ok(value) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, value);
    }
    if status == StatusCode::REQUEST_TIMEOUT {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let elapsed = started.elapsed();
    let route = response.extensions().get::<RouteName>().map_or("other", |route| route.0);
    let caller = response.extensions().get::<CallerName>().map_or("-", |caller| &caller.0);
    app.metrics.answered(&method, route, status, elapsed);
    span.in_scope(|| {
        let peer = peer.map_or_else(String::new, |peer| peer.ip().to_string());
        tracing::info!(status = status.as_u16(), ms = millis(elapsed), caller, peer, "answered");
    });
    response
}

#[expect(clippy::cast_precision_loss, reason = "a duration in a log line")]
fn millis(elapsed: std::time::Duration) -> f64 {
    (elapsed.as_micros() as f64) / 1000.0
}

/// Limits are the operator's; hyper's own, which answer without a body, lie far above.
fn check_head(app: &App, parts: &Parts) -> Result<(), Rejection> {
    let options = &app.options;
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > options.url_size {
        let message = format!("the URL has {target} bytes, at most {} are allowed", options.url_size);
        return Err(Rejection::new(StatusCode::URI_TOO_LONG, ErrorCode::Unsupported, message));
    }
    let headers: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > options.header_size {
        let message = format!("the headers have {headers} bytes, at most {} are allowed", options.header_size);
        return Err(Rejection::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ErrorCode::Unsupported, message));
    }
    match parts.headers.get(EXPECT) {
        Some(expect) if !expect.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            let message = "only Expect: 100-continue can be met";
            Err(Rejection::new(StatusCode::EXPECTATION_FAILED, ErrorCode::Unsupported, message))
        }
        _ => Ok(()),
    }
}

/// For axum's own routes.
pub(crate) async fn method_not_allowed() -> Rejection {
    Rejection::method("GET, HEAD")
}
