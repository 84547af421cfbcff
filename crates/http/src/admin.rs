//! `/api/v1`: the admin API.
//!
//! A handler takes a request apart, makes one call to the registry and renders what it says. What there is stands in
//! one table of operations (`operations`), which both routes requests and writes the OpenAPI document: nothing is
//! served that is not described.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::routing::{any, get};
use http::StatusCode;
use wharf_api::paths;
use wharf_oci::ErrorCode;

use crate::{App, Rejection};

mod audit;
mod contents;
mod convert;
mod describe;
mod document;
mod grants;
mod limits;
mod operation;
mod orgs;
mod page;
mod providers;
mod quotas;
mod refusal;
mod reply;
mod repositories;
mod request;
mod robots;
mod sessions;
mod teams;
mod tokens;
mod trust_rules;
mod users;
mod whoami;

use operation::Operations;
use refusal::Refusal;

/// What a handler comes to.
type Outcome = Result<axum::response::Response, Refusal>;

/// The OpenAPI document, as text.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document::text(&operations().document()).unwrap_or_default());

fn operations() -> Operations {
    let all = Operations::default();
    let all = whoami::operations(all);
    let all = teams::operations(orgs::operations(all));
    let all = users::operations(robots::operations(all));
    let all = tokens::operations(sessions::operations(all));
    let all = contents::operations(repositories::operations(all));
    let all = providers::operations(trust_rules::operations(grants::operations(all)));
    audit::operations(quotas::operations(limits::operations(all)))
}

/// Everything below `/api`.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let around = axum::middleware::from_fn_with_state(Arc::clone(app), refusal::around);
    operations()
        .into_router()
        .route(paths::OPENAPI, get(page::openapi))
        .route(paths::DOCS, get(page::docs))
        .route(page::STYLE_PATH, get(page::style))
        .route("/api", any(unknown))
        .route("/api/", any(unknown))
        .route("/api/{*rest}", any(unknown))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(around)
}

async fn unknown() -> Refusal {
    let message = format!("there is nothing at this path; {} lists what there is", paths::DOCS);
    Rejection::not_found(ErrorCode::Unsupported, &message).into()
}

/// axum adds which would do, in `Allow`.
async fn method_not_allowed() -> Refusal {
    let message = "this method is not supported here; Allow has those that are";
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message).into()
}

#[cfg(test)]
mod tests;
