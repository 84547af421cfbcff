//! One request to a box, and what came back.

#![allow(clippy::missing_panics_doc, clippy::return_self_not_must_use, reason = "a test calls it for its assertion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test it is in")]

use std::future::IntoFuture;
use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use wharf_http::serve::Peer;

use super::Boxed;

/// `admin:secret`
const BASIC: &str = "Basic YWRtaW46c2VjcmV0";
/// Codes a client knows (distribution-spec §Error Codes), then those for 5xx and for extensions.
const CODES: &str = "BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN \
    MANIFEST_INVALID MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED \
    TOOMANYREQUESTS EXTENSION_UNKNOWN";

/// A request in the making; `.await` sends it. The administrator sends it by Basic unless told otherwise.
#[must_use]
pub struct Ask<'b> {
    boxed: &'b Boxed,
    request: Request<Body>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// What was asked, for messages.
    pub asked: String,
    path: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; none to HEAD, as on the wire.
    pub body: Bytes,
}

impl Boxed {
    /// Any request.
    pub fn ask(&self, method: &str, uri: impl AsRef<str>) -> Ask<'_> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
        *request.uri_mut() = uri.as_ref().parse::<Uri>().expect("a URI");
        Ask { boxed: self, request }.header("authorization", BASIC)
    }

    /// GET.
    pub fn get(&self, uri: impl AsRef<str>) -> Ask<'_> {
        self.ask("GET", uri)
    }

    /// HEAD.
    pub fn head(&self, uri: impl AsRef<str>) -> Ask<'_> {
        self.ask("HEAD", uri)
    }

    /// POST.
    pub fn post(&self, uri: impl AsRef<str>) -> Ask<'_> {
        self.ask("POST", uri)
    }

    /// PUT.
    pub fn put(&self, uri: impl AsRef<str>) -> Ask<'_> {
        self.ask("PUT", uri)
    }

    /// PATCH.
    pub fn patch(&self, uri: impl AsRef<str>) -> Ask<'_> {
        self.ask("PATCH", uri)
    }

    /// DELETE.
    pub fn delete(&self, uri: impl AsRef<str>) -> Ask<'_> {
        self.ask("DELETE", uri)
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let asked = format!("{} {}", request.method(), request.uri());
        let path = request.uri().path().to_owned();
        let is_head = request.method() == Method::HEAD;
        let response = self.router.clone().oneshot(request).await.expect("an infallible service");
        let (parts, body) = response.into_parts();
        let body = if is_head { Bytes::new() } else { body.collect().await.expect("a whole body").to_bytes() };
        let reply = Reply { asked, path, status: parts.status, headers: parts.headers, body };
        if !is_head && reply.status.as_u16() >= 400 && reply.path != "/readyz" {
            reply.check_error();
        }
        reply
    }
}

impl Ask<'_> {
    /// Sets a header.
    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_ref()).expect("a header"));
        self
    }

    /// Adds a header beside those of its name.
    pub fn also(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.request.headers_mut().append(name, HeaderValue::from_bytes(value.as_ref()).expect("a header"));
        self
    }

    /// With nothing that says who sends it.
    pub fn anonymous(mut self) -> Self {
        self.request.headers_mut().remove(AUTHORIZATION);
        self
    }

    /// As if it came over a connection from that address.
    pub fn from(mut self, address: &str) -> Self {
        let address = SocketAddr::new(address.parse().expect("an address"), 4000);
        let peer = Peer { addr: Some(address), socket_addr: Some(address), ..Peer::default() };
        self.request.extensions_mut().insert(peer);
        self
    }

    /// With a user's name and password.
    pub fn basic(self, user: &str, password: &str) -> Self {
        use base64::Engine as _;
        let pair = format!("{user}:{password}");
        self.header("authorization", format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair)))
    }

    /// With a token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// From a user made by [`Boxed::make_user`] with the name `bob`.
    pub fn bob(self) -> Self {
        self.header("authorization", "Basic Ym9iOnNlY3JldA==")
    }

    /// From that user, with the password of everybody in the box; `anonymous` is nobody.
    pub fn user(self, name: &str) -> Self {
        if name == "anonymous" { self.anonymous() } else { self.basic(name, super::PASSWORD) }
    }

    /// A body with its length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.request.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        *self.request.body_mut() = Body::from(body);
        self
    }

    /// A body in pieces, its length not told; `Err` breaks the connection there.
    pub fn stream(mut self, pieces: Vec<Result<Bytes, std::io::Error>>) -> Self {
        *self.request.body_mut() = Body::from_stream(futures_util::stream::iter(pieces));
        self
    }

    /// A body in chunked encoding.
    pub fn chunked(self, body: impl Into<Bytes>) -> Self {
        self.stream(vec![Ok(body.into())])
    }

    /// A body that stops after `body` and never ends.
    pub fn stalled(mut self, body: impl Into<Bytes>) -> Self {
        use futures_util::StreamExt as _;
        let start = futures_util::stream::iter([Ok::<_, std::io::Error>(body.into())]);
        *self.request.body_mut() = Body::from_stream(start.chain(futures_util::stream::pending()));
        self
    }

    /// A body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// A form.
    pub fn form(self, form: impl Into<Bytes>) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(form)
    }
}

