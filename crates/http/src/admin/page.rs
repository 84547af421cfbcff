//! The OpenAPI document, and a page for people that shows it: without scripts, from the document alone.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::Value;
use wharf_api::{ProblemKind, paths};

use super::DOCUMENT;

mod view;

/// Nothing but our own style sheet; no frames, no forms, no scripts.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const STYLE: &str = include_str!("page/style.css");
/// Beside the page.
pub(super) const STYLE_PATH: &str = "/api/docs/style.css";

#[derive(Template)]
#[template(path = "api_docs.html")]
struct Page {
    document: &'static str,
    style: &'static str,
    about: Vec<view::Prose>,
    groups: Vec<view::Group>,
    schemas: Vec<view::Schema>,
    problems: &'static [ProblemKind],
}

static PAGE: LazyLock<Result<String, String>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&DOCUMENT).map_err(|error| error.to_string())?;
    let page = Page {
        document: paths::OPENAPI,
        style: STYLE_PATH,
        about: view::paragraphs(&document["info"]["description"]),
        groups: view::groups(&document),
        schemas: view::schemas(&document),
        problems: ProblemKind::ALL,
    };
    page.render().map_err(|error| error.to_string())
});

/// The OpenAPI document.
pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// The page.
pub(super) async fn docs() -> Result<Response, super::Refusal> {
    let page = PAGE.as_ref().map_err(|error| wharf_registry::Error::Internal(error.clone()))?;
    let mut response = ([(CONTENT_TYPE, "text/html; charset=utf-8")], page.as_str()).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// Its style sheet.
pub(super) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

#[cfg(test)]
mod tests;
