//! A refusal as RFC 9457 has it. Which status and sentence an error gets is decided in one place for the whole wire
//! (`rejection`); here is how the admin API writes it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method};
use wharf_api::{Problem, ProblemKind};

use crate::middleware::{CallerName, RequestId, RouteName};
use crate::origin::realm;
use crate::rates::Passage;
use crate::{App, Rejection};

/// A rejection that will be written as a problem.
#[derive(Clone, Debug)]
pub(super) struct Refusal(pub(super) Rejection);

impl<E: Into<Rejection>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Left on the response for [`around`], which knows the request.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// Where [`super::request::Call`] leaves what the answer is to say of its request.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Left>);

#[derive(Default)]
struct Left {
    /// The caller's name, for the log.
    caller: OnceLock<Arc<str>>,
    /// What it took of the limits.
    passage: Mutex<Option<Passage>>,
}

impl Slot {
    /// Set once: a request has one caller.
    pub(super) fn leave_caller(&self, name: &str) {
        let _ = self.0.caller.set(name.into());
    }

    pub(super) fn leave_passage(&self, passage: Passage) {
        *self.0.passage.lock().unwrap_or_else(PoisonError::into_inner) = Some(passage);
    }

    fn passage(&self) -> Option<Passage> {
        self.0.passage.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Around every request below `/api`: refusals become problems, and nothing is kept by caches.
pub(super) async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let slot = Slot::default();
    parts.extensions.insert(slot.clone());
    let realm = realm(&app.options, &parts);
    let id = parts.extensions.get::<RequestId>().cloned();
    let is_head = parts.method == Method::HEAD;
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(Refusal(rejection)) = response.extensions_mut().remove::<Refusal>() {
        tracing::debug!(status = %rejection.status(), reason = rejection.message(), "refused");
        let rejection = rejection.at(&realm);
        let problem = problem(&rejection, id.as_ref());
        write(&mut response, rejection, &problem, is_head);
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    response.extensions_mut().insert(RouteName("api"));
    if let Some(passage) = slot.passage() {
        passage.leave(&app, &mut response);
    }
    if let Some(name) = slot.0.caller.get() {
        response.extensions_mut().insert(CallerName(Arc::clone(name)));
    }
    response
}

fn problem(rejection: &Rejection, id: Option<&RequestId>) -> Problem {
    let status = rejection.status().as_u16();
    let kind = rejection.kind().unwrap_or_else(|| ProblemKind::of_status(status));
    Problem {
        kind: kind.reference(),
        title: kind.title().into(),
        status,
        detail: rejection.message().into(),
        field: rejection.field().map(str::to_owned),
        request: id.map(|id| id.0.to_string()),
    }
}

/// In place: axum may have put `Allow` there.
fn write(response: &mut Response, rejection: Rejection, problem: &Problem, is_head: bool) {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.extend(rejection.into_headers());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    if !is_head {
        *response.body_mut() = Body::from(body);
    }
}
