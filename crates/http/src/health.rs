//! `/livez`: the process answers. `/readyz`: work may be sent here, or why not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde_json::json;

use crate::App;

pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, &json!({ "status": "live" }))
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.draining.load(Ordering::Relaxed) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "draining", "reasons": ["shutting down"] }));
    }
    let reasons = app.registry.readiness().await;
    if reasons.is_empty() {
        return answer(StatusCode::OK, &json!({ "status": "ready" }));
    }
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    tracing::warn!(?reasons, "not ready");
    answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "unready", "reasons": reasons }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [("content-type", "application/json"), (CACHE_CONTROL.as_str(), "no-store")];
    (status, headers, body.to_string()).into_response()
}
