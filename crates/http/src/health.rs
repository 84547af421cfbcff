//! `/livez`: the process answers. `/readyz`: work may be sent here, or why not.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde_json::json;
use wharf_registry::Unready;

use crate::App;

pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, &json!({ "status": "live" }))
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.draining.load(Ordering::Relaxed) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "draining", "reasons": ["shutting down"] }));
    }
    let asking = Arc::clone(&app);
    let look = async move { asking.readiness.get(async |before| reasons(&asking, before).await).await };
    // On a task of its own: hyper drops a handler with its connection, and a store that hangs must be logged and
    // looked at once, though every probe gives up on it.
    let reasons = match app.detached.spawn(look).await {
        Ok(Ok(Reasons(reasons))) => reasons,
        Err(_) => vec!["the check ended early"],
    };
    if reasons.is_empty() {
        return answer(StatusCode::OK, &json!({ "status": "ready" }));
    }
    answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "unready", "reasons": reasons }))
}

/// Why work should not be sent here, for anybody to read.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Reasons(Vec<&'static str>);

/// The causes go to the log, when they are new.
async fn reasons(app: &App, before: Option<Reasons>) -> Result<Reasons, Infallible> {
    let unready = app.registry.readiness().await;
    let reasons = Reasons(unready.iter().map(public).collect());
    if before.unwrap_or_default() != reasons {
        let causes: Vec<String> = unready.iter().map(ToString::to_string).collect();
        if causes.is_empty() {
            tracing::info!("ready again");
        } else {
            tracing::warn!(?causes, "not ready (said when it changes)");
        }
    }
    Ok(reasons)
}

fn public(reason: &Unready) -> &'static str {
    match reason {
        Unready::Database(_) => "the database does not take writes",
        Unready::Store(_) => "the blob store does not answer",
        Unready::Full { .. } => "the blob store has hardly any space left",
    }
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [("content-type", "application/json"), (CACHE_CONTROL.as_str(), "no-store")];
    (status, headers, body.to_string()).into_response()
}
