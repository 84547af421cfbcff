//! Errors as responses (distribution-spec §Error Codes). Status, code and public sentence are decided here; the
//! private cause is logged here, once, with the request's id.

use std::fmt::Write as _;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use wharf_api::ProblemKind;
use wharf_oci::{ErrorCode, NameError, RateLimit, Resource, RouteError, Scope};
use wharf_registry::{BodyError, Class, DeviceAnswer, Error, OverQuota, Takes};

use crate::origin::Realm;
use crate::rates::{self, too_many};
use crate::v2::upload_headers;

/// The service that tokens are for; the same at every challenge, whatever name the server is reached by.
const SERVICE: &str = "wharf";
/// What browsers and curl know what to do with.
pub(crate) const BASIC: &str = "Basic realm=\"wharf\", charset=\"UTF-8\"";
/// When to come back who has too many uploads open: the layers of a push under way end within this.
const UPLOADS_WAIT: std::time::Duration = std::time::Duration::from_mins(1);

/// A request refused.
#[derive(Clone, Debug)]
pub struct Rejection {
    status: StatusCode,
    errors: Vec<(ErrorCode, String, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    challenge: Option<Box<Challenge>>,
    /// Its code for clients that speak plain OAuth 2, to whom it is said in that form (RFC 6749 §5.2).
    oauth: Option<&'static str>,
    /// The field or parameter to blame; said by the admin API.
    field: Option<String>,
    /// What the admin API calls it, where its status does not say enough.
    kind: Option<ProblemKind>,
}

/// What a 401 asks for; the realm is added where the request's origin is known.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    scope: Option<Scope>,
    error: Option<&'static str>,
}

impl Challenge {
    /// `Bearer realm="…",service="wharf",scope="…",error="…"` (distribution spec/auth/token), or Basic (RFC 7617).
    fn header(&self, realm: &Realm) -> String {
        let Realm::Token(origin) = realm else { return BASIC.into() };
        let mut header = format!("Bearer realm=\"{origin}/token\",service=\"{SERVICE}\"");
        if let Some(scope) = &self.scope {
            let _ = write!(header, ",scope=\"{scope}\"");
        }
        if let Some(error) = self.error {
            let _ = write!(header, ",error=\"{error}\"");
        }
        header
    }
}

