//! Letting a device sign in (RFC 8628 §3.3).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use wharf_registry::Error;
use wharf_registry::people::WaitingDevice;

use super::{Failure, Message, Next, Visit, go, html, sentence};
use crate::App;

#[derive(Template)]
#[template(path = "ui/device.html")]
struct Ask<'a> {
    problem: Option<String>,
    user: &'a str,
}

#[derive(Template)]
#[template(path = "ui/consent.html")]
struct Consent<'a> {
    device: &'a WaitingDevice,
    user: &'a str,
    form: String,
}

pub(super) async fn page(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, _) = Visit::begin(&app, request)?;
    let code = visit.query.get("user_code").unwrap_or_default();
    let Some(caller) = visit.caller(&app).await? else {
        return Ok(go(&format!("/sign-in{}", Next::device(code).query())));
    };
    let user = caller.name();
    if code.is_empty() {
        return Ok(html(StatusCode::OK, &Ask { problem: None, user }));
    }
    match app.registry.waiting_device(&caller, code).await {
        Ok(device) => Ok(html(StatusCode::OK, &Consent { device: &device, user, form: visit.token() })),
        Err(error @ Error::NotFound { .. }) => {
            let problem = Some(sentence(&format!("{error}; it may have expired")));
            Ok(html(StatusCode::NOT_FOUND, &Ask { problem, user }))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn decide(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, body) = Visit::begin(&app, request)?;
    let form = visit.form(&app, body).await?;
    let code = form.get("user_code").unwrap_or_default();
    let Some(caller) = visit.caller(&app).await? else {
        return Ok(go(&format!("/sign-in{}", Next::device(code).query())));
    };
    // What is not clearly yes is no.
    let is_allowed = form.get("decision") == Some("allow");
    app.registry.decide_device(&caller, code, is_allowed).await?;
    let (title, text) = if is_allowed {
        ("The device is signed in", "You can close this page and go on there.")
    } else {
        ("The device was refused", "It is not signed in.")
    };
    Ok(html(StatusCode::OK, &Message { title, text, link: Some(("/account", "To your account")) }))
}
