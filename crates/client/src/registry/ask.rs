//! One request of a registry: signed, redirected and judged.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use url::Url;
use wharf_oci::RepoName;

use super::auth::Needs;
use super::{Error, Result, Shared};
use crate::wire::{Again, Form, Got, Reply, read_refusal};

/// Bytes of an answer that is neither manifest nor list, at most.
const LARGEST: usize = 4 * 1024 * 1024;
/// Redirects that are followed for one request.
const MOST_HOPS: u32 = 10;

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) again: Again,
    pub(super) limit: usize,
    pub(super) needs: &'a Needs,
}

impl<'a> Ask<'a> {
    /// One that may be sent twice.
    pub(super) fn new(method: Method, url: Url, needs: &'a Needs) -> Self {
        Self { method, url, headers: vec![], body: Bytes::new(), again: Again::Yes, limit: LARGEST, needs }
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        // Ranges, media types and digests: what is no header's value was refused when it was parsed.
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    pub(super) fn once(mut self) -> Self {
        self.again = Again::No;
        self
    }

    pub(super) fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    fn is_followed(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    fn build(&self, http: &reqwest::Client, url: &Url, authorization: Option<&HeaderValue>) -> RequestBuilder {
        let mut request = http.request(self.method.clone(), url.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        // An empty body is said to be one: some servers wait for it otherwise.
        if self.is_followed() {
            request
        } else {
            request.body(self.body.clone()).header("content-length", self.body.len())
        }
    }
}

/// A whole answer, and the URL that gave it.
pub(super) struct Heard {
    pub(super) reply: Reply,
    pub(super) url: Url,
}

impl Shared {
    /// The URL of what is at `path`, which begins with `/` and is encoded already.
    pub(super) async fn url(&self, path: &str) -> Result<Url> {
        let address = self.base().await?.at(path);
        Url::parse(&address).map_err(|error| self.not_understood(None, format!("{path}: {error}")))
    }

    /// A whole answer.
    pub(super) async fn reply(&self, ask: &Ask<'_>, name: Option<&RepoName>) -> Result<Heard> {
        let (got, url) = self.ask(ask, Form::Whole(ask.limit), name).await?;
        match got {
            Got::Whole(reply) => Ok(Heard { reply, url }),
            Got::Coming(response) => {
                let whole = self.transport.whole(response, ask.limit).await;
                Ok(Heard { reply: whole.map_err(|failed| self.transport.failed(&failed))?, url })
            }
        }
    }

    /// A success while it still comes, anything else whole.
    pub(super) async fn open(
        &self,
        ask: &Ask<'_>,
        name: Option<&RepoName>,
    ) -> Result<std::result::Result<Response, Heard>> {
        let (got, url) = self.ask(ask, Form::Coming, name).await?;
        Ok(match got {
            Got::Coming(response) => Ok(response),
            Got::Whole(reply) => Err(Heard { reply, url }),
        })
    }

    async fn ask(&self, ask: &Ask<'_>, form: Form, name: Option<&RepoName>) -> Result<(Got, Url)> {
        let mut url = ask.url.clone();
        let mut turn = self.turn(ask.needs, name).await?;
        let mut hops = 0;
        loop {
            // The credential is for the registry alone: others would learn it, and some refuse whoever shows one.
            let is_own = self.is_own(&url);
            let authorization = turn.authorization().filter(|_| is_own);
            let build = |http: &reqwest::Client| ask.build(http, &url, authorization);
            let got = self.transport.tries(ask.again, form, build).await?;
            let Got::Whole(reply) = got else { return Ok((got, url)) };
            if is_redirect(reply.status) && ask.is_followed() {
                hops += 1;
                if hops > MOST_HOPS {
                    return Err(self.not_understood(name, format!("more than {MOST_HOPS} redirects")));
                }
                url = self.located(&url, &reply, name)?;
            } else if reply.status == StatusCode::UNAUTHORIZED && is_own {
                self.answer(&mut turn, &reply, name).await?;
                url = ask.url.clone();
            } else {
                return Ok((Got::Whole(reply), url));
            }
        }
    }

    /// Whether it is the registry itself: what may be told who is asking.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        self.base.get().is_some_and(|base| base.is_origin_of(url))
    }

    /// Where a `Location` points. From https it leads to https: a proxy that ends TLS may have made the registry believe
    /// in http (distribution/distribution#2225), so its own http is read as https. Other hosts may be spoken to in clear
    /// only where no certificate is looked at either.
    pub(super) fn located(&self, from: &Url, reply: &Reply, name: Option<&RepoName>) -> Result<Url> {
        let location = reply.header(LOCATION).ok_or_else(|| self.not_understood(name, "no Location"))?;
        self.resolved(from, location, name)
    }

    pub(super) fn resolved(&self, from: &Url, location: &str, name: Option<&RepoName>) -> Result<Url> {
        let wrong = |problem: &str| self.not_understood(name, problem.to_owned());
        let mut url = from.join(location).map_err(|_| wrong("its Location is no URL"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(wrong("its Location is neither https nor http"));
        }
        if from.scheme() == "https" && url.scheme() == "http" {
            if url.host_str() == from.host_str() {
                // Neither can fail: both are https with a host. A port that was left out is http's, so that of `from` it
                // is.
                let port = if url.port().is_none() { from.port() } else { url.port() };
                let _ = url.set_scheme("https");
                let _ = url.set_port(port);
            } else if !self.endpoint.trust.insecure {
                return Err(wrong("it leads from https to http, where everything could be read on the way"));
            }
        }
        // What stands before the host is a credential, and not ours to send.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("its Location holds a name or password"));
        }
        Ok(url)
    }

    /// An answer that says no.
    pub(super) fn refused(&self, doing: &str, name: Option<&RepoName>, heard: &Heard) -> Error {
        self.refused_reply(doing, name, &heard.reply)
    }

    pub(super) fn refused_reply(&self, doing: &str, name: Option<&RepoName>, reply: &Reply) -> Error {
        let place = self.place(name);
        let refusal = read_refusal(reply);
        let host = self.endpoint.address.host();
        match reply.status {
            StatusCode::UNAUTHORIZED => Error::SignInNeeded { place, host, said: refusal.said },
            StatusCode::FORBIDDEN => Error::denied(place, &host, refusal),
            status if status.is_success() || is_redirect(status) => {
                self.not_understood(name, format!("{doing}: it answered {status}"))
            }
            _ => Error::Refused { place, doing: doing.into(), refusal: Box::new(refusal) },
        }
    }

    /// As [`Shared::refused`], where 404 means that there is no `what`.
    pub(super) fn missing(&self, what: &str, name: &RepoName, heard: &Heard) -> Error {
        if heard.reply.status != StatusCode::NOT_FOUND {
            return self.refused(&format!("cannot read {what}"), Some(name), heard);
        }
        let said = read_refusal(&heard.reply).said;
        Error::NotFound { place: self.place(Some(name)), what: what.into(), said }
    }

    pub(super) fn not_understood(&self, name: Option<&RepoName>, problem: impl Into<String>) -> Error {
        Error::NotUnderstood { place: self.place(name), problem: problem.into() }
    }
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
