//! Pages for people at a browser: signing in, and letting devices sign in. Plain HTML from the server, without scripts.
//!
//! A browser holds one cookie: something unguessable, which after a sign-in is the session. Every form holds what is
//! made of that cookie, and must come from a page of ours; nothing else changes anything.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use wharf_registry::Error;

use crate::middleware::RouteName;
use crate::{App, Rejection, v2};

mod account;
mod device;
mod next;
mod sign_in;
pub(crate) mod visit;

use next::Next;
use visit::Visit;

/// Nothing but our own style sheet; forms go to us alone; nobody frames us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const STYLE: &str = include_str!("ui/style.css");

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", any(root))
        .route("/sign-in.css", get(style))
        .route("/sign-in", get(sign_in::page).post(sign_in::by_password))
        .route("/sign-in/{provider}", get(sign_in::begin))
        .route("/sign-in/{provider}/callback", get(sign_in::finish))
        .route("/sign-out", axum::routing::post(account::sign_out))
        .route("/account", get(account::page))
        .route("/account/sessions", axum::routing::post(account::end_session))
        .route("/device", get(device::page).post(device::decide))
}

/// A browser gets to where its person can do something; for clients there is nothing.
async fn root(State(app): State<Arc<App>>, request: Request) -> Response {
    let accepts = request.headers().get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let is_browser = request.method().is_safe() && accepts.into_iter().any(|accept| accept.contains("text/html"));
    if is_browser { go("/account") } else { v2::handle(State(app), request).await }
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")];
    (headers, STYLE).into_response()
}

/// What came to nothing, in a page of its own.
struct Failure {
    status: StatusCode,
    message: String,
    retry_after: Option<HeaderValue>,
}

#[derive(Template)]
#[template(path = "ui/message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
    link: Option<(&'a str, &'a str)>,
}

impl Failure {
    fn new(status: StatusCode, message: &str) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let rejection = Rejection::from(error);
        // Browsers would ask for a password of their own accord.
        let status = Some(rejection.status()).filter(|status| *status != StatusCode::UNAUTHORIZED);
        let message = rejection.message().to_owned();
        let retry_after = rejection.into_response().headers_mut().remove(RETRY_AFTER);
        Self { status: status.unwrap_or(StatusCode::FORBIDDEN), message, retry_after }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.status(), rejection.message())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let link = Some(("/sign-in", "To the sign-in"));
        let page = Message { title: "That did not work", text: &sentence(&self.message), link };
        let mut response = html(self.status, &page);
        response.headers_mut().extend(self.retry_after.map(|after| (RETRY_AFTER, after)));
        response
    }
}

/// Messages begin small, for logs and clients.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// A page, which nobody keeps: it is one person's.
fn html(status: StatusCode, page: &impl Template) -> Response {
    let mut response = match page.render() {
        Ok(text) => Response::new(Body::from(text)),
        Err(error) => return Rejection::from(Error::Internal(format!("a page: {error}"))).into_response(),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    guarded(response)
}

fn go(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Ours, or a provider's URL that was parsed: neither has a character that a header cannot.
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    guarded(response)
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: browsers would then not say where a form comes from (Fetch, Origin header).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response.extensions_mut().insert(RouteName("ui"));
    response
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_sentences() {
        assert_eq!(sentence("you are not signed in: no"), "You are not signed in: no.");
        assert_eq!(sentence("Already one."), "Already one.");
        assert_eq!(sentence(""), ".");
    }
}