impl Rejection {
    /// One error of that status and code.
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let errors = vec![(code, message.into(), Value::Null)];
        Self { status, errors, headers: vec![], challenge: None, oauth: None, field: None, kind: None }
    }

    pub(crate) fn bad_request(code: ErrorCode, message: &(impl ToString + ?Sized)) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message.to_string())
    }

    pub(crate) fn not_found(code: ErrorCode, message: &(impl ToString + ?Sized)) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message.to_string())
    }

    /// 405, with the methods that would do.
    pub(crate) fn method(allow: &'static str) -> Self {
        let message = format!("this method is not supported here; supported: {allow}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
            .with(ALLOW, HeaderValue::from_static(allow))
    }

    /// 416 to a `Range` on something of `size` bytes.
    pub(crate) fn range(size: u64) -> Self {
        let message = format!("the range lies outside of the {size} bytes there are");
        let rejection = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::SizeInvalid, message);
        match HeaderValue::try_from(format!("bytes */{size}")) {
            Ok(value) => rejection.with(CONTENT_RANGE, value),
            Err(_) => rejection,
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says which field or parameter is to blame.
    pub(crate) fn about(self, field: Option<String>) -> Self {
        Self { field, ..self }
    }

    /// With its own code for clients that speak plain OAuth 2.
    pub(crate) fn coded(self, oauth: &'static str) -> Self {
        Self { oauth: Some(oauth), ..self }
    }

    /// As plain OAuth 2 has it, if that is what the client speaks.
    pub(crate) fn spoken(self, oauth: bool) -> Self {
        let code = match (oauth, self.status) {
            (false, _) => return Self { oauth: None, ..self },
            (true, _) if let Some(code) = self.oauth => code,
            (true, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => "temporarily_unavailable",
            (true, status) if status.is_server_error() => "server_error",
            (true, _) => "invalid_request",
        };
        // RFC 6749 §5.2: 401 is for clients that failed to prove themselves, and nobody's client does so here.
        let status = if self.status == StatusCode::UNAUTHORIZED { StatusCode::BAD_REQUEST } else { self.status };
        Self { oauth: Some(code), challenge: None, status, ..self }
    }

    fn of_kind(self, kind: ProblemKind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// 403, with what a program can read of it.
    fn denied(message: String, detail: Value) -> Self {
        let rejection = Self::new(StatusCode::FORBIDDEN, ErrorCode::Denied, String::new());
        Self { errors: vec![(ErrorCode::Denied, message, detail)], ..rejection }
    }

    fn challenge(message: String, scope: Option<Scope>, error: Option<&'static str>) -> Self {
        let rejection = Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message);
        Self { challenge: Some(Box::new(Challenge { scope, error })), ..rejection }
    }

    /// Completes a 401 with where to get a token.
    pub(crate) fn at(mut self, realm: &Realm) -> Self {
        if let Some(challenge) = self.challenge.take()
            && let Ok(value) = HeaderValue::try_from(challenge.header(realm))
        {
            self.headers.push((WWW_AUTHENTICATE, value));
        }
        self
    }

    /// Says what to ask a token for, where the error itself did not know.
    pub(crate) fn wanting(mut self, scope: Option<Scope>) -> Self {
        if let Some(challenge) = &mut self.challenge {
            challenge.scope = challenge.scope.take().or(scope);
        }
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    pub(crate) fn kind(&self) -> Option<ProblemKind> {
        self.kind
    }

    pub(crate) fn into_headers(self) -> Vec<(HeaderName, HeaderValue)> {
        self.headers
    }

    pub(crate) fn message(&self) -> &str {
        self.errors.first().map_or("", |(_, message, _)| message)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let message = self.message().to_owned();
        let errors = self.errors.into_iter().map(|(code, message, detail)| {
            let mut error = json!({ "code": code.as_str(), "message": message });
            if !detail.is_null() {
                error["detail"] = detail;
            }
            error
        });
        let body = match self.oauth {
            Some(code) => json!({ "error": code, "error_description": message }),
            None => json!({ "errors": errors.collect::<Vec<_>>() }),
        };
        let body = body.to_string();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = Body::from(body);
        response
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::SignInNeeded { scope } => Self::challenge(message, scope, None),
            Error::BadCredentials | Error::BadRefreshToken | Error::OutsideToken { .. } => {
                Self::challenge(message, None, None)
            }
            Error::BadToken => Self::challenge(message, None, Some("invalid_token")),
            // Asking for another access token would not help.
            Error::TokenTooNarrow { scope: Scope { resource: Resource::Api, .. }, takes, .. }
                if takes != Takes::AccessToken =>
            {
                Self::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message).of_kind(ProblemKind::TokenTooNarrow)
            }
            Error::TokenTooNarrow { scope, .. } => {
                let rejection = Self::challenge(message, Some(scope), Some("insufficient_scope"));
                rejection.of_kind(ProblemKind::TokenTooNarrow)
            }
            // Enough for a client to say what an owner would have to do.
            Error::Denied { caller, name, takes: Some(role), .. } => {
                Self::denied(message, json!({ "caller": caller, "target": name, "permission": role.as_str() }))
            }
            Error::Denied { takes: None, .. } | Error::AdministratorsOnly { .. } => {
                Self::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message)
            }
            Error::Exists { field, .. } => Self::conflict(message, field, ProblemKind::Exists),
            Error::MustStay { field, .. } => Self::conflict(message, field, ProblemKind::MustStay),
            Error::Enough { field, .. } => Self::conflict(message, field, ProblemKind::Enough),
            Error::Invalid { field, .. } => {
                Self::bad_request(ErrorCode::Unsupported, &message).about(Some(field.into()))
            }
            Error::NotFound { .. } | Error::NameUnknown(_) => Self::not_found(ErrorCode::NameUnknown, &message),
            Error::BlobUnknown { .. } => Self::not_found(ErrorCode::BlobUnknown, &message),
            Error::ManifestUnknown { .. } => Self::not_found(ErrorCode::ManifestUnknown, &message),
            Error::UploadUnknown(_) => Self::not_found(ErrorCode::BlobUploadUnknown, &message),
            Error::WrongOffset(at) => {
                let rejection = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::BlobUploadInvalid, message);
                Self { headers: upload_headers(&at), ..rejection }
            }
            Error::WrongLength { .. } => Self::bad_request(ErrorCode::SizeInvalid, &message),
            Error::DigestMismatch { .. } => Self::bad_request(ErrorCode::DigestInvalid, &message),
            Error::ManifestInvalid(_) | Error::DockerRefused(_) => {
                Self::bad_request(ErrorCode::ManifestInvalid, &message)
            }
            Error::MissingReferences { name, digests } => {
                let one = |digest| {
                    let message = format!("the manifest names {digest}, which is not in {name}: push it first");
                    (ErrorCode::ManifestBlobUnknown, message, json!({ "digest": digest }))
                };
                let rejection = Self::bad_request(ErrorCode::ManifestBlobUnknown, &message);
                Self { errors: digests.iter().map(one).collect(), ..rejection }
            }
            Error::ConditionFailed | Error::Stale => {
                Self::new(StatusCode::PRECONDITION_FAILED, ErrorCode::Denied, message)
            }
            Error::Body(BodyError::Cut) => Self::bad_request(ErrorCode::BlobUploadInvalid, &message),
            Error::Body(BodyError::Idle) => {
                Self::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::BlobUploadInvalid, message)
            }
            Error::Body(BodyError::TooLarge) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message)
            }
            Error::Busy => Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message)
                .with(RETRY_AFTER, HeaderValue::from_static("5")),
            Error::TooManyUploads { .. } => {
                too_many(Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message), UPLOADS_WAIT)
            }
            Error::RateLimited { class, per, requests, window, wait } => {
                let name = format!("{class}/{per}");
                let refused = RateLimit { name, quota: requests, window, remaining: 0, reset: wait };
                // Any other is among those that the request had to pass.
                let told = (class == Class::SignIns).then_some(refused);
                let rejection = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message);
                rates::headers(told.as_slice())
                    .fold(too_many(rejection, wait), |all, (name, value)| all.with(name, value))
            }
            Error::QuotaExceeded(over) => {
                let OverQuota { org, used, reserved, limit, wanted, .. } = *over;
                let told = json!({ "org": org, "used": used, "reserved": reserved, "limit": limit, "wanted": wanted });
                Self::denied(message, told).of_kind(ProblemKind::QuotaExceeded)
            }
            Error::Device(answer) => {
                let code = match answer {
                    DeviceAnswer::Waiting => "authorization_pending",
                    DeviceAnswer::TooSoon => "slow_down",
                    DeviceAnswer::Refused => "access_denied",
                    DeviceAnswer::Expired => "expired_token",
                };
                Self::bad_request(ErrorCode::Denied, &message).coded(code)
            }
            Error::SignInFailed { .. } => Self::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message),
            Error::IssuerSilent { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unknown, message)
                .with(RETRY_AFTER, HeaderValue::from_static("10")),
            Error::Full(cause) => {
                tracing::error!(%cause, "storage is full");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::Unknown, message)
            }
            Error::Store(cause) => Self::internal(&cause),
            Error::Meta(cause) => Self::internal(&cause),
            Error::Internal(cause) => Self::internal(&std::io::Error::other(cause)),
        }
    }
}

