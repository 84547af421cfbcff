//! Calls of the admin API.

use http::header::{ACCEPT, ETAG, IF_MATCH};
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::token::API;
use super::{AccessToken, Credential, Door, Error, LARGEST, Server};
use crate::Secret;
use crate::wire::{self, Again, Reply};

/// Bytes of one line of a stream, at most.
const LONGEST_LINE: usize = 1024 * 1024;

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    if_match: Option<String>,
    again: bool,
}

impl Call {
    fn new(method: Method, path: impl Into<String>, again: bool) -> Self {
        Self { method, path: path.into(), query: vec![], body: None, if_match: None, again }
    }

    /// Looks. `path` begins with `/api/`, its parts encoded.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, true)
    }

    /// Makes what may be there already as asked for: doing it twice does no harm.
    pub fn create(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path, true)
    }

    /// Does something that must not be done twice.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path, false)
    }

    /// Sets.
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path, true)
    }

    /// Changes the fields that the body names.
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path, true)
    }

    /// Deletes.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, true)
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: &impl Serialize) -> Self {
        // What cannot be written is refused by the server as no object.
        self.body = Some(serde_json::to_value(body).unwrap_or(Value::Null));
        self
    }

    /// With this parameter, if there is one.
    #[must_use]
    pub fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// Only if it is still the version that `etag` names. The second of two would fail, so it is never sent again.
    #[must_use]
    pub fn if_match(mut self, etag: Option<String>) -> Self {
        self.again = self.again && etag.is_none();
        self.if_match = etag;
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The object.
    pub value: T,
    /// Its version, for [`Call::if_match`].
    pub etag: Option<String>,
    /// Whether this call made it.
    pub created: bool,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// A list, fetched as far as it is read.
pub struct Pages<'a, T> {
    server: &'a Server,
    call: Call,
    after: Option<String>,
    is_over: bool,
    kind: std::marker::PhantomData<T>,
}

impl<T: DeserializeOwned> Pages<'_, T> {
    /// The next page; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let call = self.call.clone().query("after", self.after.as_deref());
        let page: Page<T> = self.server.call(call).await?.value;
        self.is_over = page.next.is_none();
        if !self.is_over && page.next == self.after {
            return Err(self.server.not_understood("its list goes round in circles"));
        }
        self.after = page.next;
        Ok(Some(page.items))
    }

    /// Everything that is left.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = vec![];
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }
}

impl Server {
    /// Makes a call whose answer is an object; `()` and `Value` take any, or none.
    pub async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<Answer<T>, Error> {
        let reply = self.reply(&call).await?;
        let value = self.read(&call, &reply)?;
        let etag = reply.header(ETAG.as_str()).map(str::to_owned);
        Ok(Answer { value, etag, created: reply.status == StatusCode::CREATED })
    }

