//! Signing in with a browser: by password, or by way of a provider.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use wharf_registry::people::{Callback, ProviderChoice};
use wharf_registry::{Caller, Error, Secret};

use super::{Failure, Next, Visit, go, html, sentence, with_cookie};
use crate::App;
use crate::middleware::CallerName;
use crate::rates::{Passage, Toll};

/// Characters of a provider's own words.
const WORDS: usize = 300;

#[derive(Template)]
#[template(path = "ui/sign_in.html")]
struct Page<'a> {
    problem: Option<String>,
    choices: Vec<ProviderChoice>,
    form: String,
    next: &'a Next,
    user: &'a str,
}

pub(super) async fn page(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, _) = Visit::begin(&app, request)?;
    let next = Next::of(&visit.query);
    match visit.caller(&app).await? {
        Some(_) => Ok(go(&next.path())),
        None => show(&app, &visit, &next, "", StatusCode::OK, None).await,
    }
}

async fn show(
    app: &App,
    visit: &Visit,
    next: &Next,
    user: &str,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let choices = app.registry.provider_choices().await?;
    let response = html(status, &Page { problem, choices, form: visit.token(), next, user });
    Ok(given(visit, response))
}

fn given(visit: &Visit, response: Response) -> Response {
    match visit.new_cookie() {
        Some(cookie) => with_cookie(response, cookie),
        None => response,
    }
}

pub(super) async fn by_password(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, body) = Visit::begin(&app, request)?;
    let form = visit.form(&app, body).await?;
    let (next, user) = (Next::of(&form), form.get("user").unwrap_or_default());
    let password = Secret::new(form.get("password").unwrap_or_default());
    match app.registry.sign_in_browser(user, password, visit.source.clone()).await {
        Ok(session) => Ok(signed_in(&visit, &session, user, &next)),
        Err(error @ (Error::BadCredentials | Error::RateLimited { .. } | Error::Busy)) => {
            let failure = Failure::from(error);
            let problem = Some(sentence(&failure.message));
            let mut response = show(&app, &visit, &next, user, failure.status, problem).await?;
            response.headers_mut().extend(failure.retry_after.map(|after| (RETRY_AFTER, after)));
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the browser held before is worth nothing from now on.
fn signed_in(visit: &Visit, session: &Secret, user: &str, next: &Next) -> Response {
    let mut response = with_cookie(go(&next.path()), visit.set_cookie(session));
    response.extensions_mut().insert(CallerName(user.into()));
    response
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let (visit, _) = Visit::begin(&app, request)?;
    // Each leaves a row behind, and there is room for so many.
    let stranger = Caller::anonymous(visit.source.clone());
    let (passage, admitted) = Passage::enter(&app, &stranger, Toll::TOKEN, None).await;
    let outcome = match admitted {
        Ok(()) => send(&app, &visit, &provider).await,
        Err(rejection) => Err(rejection.into()),
    };
    let mut response = outcome.unwrap_or_else(Failure::into_response);
    passage.leave(&app, &mut response);
    Ok(response)
}

async fn send(app: &App, visit: &Visit, provider: &str) -> Result<Response, Failure> {
    let next = Next::of(&visit.query);
    let redirect = redirect(visit, provider);
    let url = app.registry.begin_sign_in(provider, &visit.cookie, &redirect, &next.query(), &visit.source).await?;
    Ok(given(visit, go(&url)))
}

pub(super) async fn finish(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let (visit, _) = Visit::begin(&app, request)?;
    let redirect = redirect(&visit, &provider);
    let callback = callback(&visit);
    let outcome =
        app.registry.finish_sign_in(&provider, &visit.cookie, &redirect, callback, visit.source.clone()).await;
    match outcome {
        Ok(done) => {
            let next = Next::of(&wharf_oci::Query::parse(Some(done.return_to.trim_start_matches('?'))));
            Ok(signed_in(&visit, &done.session, &done.user, &next))
        }
        Err(error) => Ok(Failure::from(error).into_response()),
    }
}

fn callback(visit: &Visit) -> Callback {
    let field = |name: &str| visit.query.get(name);
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(WORDS).collect::<String>();
    let code = match (field("code"), field("error"), field("error_description")) {
        (Some(code), None, _) => Ok(Secret::new(code)),
        (_, Some(error), Some(more)) => Err(format!("{}: {}", plain(error), plain(more))),
        (_, Some(error), None) => Err(plain(error)),
        (None, None, _) => Err("nothing".into()),
    };
    let state = Secret::new(field("state").unwrap_or_default());
    Callback { state, code, issuer: field("iss").map(str::to_owned) }
}

/// One for each provider, so that none can pass off its answer as another's.
fn redirect(visit: &Visit, provider: &str) -> String {
    format!("{}/sign-in/{provider}/callback", visit.origin)
}
