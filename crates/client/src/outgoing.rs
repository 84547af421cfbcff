//! The one way out to addresses that people configure: identity providers, their keys, webhooks.
//!
//! A connection goes only to an address that was checked ([`Allowed`]), found by a resolver of our own; redirects are
//! answers, not orders; proxies of the environment are not asked; time and size are bounded.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, RequestBuilder, Response};
use url::{Host, Url};

mod addresses;
mod error;
mod resolve;
mod tls;

pub use addresses::Allowed;
pub use error::Error;
use resolve::{Guarded, Lookup};
pub use tls::Roots;

/// The time until there is a connection, and until there is the whole answer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Resolving, TCP and TLS.
    pub connect: Duration,
    /// Everything.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(10) }
    }
}

/// What the operator decides about outgoing connections.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Networks to go to besides the public internet.
    pub allow: Allowed,
    /// Authorities to believe besides the system's.
    pub roots: Roots,
    /// How long to wait.
    pub patience: Patience,
}

/// Goes out. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    lookup: Lookup,
    allowed: Arc<Allowed>,
    /// Made when first used: reading the system's authorities takes a while.
    clients: OnceLock<Result<Clients, Error>>,
}

struct Clients {
    secure: Client,
    in_clear: Client,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status: never a redirect.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// What to send.
pub enum Ask<'a> {
    /// GET, with these headers.
    Get(HeaderMap),
    /// POST of a form, with these headers.
    Form(HeaderMap, &'a [(&'a str, &'a str)]),
}

impl Outgoing {
    /// A way out under those settings.
    pub fn new(settings: Settings) -> Self {
        Self::resolving(settings, resolve::system())
    }

    fn resolving(settings: Settings, lookup: Lookup) -> Self {
        let allowed = Arc::new(settings.allow.clone());
        Self { inner: Arc::new(Inner { settings, lookup, allowed, clients: OnceLock::new() }) }
    }

    /// Asks `url` and reads an answer of at most `limit` bytes.
    pub async fn ask(&self, url: &Url, ask: Ask<'_>, limit: usize) -> Result<Answer, Error> {
        let client = self.client_for(url)?;
        let request = match ask {
            Ask::Get(headers) => client.get(url.clone()).headers(headers),
            Ask::Form(headers, fields) => client.post(url.clone()).headers(headers).form(fields),
        };
        self.send(url, request, limit).await
    }

    /// Whether `url` might be asked, as far as it says so itself: a name may still lead where it must not.
    pub fn may_ask(&self, url: &str) -> Result<(), Error> {
        let url = Url::parse(url).map_err(|error| Error::Url { url: url.into(), reason: error.to_string() })?;
        let in_clear = self.check(&url)?;
        // Wherever the name leads: there is no network for it.
        if in_clear && matches!(url.host(), Some(Host::Domain(_))) && self.inner.allowed.is_empty() {
            return Err(Error::InClear { host: host(&url) });
        }
        Ok(())
    }

    /// The client for that URL, unless it says itself where it must not lead.
    fn client_for(&self, url: &Url) -> Result<&Client, Error> {
        let in_clear = self.check(url)?;
        let clients = self.inner.clients.get_or_init(|| self.clients()).as_ref().map_err(Clone::clone)?;
        Ok(if in_clear { &clients.in_clear } else { &clients.secure })
    }

    /// Whether it goes there unencrypted, if it may go there.
    fn check(&self, url: &Url) -> Result<bool, Error> {
        let refuse = |reason: &str| Error::Url { url: without_secrets(url), reason: reason.into() };
        let in_clear = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(refuse("it must begin with https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it must not hold a user name or password"));
        }
        // What is written as an address never meets the resolver.
        match url.host() {
            None => return Err(refuse("it names no host")),
            Some(Host::Domain(_)) => {}
            Some(Host::Ipv4(address)) => self.guarded(in_clear).check(&host(url), IpAddr::V4(address))?,
            Some(Host::Ipv6(address)) => self.guarded(in_clear).check(&host(url), IpAddr::V6(address))?,
        }
        Ok(in_clear)
    }

    fn guarded(&self, in_clear: bool) -> Guarded {
        Guarded { lookup: Arc::clone(&self.inner.lookup), allowed: Arc::clone(&self.inner.allowed), in_clear }
    }

    fn clients(&self) -> Result<Clients, Error> {
        let tls = self.inner.settings.roots.client_config()?;
        let patience = self.inner.settings.patience;
        let client = |in_clear: bool| {
            Client::builder()
                .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(self.guarded(in_clear))
                .https_only(!in_clear)
                .http1_only()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(patience.connect)
                .timeout(patience.total)
                .pool_idle_timeout(Duration::from_secs(30))
                .build()
                .map_err(|error| Error::Tls(error.to_string()))
        };
        Ok(Clients { secure: client(false)?, in_clear: client(true)? })
    }

    async fn send(&self, url: &Url, request: RequestBuilder, limit: usize) -> Result<Answer, Error> {
        let response = request.send().await.map_err(|error| self.failure(url, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() {
            let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            let to = to.chars().take(200).collect();
            return Err(Error::Redirected { url: without_secrets(url), to });
        }
        let body = self.body(url, response, limit).await?;
        Ok(Answer { status, headers, body })
    }

    async fn body(&self, url: &Url, mut response: Response, limit: usize) -> Result<Bytes, Error> {
        let too_large = || Error::TooLarge { host: host(url), limit };
        let declared = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|declared: usize| declared > limit) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.failure(url, &error))? {
            if body.len() + piece.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// What the resolver refused is at the bottom of what the client reports.
    fn failure(&self, url: &Url, error: &reqwest::Error) -> Error {
        let causes: Vec<_> = std::iter::successors(std::error::Error::source(error), |cause| cause.source()).collect();
        if let Some(ours) = causes.iter().find_map(|cause| cause.downcast_ref::<Error>()) {
            return ours.clone();
        }
        if error.is_timeout() {
            let patience = self.inner.settings.patience;
            let within = if error.is_connect() { patience.connect } else { patience.total };
            return Error::TimedOut { host: host(url), within };
        }
        let reason = causes.last().map_or_else(|| "the connection broke".into(), ToString::to_string);
        Error::Unreachable { host: host(url), reason }
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// For messages: neither a password nor a query.
fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for URLs that have no place for them.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

#[cfg(test)]
mod tests;