    /// A list.
    pub fn list<T: DeserializeOwned>(&self, call: Call) -> Pages<'_, T> {
        Pages { server: self, call, after: None, is_over: false, kind: std::marker::PhantomData }
    }

    /// A list as it comes, one JSON object a line.
    pub async fn lines(&self, call: Call) -> Result<Lines<'_>, Error> {
        let bearer = self.authorization().await?;
        let request = self.request(&self.transport.http, &call, &bearer);
        let response = self.transport.once(request.header(ACCEPT, "application/x-ndjson"), None).await;
        let response = response.map_err(|failed| self.transport.failed(&failed))?;
        if !response.status().is_success() {
            let whole = self.transport.whole(response, LARGEST).await;
            return Err(whole.map_or_else(|_| self.not_understood("its answer is cut"), |r| self.refused(&r)));
        }
        Ok(Lines { server: self, response, held: vec![] })
    }

    async fn reply(&self, call: &Call) -> Result<Reply, Error> {
        let again = if call.again { Again::Yes } else { Again::No };
        let authorization = self.authorization().await?;
        let reply = self.send(again, call, &authorization).await?;
        if reply.status == StatusCode::UNAUTHORIZED && self.access.lock().await.take().is_some() {
            // It ended before its time: a new password, or another clock. A new one says whether the sign-in still holds.
            let authorization = self.authorization().await?;
            return self.send(again, call, &authorization).await;
        }
        Ok(reply)
    }

    async fn send(&self, again: Again, call: &Call, authorization: &Authorization) -> Result<Reply, Error> {
        let reply = self.transport.send(again, LARGEST, |http| self.request(http, call, authorization)).await?;
        Ok(self.transport.moved(reply)?)
    }

    fn request(&self, http: &reqwest::Client, call: &Call, authorization: &Authorization) -> RequestBuilder {
        let mut request = http.request(call.method.clone(), self.address.at(&call.path)).query(&call.query);
        request = match authorization {
            Authorization::None => request,
            Authorization::Bearer(token) => request.bearer_auth(token.expose()),
            Authorization::Basic(user, password) => request.basic_auth(user, Some(password.expose())),
        };
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(etag) = &call.if_match {
            request = request.header(IF_MATCH, etag);
        }
        request
    }

    fn read<T: DeserializeOwned>(&self, call: &Call, reply: &Reply) -> Result<T, Error> {
        if !reply.status.is_success() {
            return Err(self.refused(reply));
        }
        let body: &[u8] = if reply.body.is_empty() { b"null" } else { &reply.body };
        serde_json::from_slice(body).map_err(|error| {
            let is_json = reply.header("content-type").is_some_and(|kind| kind.contains("json"));
            let what = if is_json { error.to_string() } else { "no JSON".into() };
            self.not_understood(format!("{} {}: {what}", call.method, call.path))
        })
    }

    /// How it wants to be asked, asked for once.
    async fn known_door(&self) -> Result<&Door, Error> {
        self.door.get_or_try_init(|| self.door()).await
    }

    async fn authorization(&self) -> Result<Authorization, Error> {
        match &self.credential {
            Credential::Anonymous => return Ok(Authorization::None),
            Credential::ApiToken(token) | Credential::AccessToken(token) => {
                return Ok(Authorization::Bearer(token.clone()));
            }
            Credential::Password { user, password } if *self.known_door().await? == Door::Basic => {
                return Ok(Authorization::Basic(user.clone(), password.clone()));
            }
            Credential::Password { .. } | Credential::Refresh(_) => {}
        }
        let mut access = self.access.lock().await;
        if let Some(token) = access.as_ref().filter(|token| token.is_good()) {
            return Ok(Authorization::Bearer(token.token.clone()));
        }
        let token = self.fresh().await?;
        Ok(Authorization::Bearer(access.insert(token).token.clone()))
    }

    /// A new token for the admin API. What was known of its door may be of yesterday, when it had another name.
    async fn fresh(&self) -> Result<AccessToken, Error> {
        let known = self.known_door().await?;
        match self.access_token(known, &[API], false).await {
            Err(
                error @ (Error::NotUnderstood { .. }
                | Error::Wire(wire::Error::Unreachable { .. } | wire::Error::Moved { .. })),
            ) => {
                let now = self.door().await?;
                if now == *known { Err(error) } else { self.access_token(&now, &[API], false).await }
            }
            outcome => outcome,
        }
    }
}

enum Authorization {
    None,
    Bearer(Secret),
    Basic(String, Secret),
}

/// Lines of an answer that still comes.
pub struct Lines<'a> {
    server: &'a Server,
    response: Response,
    held: Vec<u8>,
}

impl Lines<'_> {
    /// The next line, without its end. A line that was cut off is an error, never a line.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.held.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if line.is_empty() {
                    continue;
                }
                return Ok(Some(line));
            }
            let transport = &self.server.transport;
            let part = transport.part(&mut self.response).await;
            match part.map_err(|failed| transport.failed(&failed))? {
                Some(part) if self.held.len() + part.len() <= LONGEST_LINE => self.held.extend_from_slice(&part),
                Some(_) => return Err(self.server.not_understood("a line without an end")),
                None if self.held.is_empty() => return Ok(None),
                None => return Err(self.server.not_understood("its answer is cut")),
            }
        }
    }
}
