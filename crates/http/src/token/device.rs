//! A device that begins to sign in (RFC 8628 §3.1, §3.2).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use serde_json::json;
use wharf_oci::{ErrorCode, Query};
use wharf_registry::{Caller, Error};

use super::FORM;
use crate::credentials::source;
use crate::middleware::RouteName;
use crate::origin::origin;
use crate::rates::{Passage, Toll};
use crate::{App, Rejection, body};

pub(crate) async fn start(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, form) = request.into_parts();
    let stranger = Caller::anonymous(source(&parts));
    let (passage, admitted) = Passage::enter(&app, &stranger, Toll::TOKEN, None).await;
    let outcome = match admitted {
        Ok(()) => begin(&app, &parts, form).await,
        Err(rejection) => Err(rejection),
    };
    let mut response = outcome.unwrap_or_else(|rejection| rejection.spoken(true).into_response());
    passage.leave(&app, &mut response);
    response.extensions_mut().insert(RouteName("token"));
    response
}

async fn begin(app: &App, parts: &Parts, form: axum::body::Body) -> Result<Response, Rejection> {
    if !app.options.token_auth {
        let message = "token_auth is off here: there is nothing to sign a device in for";
        return Err(Rejection::not_found(ErrorCode::Unsupported, message));
    }
    let form = body::incoming(form, app.options.body_idle, Arc::clone(&app.metrics));
    let form = body::collect(form, FORM).await.map_err(Error::from)?;
    let form = Query::parse(Some(&String::from_utf8_lossy(&form)));
    let started = app.registry.start_device(form.get("client_id").unwrap_or_default(), &source(parts)).await?;
    let page = format!("{}/device", origin(&app.options, parts));
    let answer = json!({
        // It leaves for the device that it is for.
        "device_code": started.device_code.expose(),
        "user_code": started.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", started.user_code),
        "expires_in": started.lifetime.as_secs(),
        "interval": started.interval.as_secs(),
    });
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], answer.to_string()).into_response())
}