impl<'b> IntoFuture for Ask<'b> {
    type Output = Reply;
    type IntoFuture = LocalBoxFuture<'b, Reply>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.boxed.send(self.request))
    }
}

impl Reply {
    /// Itself, if it has that status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(500)]);
        assert_eq!(self.status.as_u16(), status, "{}: {:?} {body}", self.asked, self.headers);
        self
    }

    /// Itself, if it is a refusal with that status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.codes().first().map(String::as_str), Some(code), "{}: {:?}", reply.asked, reply.body);
        reply
    }

    /// The header of that name, which must be there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("{}: no {name} in {:?}", self.asked, self.headers))
    }

    /// The header of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Every value of that header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {:?}", self.asked, self.body))
    }

    /// An array of strings in the body.
    #[track_caller]
    pub fn strings(&self, member: &str) -> Vec<String> {
        let json = self.json();
        let array = json[member].as_array().unwrap_or_else(|| panic!("{}: no array {member}: {json}", self.asked));
        array.iter().map(|value| value.as_str().expect("a string").to_owned()).collect()
    }

    /// The path and query of the next page, if the reply says there is one.
    pub fn next(&self) -> Option<String> {
        let (link, relation) = self.get("link")?.split_once('>')?;
        assert_eq!(relation, "; rel=\"next\"");
        Some(link.strip_prefix('<').expect("<").to_owned())
    }

    /// Codes of the errors in the body.
    pub fn codes(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_array().expect("errors");
        errors.iter().map(|error| error["code"].as_str().expect("a code").to_owned()).collect()
    }

    /// The first error's sentence.
    pub fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().expect("a message").to_owned()
    }

    /// Itself, if it is a problem of the admin API with that status, blaming that field; `""` for none.
    #[track_caller]
    pub fn problem(self, status: u16, field: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.json()["field"].as_str().unwrap_or_default(), field, "{}: {}", reply.asked, reply.json());
        reply
    }

    /// That the body is a problem (RFC 9457).
    #[track_caller]
    fn check_problem(&self) {
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/problem+json", "{}", self.asked);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{}: {problem}", self.asked);
        assert_eq!(problem["request"], self.header("x-request-id"), "{}: {problem}", self.asked);
        assert!(problem["type"].as_str().is_some_and(|kind| kind.starts_with("/api/docs#")), "{problem}");
        for member in ["title", "detail"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(text.len() > 10, "{}: {text:?} is no sentence", self.asked);
        }
    }

    /// That the body is what clients parse as an error.
    #[track_caller]
    fn check_error(&self) {
        if self.path == "/api" || self.path.starts_with("/api/") {
            return self.check_problem();
        }
        if self.header(CONTENT_TYPE.as_str()).starts_with("text/html") {
            return;
        }
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/json", "{}", self.asked);
        if let (Some(error), Some(sentence)) =
            (self.json()["error"].as_str(), self.json()["error_description"].as_str())
        {
            assert!(!error.is_empty() && sentence.len() > 10, "{}: {:?}", self.asked, self.body);
            return;
        }
        let codes = self.codes();
        assert!(!codes.is_empty(), "{}: no errors in {:?}", self.asked, self.body);
        let known = |code: &String| CODES.split(' ').any(|known| known == code);
        let ours = self.status.is_server_error();
        assert!(ours || codes.iter().all(known), "{}: {codes:?}", self.asked);
        assert!(self.message().len() > 10, "{}: {:?} is no sentence", self.asked, self.message());
    }
}
