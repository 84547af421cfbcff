//! Somebody who is signed in, and signing out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;

use super::{Failure, Visit, go, html, with_cookie};
use crate::App;

#[derive(Template)]
#[template(path = "ui/account.html")]
struct Page<'a> {
    user: &'a str,
    form: String,
}

pub(super) async fn page(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, _) = Visit::begin(&app, request)?;
    Ok(match visit.caller(&app).await? {
        Some(caller) => html(StatusCode::OK, &Page { user: caller.name(), form: visit.token() }),
        None => go("/sign-in"),
    })
}

pub(super) async fn sign_out(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, body) = Visit::begin(&app, request)?;
    visit.form(&app, body).await?;
    if let Some(caller) = visit.caller(&app).await? {
        app.registry.sign_out_browser(&visit.cookie, &caller).await?;
    }
    Ok(with_cookie(go("/sign-in"), visit.set_cookie(&app.registry.unknown_browser()?)))
}
