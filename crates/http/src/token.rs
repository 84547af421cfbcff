//! The token endpoint (distribution spec/auth: token.md for GET, oauth.md for POST).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wharf_oci::{ErrorCode, Query, Scope};
use wharf_registry::{Caller, Credentials, Grant, IssuedToken, Secret, TokenRequest};

use crate::credentials::{credentials, source};
use crate::middleware::{CallerName, RouteName};
use crate::rates::{Passage, Toll};
use crate::rejection::BASIC;
use crate::{App, Rejection, body};

mod device;
mod oauth;

pub(crate) use device::start as start_device;

/// Bytes of a form, at most.
const FORM: usize = 64 * 1024;

/// What a client shows, and what it asks for.
struct Asked {
    grant: Grant,
    request: TokenRequest,
    /// It speaks plain OAuth 2, and is answered so, with these members beside the usual.
    oauth: Option<oauth::Members>,
}

pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, form) = request.into_parts();
    let asked = match parts.method {
        // Clients that find no such endpoint fall back to Basic.
        _ if !app.options.token_auth => Err(Rejection::not_found(
            ErrorCode::Unsupported,
            "token_auth is off here: send name and password with every request",
        )),
        Method::GET | Method::HEAD => get(&parts),
        Method::POST => post(&app, form).await,
        _ => Err(Rejection::method("GET, HEAD, POST")),
    };
    let (passage, outcome) = answer(&app, &parts, asked).await;
    let mut response = match outcome {
        Ok(response) => response,
        // Browsers and curl know what to do with Basic; whoever asks for a token has read the Bearer challenge.
        Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => {
            rejection.with(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC)).into_response()
        }
        Err(rejection) => rejection.into_response(),
    };
    passage.leave(&app, &mut response);
    response.extensions_mut().insert(RouteName("token"));
    response
}

/// Whoever does not prove who they are is a stranger to the limits.
async fn answer(app: &App, parts: &Parts, asked: Result<Asked, Rejection>) -> (Passage, Result<Response, Rejection>) {
    let source = source(parts);
    let shown = match asked {
        Ok(Asked { grant, request, oauth }) => {
            let presented = if let Grant::Refresh(token) = &grant { Some(token.clone()) } else { None };
            let caller = app.registry.token_caller(grant, &request.scopes, source.clone()).await;
            let caller = caller.map_err(Rejection::from);
            caller
                .map(|caller| (caller, request, presented, oauth))
                .map_err(|rejection| rejection.spoken(oauth.is_some()))
        }
        Err(rejection) => Err(rejection),
    };
    let stranger = Caller::anonymous(source);
    let payer = shown.as_ref().map_or(&stranger, |(caller, ..)| caller);
    let (passage, admitted) = Passage::enter(app, payer, Toll::TOKEN, None).await;
    let outcome = match (shown, admitted) {
        (Ok((caller, request, presented, oauth)), Ok(())) => {
            issue(app, &caller, request, presented, oauth).await.map_err(|rejection| rejection.spoken(oauth.is_some()))
        }
        (Ok((.., oauth)), Err(rejection)) => Err(rejection.spoken(oauth.is_some())),
        (Err(rejection), _) => Err(rejection),
    };
    (passage, outcome)
}

async fn issue(
    app: &App,
    caller: &Caller,
    request: TokenRequest,
    presented: Option<Secret>,
    oauth: Option<oauth::Members>,
) -> Result<Response, Rejection> {
    let mut issued = app.registry.issue_token(caller, request).await?;
    // Reusable and never rotated: the one presented stays good, and clients expect it back.
    issued.refresh_token = issued.refresh_token.or(presented);
    Ok(rendered(&issued, oauth.unwrap_or_default()))
}

fn get(parts: &Parts) -> Result<Asked, Rejection> {
    let query = Query::parse(parts.uri.query());
    let request = TokenRequest {
        scopes: Scope::parse_all(query.all("scope")),
        lasting: false,
        offline: query.get("offline_token") == Some("true"),
        client_id: query.get("client_id").or(query.get("account")).unwrap_or_default().into(),
    };
    Ok(Asked { grant: Grant::Credentials(credentials(&parts.headers)?), request, oauth: None })
}

async fn post(app: &App, form: Body) -> Result<Asked, Rejection> {
    let form = body::incoming(form, app.options.body_idle, Arc::clone(&app.metrics));
    let form = body::collect(form, FORM).await.map_err(wharf_registry::Error::from)?;
    let form = String::from_utf8(form).map_err(|_| bad_form("the form is not UTF-8"))?;
    let form = Query::parse(Some(&form));
    let field = |name| form.get(name).unwrap_or_default();
    let plain = oauth::grant(&form).map_err(|rejection| rejection.spoken(true))?;
    let oauth = plain.as_ref().map(|(_, members)| *members);
    let grant = match field("grant_type") {
        _ if let Some((grant, _)) = plain => grant,
        "password" => {
            let user = form.get("username").ok_or_else(|| bad_form("parameter username is missing"))?;
            Grant::Credentials(Credentials::Basic { user: user.into(), password: Secret::new(field("password")) })
        }
        "refresh_token" => Grant::Refresh(Secret::new(field("refresh_token"))),
        other => return Err(oauth::no_grant(other)),
    };
    let request = TokenRequest {
        scopes: Scope::parse_all(form.all("scope")),
        lasting: matches!(grant, Grant::Outside { .. }),
        // A device stays signed in until somebody ends it.
        offline: matches!(grant, Grant::Device(_))
            || field("access_type") == "offline" && !matches!(grant, Grant::Refresh(_)),
        client_id: field("client_id").into(),
    };
    Ok(Asked { grant, request, oauth })
}

fn bad_form(message: &str) -> Rejection {
    Rejection::bad_request(ErrorCode::Unsupported, message)
}

fn rendered(issued: &IssuedToken, more: &[(&str, &str)]) -> Response {
    let scope = issued.granted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let token = issued.token.expose();
    let mut body = json!({
        "token": token,
        "access_token": token,
        "expires_in": issued.lifetime.as_secs(),
        "issued_at": rfc3339(issued.issued_at),
        "scope": scope,
    });
    if let Some(refresh_token) = &issued.refresh_token {
        body["refresh_token"] = refresh_token.expose().into();
    }
    for (name, value) in more {
        body[*name] = (*value).into();
    }
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    let mut response = (headers, body.to_string()).into_response();
    response.extensions_mut().insert(CallerName(issued.caller.as_str().into()));
    response
}

/// `2026-11-21T03:00:00Z`
fn rfc3339(millis: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(millis / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_written_as_rfc_3339() {
        assert_eq!(super::rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::rfc3339(951_782_400_999), "2000-02-29T00:00:00Z");
    }
}
