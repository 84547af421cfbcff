//! Who is at the browser, and whether what it sends is from a page of ours.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{COOKIE, ORIGIN};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};
use wharf_oci::Query;
use wharf_registry::{Caller, Error, Secret, Source};

use super::Failure;
use crate::credentials::source;
use crate::origin::origin;
use crate::{App, body};

/// Bytes of a form, at most.
const FORM: usize = 16 * 1024;
/// Characters of a cookie of ours: 256 bits.
const COOKIE_LENGTH: usize = 43;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A request from a browser.
pub(super) struct Visit {
    /// `scheme://host[:port]`, as the browser knows us.
    pub(super) origin: String,
    pub(super) query: Query,
    pub(super) source: Source,
    /// What the browser holds: its own, or what it is given now.
    pub(super) cookie: Secret,
    is_new: bool,
    parts: Parts,
}

impl Visit {
    pub(super) fn begin(app: &App, request: Request) -> Result<(Self, Body), Failure> {
        let (parts, body) = request.into_parts();
        let origin = origin(&app.options, &parts);
        let (cookie, is_new) = match held_cookie(&parts, &origin) {
            Some(cookie) => (cookie, false),
            None => (app.registry.unknown_browser()?, true),
        };
        let (query, source) = (Query::parse(parts.uri.query()), source(&parts));
        Ok((Self { origin, query, source, cookie, is_new, parts }, body))
    }

    /// Who is signed in.
    pub(super) async fn caller(&self, app: &App) -> Result<Option<Caller>, Failure> {
        if self.is_new {
            return Ok(None);
        }
        Ok(app.registry.browser_caller(&self.cookie, self.source.clone()).await?)
    }

    /// What every form of ours holds: nobody else can make it who does not hold the cookie.
    pub(super) fn token(&self) -> String {
        let parts = [&b"form"[..], &[0], self.cookie.expose().as_bytes()];
        BASE64_URL_SAFE_NO_PAD.encode(parts.into_iter().fold(Sha256::new(), Sha256::chain_update).finalize())
    }

    /// The form, if it is from a page that this browser was given.
    pub(super) async fn form(&self, app: &App, sent: Body) -> Result<Query, Failure> {
        let sent = body::incoming(sent, app.options.body_idle, Arc::clone(&app.metrics));
        let sent = body::collect(sent, FORM).await.map_err(Error::from)?;
        let sent =
            String::from_utf8(sent).map_err(|_| Failure::new(StatusCode::BAD_REQUEST, "the form is not UTF-8"))?;
        let form = Query::parse(Some(&sent));
        let token = Secret::new(form.get("form").unwrap_or_default());
        if self.is_new || !self.is_from_here() || token != Secret::new(self.token()) {
            let message = "the page was too old, or not one of this registry's: open it again";
            return Err(Failure::new(StatusCode::FORBIDDEN, message));
        }
        Ok(form)
    }

    /// Browsers say where a form comes from; what does not say it has at least the form's token.
    fn is_from_here(&self) -> bool {
        is_same_origin(&self.parts, &self.origin).unwrap_or(true)
    }

    /// For the answer: what the browser is to hold if it holds nothing yet.
    pub(super) fn new_cookie(&self) -> Option<HeaderValue> {
        self.is_new.then(|| self.set_cookie(&self.cookie))
    }

    /// For the answer: what the browser is to hold from now on.
    pub(super) fn set_cookie(&self, value: &Secret) -> HeaderValue {
        let secure = if is_https(&self.origin) { "; Secure" } else { "" };
        // It leaves for the browser that it is for.
        let text = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(&self.origin), value.expose());
        let mut cookie = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("wharf=; Path=/"));
        cookie.set_sensitive(true);
        cookie
    }
}

/// Whether a page of ours sends it, as the browser says; `None` where it says nothing.
pub(crate) fn is_same_origin(parts: &Parts, ours: &str) -> Option<bool> {
    let text = |name: &HeaderName| parts.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = |url: &str| url.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    match (text(&ORIGIN), text(&FETCH_SITE)) {
        // By host: a proxy that is not trusted may have taken the TLS away.
        (Some(origin), _) => Some(host(origin).is_some() && host(origin) == host(ours)),
        (None, Some(site)) => Some(site == "same-origin"),
        (None, None) => None,
    }
}

/// What the browser holds of ours.
pub(crate) fn held_cookie(parts: &Parts, origin: &str) -> Option<Secret> {
    cookie(parts, cookie_name(origin))
}

fn is_https(origin: &str) -> bool {
    origin.starts_with("https://")
}

/// Browsers take the prefix only from the host itself and over TLS: no neighbour can set it (RFC 6265bis §4.1.3.2).
fn cookie_name(origin: &str) -> &'static str {
    if is_https(origin) { "__Host-wharf" } else { "wharf" }
}

fn cookie(parts: &Parts, name: &str) -> Option<Secret> {
    let headers = parts.headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let legal = |value: &&str| {
        value.len() == COOKIE_LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    ours.filter(legal).map(Secret::new).next()
}
