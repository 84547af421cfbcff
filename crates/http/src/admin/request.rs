//! Requests taken apart. What is malformed is refused by the name of its field; who sends it is known first.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use wharf_oci::ErrorCode;
use wharf_registry::{Caller, Error, Registry};

use super::refusal::{Refusal, Slot};
use crate::credentials::{caller, source};
use crate::origin::origin;
use crate::rates::{Passage, Toll};
use crate::ui::visit::{held_cookie, is_same_origin};
use crate::{App, Rejection, body};

mod condition;
mod media;

pub(super) use condition::{Condition, IfMatch};

/// Bytes of a body, at most.
const BODY: usize = 64 * 1024;
/// Characters of a parser's message that are passed on: it may repeat what was sent.
const MESSAGE: usize = 300;
/// What the standard library says of a text that is no whole number.
const NO_NUMBER: [&str; 3] = [
    "invalid digit found in string",
    "cannot parse integer from empty string",
    "number too large to fit in target type",
];

/// A request whose sender is known, and may use the admin API.
pub(super) struct Call {
    app: Arc<App>,
    pub(super) caller: Caller,
    path: String,
    query: String,
}

impl Call {
    pub(super) fn registry(&self) -> &Registry {
        &self.app.registry
    }

    /// For work that goes on while its answer is sent.
    pub(super) fn into_parts(self) -> (Arc<Registry>, Caller) {
        (Arc::clone(&self.app.registry), self.caller)
    }

    /// As in the request.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// As in the request, without the `?`.
    pub(super) fn query(&self) -> &str {
        &self.query
    }
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let caller = sender(app, parts).await?;
        let slot = parts.extensions.get::<Slot>().cloned().unwrap_or_default();
        slot.leave_caller(caller.name());
        let caller = app.registry.admit_to_api(caller)?;
        let toll = parts.extensions.get().copied().unwrap_or(Toll::NONE);
        let (passage, admitted) = Passage::enter(app, &caller, toll, None).await;
        slot.leave_passage(passage);
        admitted?;
        media::acceptable(&parts.headers)?;
        parts.extensions.get().copied().unwrap_or(Condition::Refused).check(&parts.headers)?;
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
        Ok(Self { app: Arc::clone(app), caller, path, query })
    }
}

/// By what `Authorization` says; without it by the browser's session.
async fn sender(app: &App, parts: &Parts) -> Result<Caller, Refusal> {
    let origin = origin(&app.options, parts);
    let cookie = if parts.headers.contains_key(AUTHORIZATION) { None } else { held_cookie(parts, &origin) };
    let Some(cookie) = cookie else { return Ok(caller(&app.registry, parts).await?) };
    let Some(known) = app.registry.browser_caller(&cookie, source(parts)).await? else {
        return Ok(caller(&app.registry, parts).await?);
    };
    // The browser sends its cookie whoever makes it ask. Unlike a form, a request without a word of where it is from
    // has nothing else to show.
    if !parts.method.is_safe() && is_same_origin(parts, &origin) != Some(true) {
        let message = "a browser's session changes things only from this registry's own pages: use a token";
        return Err(Rejection::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message).into());
    }
    Ok(known)
}

/// What stands in the path, in order.
pub(super) struct Path<T>(pub(super) T);

impl<T: FromPath> FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let values = match RawPathParams::from_request_parts(parts, app).await {
            Ok(values) => values,
            Err(RawPathParamsRejection::InvalidUtf8InPathParam(error)) => {
                return Err(invalid(None, &error.body_text()));
            }
            Err(error) => return Err(Error::Internal(error.to_string()).into()),
        };
        T::from_path(&mut values.iter()).map(Self)
    }
}

/// Texts of a path, each parsed to a type of its own.
pub(super) trait FromPath: Sized {
    fn from_path<'p>(values: &mut impl Iterator<Item = (&'p str, &'p str)>) -> Result<Self, Refusal>;
}

macro_rules! from_path {
    ($($part:ident),*) => {
        impl<$($part: FromStr<Err: Display>),*> FromPath for ($($part,)*) {
            fn from_path<'p>(values: &mut impl Iterator<Item = (&'p str, &'p str)>) -> Result<Self, Refusal> {
                Ok(($(next::<$part>(values)?,)*))
            }
        }
    };
}

from_path!(A);
from_path!(A, B);
from_path!(A, B, C);

fn next<'p, T: FromStr<Err: Display>>(values: &mut impl Iterator<Item = (&'p str, &'p str)>) -> Result<T, Refusal> {
    let (name, value) = values.next().ok_or_else(|| Error::Internal("a path has too few parameters".into()))?;
    value.parse().map_err(|error: T::Err| invalid(Some(name.into()), &error.to_string()))
}

/// What stands after the `?`.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refusal> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let values = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        values.map(Self).map_err(|error| invalid_at(&error))
    }
}

/// A body of JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        if !media::is_json(parts.headers.get(CONTENT_TYPE)) {
            let message = "a body of JSON is expected, with Content-Type: application/json";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Rejection::new(status, ErrorCode::Unsupported, message).into());
        }
        let body = body::incoming(body, app.options.body_idle, Arc::clone(&app.metrics));
        let body = body::collect(body, BODY).await.map_err(Error::from)?;
        // serde would take a list of an object's members for the object.
        if body.trim_ascii_start().first() == Some(&b'[') {
            return Err(invalid(None, "a JSON object is expected, not a list"));
        }
        let mut json = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| match error.inner().classify() {
            Category::Eof => invalid(None, "the body ends in the middle: a whole JSON object is expected"),
            Category::Syntax => invalid(None, &format!("the body is not JSON: {}", error.inner())),
            Category::Data | Category::Io => invalid_at(&error),
        })?;
        json.end().map_err(|error| invalid(None, &error.to_string()))?;
        Ok(Self(value))
    }
}

/// Whether the client takes newline-delimited JSON rather than a page.
pub(super) struct WantsLines(pub(super) bool);

impl FromRequestParts<Arc<App>> for WantsLines {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refusal> {
        Ok(Self(parts.headers.get(ACCEPT).is_some_and(media::prefers_lines)))
    }
}

/// 400, naming what is to blame.
pub(super) fn invalid(field: Option<String>, message: &str) -> Refusal {
    let message: String = message.chars().take(MESSAGE).collect();
    let message = field.as_ref().map_or_else(|| message.clone(), |field| format!("{field}: {message}"));
    Rejection::bad_request(ErrorCode::Unsupported, &message).about(field).into()
}

fn invalid_at<E: Display>(error: &serde_path_to_error::Error<E>) -> Refusal {
    let message = error.inner().to_string();
    // The place in the text helps only where the text itself is broken.
    let said = message.split_once(" at line ").map_or(message.as_str(), |(said, _)| said);
    let path = error.path().to_string();
    let quoted = || Some(said.split_once("field `")?.1.split_once('`')?.0.to_owned());
    let names_it = ["unknown field", "missing field", "duplicate field"].iter().any(|start| said.starts_with(start));
    match path.as_str() {
        _ if NO_NUMBER.contains(&said) => invalid(Some(path), "a whole number is expected, not too large"),
        "." if names_it => invalid(quoted(), said),
        // Broken text, somewhere.
        "." => invalid(None, &message),
        _ if path.contains('?') => invalid(None, &message),
        _ if said.starts_with("missing field") => invalid(quoted().map(|field| format!("{path}.{field}")), said),
        _ => invalid(Some(path), said),
    }
}

#[cfg(test)]
mod tests;