impl Rejection {
    fn conflict(message: String, field: &str, kind: ProblemKind) -> Self {
        let rejection = Self::new(StatusCode::CONFLICT, ErrorCode::Denied, message);
        rejection.about(Some(field.into())).of_kind(kind)
    }

    fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(cause), |error| error.source());
        let chain = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        tracing::error!(cause = chain, "a request failed inside the registry");
        let message = "the registry failed at this; its log has the reason under this answer's X-Request-Id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, message)
    }

    /// A path without meaning. Reading a malformed reference finds nothing; writing one is wrong.
    pub(crate) fn route(error: &RouteError, path: &str, reads: bool) -> Self {
        match error {
            // What begins with an underscore is an extension's (distribution-spec, extensions).
            RouteError::NotFound if path.contains("/_") => Self::not_found(ErrorCode::ExtensionUnknown, error),
            RouteError::NotFound => Self::not_found(ErrorCode::Unsupported, error),
            RouteError::Name(NameError::Malformed(_) | NameError::TooLong(_)) | RouteError::Encoding => {
                Self::bad_request(ErrorCode::NameInvalid, error)
            }
            RouteError::Digest { .. } => Self::bad_request(ErrorCode::DigestInvalid, error),
            RouteError::Reference { .. } if reads => Self::not_found(ErrorCode::ManifestUnknown, error),
            RouteError::Reference { text, .. } if text.contains(':') => {
                Self::bad_request(ErrorCode::DigestInvalid, error)
            }
            RouteError::Reference { .. } => Self::bad_request(ErrorCode::ManifestInvalid, error),
        }
    }
}

#[cfg(test)]
mod tests;
