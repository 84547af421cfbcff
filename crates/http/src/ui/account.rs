//! Somebody who is signed in, where they are, and signing out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use time::OffsetDateTime;
use wharf_registry::Error;
use wharf_registry::manage::Session;

use super::{Failure, Visit, go, html, with_cookie};
use crate::App;

/// Sessions that the page shows; whoever has more finds all of them by the command or the API.
const SHOWN: usize = 100;
/// More than one person may have: the list comes by id, and those shown are the last used.
const READ: usize = 2000;

#[derive(Template)]
#[template(path = "ui/account.html")]
struct Page<'a> {
    user: &'a str,
    form: String,
    sessions: Vec<Shown>,
    more: bool,
}

/// A session, for people.
struct Shown {
    id: String,
    client: String,
    /// What is known of when it was used, or when it began.
    when: String,
    ends: String,
    is_here: bool,
}

pub(super) async fn page(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, _) = Visit::begin(&app, request)?;
    let Some(caller) = visit.caller(&app).await? else { return Ok(go("/sign-in")) };
    let found = app.registry.own_sessions(&caller, None, READ).await?;
    let mut sessions: Vec<Session> = found.entries;
    sessions.sort_by_key(|session| std::cmp::Reverse(session.used_at.unwrap_or(session.created_at)));
    let more = sessions.len() > SHOWN;
    let sessions = sessions.into_iter().take(SHOWN).map(|session| shown(&visit, session)).collect();
    Ok(html(StatusCode::OK, &Page { user: caller.name(), form: visit.token(), sessions, more }))
}

pub(super) async fn sign_out(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, body) = Visit::begin(&app, request)?;
    visit.form(&app, body).await?;
    if let Some(caller) = visit.caller(&app).await? {
        app.registry.sign_out_browser(&visit.cookie, &caller).await?;
    }
    Ok(with_cookie(go("/sign-in"), visit.set_cookie(&app.registry.unknown_browser()?)))
}

pub(super) async fn end_session(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let (visit, body) = Visit::begin(&app, request)?;
    let form = visit.form(&app, body).await?;
    let Some(caller) = visit.caller(&app).await? else { return Ok(go("/sign-in")) };
    match app.registry.end_own_session(&caller, form.get("session").unwrap_or_default()).await {
        // It ended by itself, or twice: it is not there any more, which is what was wanted.
        Ok(()) | Err(Error::NotFound { .. }) => Ok(go("/account")),
        Err(error) => Err(error.into()),
    }
}

fn shown(visit: &Visit, session: Session) -> Shown {
    let is_here = session.is_of(&visit.cookie);
    let Session { id, client, created_at, used_at, expires_at } = session;
    let when = match used_at {
        Some(used_at) => format!("used {}", moment(used_at)),
        None => format!("since {}", moment(created_at)),
    };
    let client = if client.is_empty() { "a client that does not say which".to_owned() } else { client };
    Shown { id, client, when, ends: moment(expires_at), is_here }
}

/// `2026-11-21 03:00 UTC`
fn moment(millis: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(millis / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_written_to_the_minute() {
        assert_eq!(super::moment(951_782_460_999), "2000-02-29 00:01 UTC");
    }
}
