//! What requests take of which limits, and the headers that say what is left: on every answer to somebody whom a limit
//! applies to, refusals included, so that nothing can be told from their being there.

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use wharf_oci::{RateLimit, RateLimitHeaders, RepoName, Route};
use wharf_registry::{Admission, Caller, Class};

use crate::{App, Rejection};

/// draft-ietf-httpapi-ratelimit-headers-10
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
/// As Docker Hub has them.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");

/// What a request takes, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Toll {
    class: Option<Class>,
    due: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Never,
    /// A challenge to sign in is no answer yet, and our own failing is not the client's.
    Answered,
    /// Only content costs.
    Served,
    /// Looking is the work, whatever comes of it.
    Tried,
}

impl Toll {
    /// Of a request for a token: whatever comes of it.
    pub(crate) const TOKEN: Self = Self { class: Some(Class::Tokens), due: Due::Answered };
    /// Of a search: a stranger's that finds nothing ends in a challenge, having looked everywhere.
    pub(crate) const SEARCH: Self = Self { class: Some(Class::Lists), due: Due::Tried };
    /// Of a page of a list.
    pub(crate) const LIST: Self = Self { class: Some(Class::Lists), due: Due::Answered };
    /// Of what the admin API changes.
    pub(crate) const CHANGE: Self = Self { class: Some(Class::Changes), due: Due::Answered };
    /// Of what is never counted.
    pub(crate) const NONE: Self = Self { class: None, due: Due::Never };

    /// Of a request to `/v2`. HEAD of content is free, as it is on Docker Hub; of a list it is as much work as GET.
    pub(crate) fn of(route: Option<&Route>, method: &Method) -> Self {
        if matches!(route, Some(Route::Catalog | Route::Tags(_) | Route::Referrers(..))) {
            return if method.is_safe() { Self::LIST } else { Self::NONE };
        }
        let (class, due) = match (route, method.as_str()) {
            (Some(Route::Manifest(..)), "GET") => (Some(Class::ManifestPulls), Due::Answered),
            (Some(Route::Manifest(..)), "HEAD") => (Some(Class::ManifestPulls), Due::Never),
            (Some(Route::Manifest(..)), "PUT") | (Some(Route::Uploads(_)), "POST") => {
                (Some(Class::Pushes), Due::Answered)
            }
            (Some(Route::Blob(..)), "GET") => (Some(Class::BlobPulls), Due::Served),
            (Some(Route::Blob(..)), "HEAD") => (Some(Class::BlobPulls), Due::Never),
            (Some(Route::Upload(..)), _) => (Some(Class::Pushes), Due::Never),
            _ => (None, Due::Never),
        };
        Self { class, due }
    }

    /// As if it cost nothing.
    pub(crate) fn free(self) -> Self {
        Self { due: Due::Never, ..self }
    }
}

/// A request on its way past the limits.
pub(crate) struct Passage {
    admission: Admission,
    due: Due,
}

impl Passage {
    /// Takes what the request takes, before anything is done for it. With an error it must not go on, and its answer
    /// has the headers all the same.
    pub(crate) async fn enter(
        app: &App,
        caller: &Caller,
        toll: Toll,
        name: Option<&RepoName>,
    ) -> (Self, Result<(), Rejection>) {
        let costs = toll.due != Due::Never;
        match app.registry.admit(caller, toll.class, name, costs).await {
            Ok(admission) => {
                let refusal = app.registry.refusal(&admission).map(Rejection::from);
                (Self { admission, due: toll.due }, refusal.map_or(Ok(()), Err))
            }
            Err(error) => (Self { admission: Admission::default(), due: Due::Never }, Err(error.into())),
        }
    }

    /// Gives back what the answer turned out not to be worth, and says on it what is left.
    pub(crate) fn leave(mut self, app: &App, response: &mut Response) {
        let status = response.status();
        let is_due = match self.due {
            Due::Never => false,
            Due::Answered => {
                let unanswered = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&status);
                !unanswered && !status.is_server_error()
            }
            Due::Served => status.is_success(),
            Due::Tried => status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error(),
        };
        if !is_due {
            app.registry.give_back(&mut self.admission);
        }
        let is_told = response.headers().contains_key(POLICY);
        for (name, value) in headers(&app.registry.standing(&self.admission)) {
            // Beside the limit that refused: the draft's lists go on, Docker's fields are of that one.
            if is_told && [POLICY, STATE].contains(&name) {
                response.headers_mut().append(name, value);
            } else if !is_told {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

/// How limits are told of.
pub(crate) fn headers(limits: &[RateLimit]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let told = RateLimitHeaders::of(limits)
        .map(|told| [(POLICY, told.policy), (STATE, told.state), (LIMIT, told.limit), (REMAINING, told.remaining)]);
    told.into_iter().flatten().filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?)))
}

/// 429 with when to come back.
pub(crate) fn too_many(rejection: Rejection, wait: std::time::Duration) -> Rejection {
    rejection.with(RETRY_AFTER, HeaderValue::from(wharf_oci::retry_after(wait).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toll(method: &str, path: &str) -> Toll {
        Toll::of(Some(&Route::parse(path).unwrap()), &Method::from_bytes(method.as_bytes()).unwrap())
    }

    #[test]
    fn every_request_of_the_protocol_has_its_toll() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let cases = [
            ("GET", "/v2/a/b/manifests/v1".to_owned(), Some(Class::ManifestPulls), Due::Answered),
            ("HEAD", "/v2/a/b/manifests/v1".into(), Some(Class::ManifestPulls), Due::Never),
            ("PUT", "/v2/a/b/manifests/v1".into(), Some(Class::Pushes), Due::Answered),
            ("DELETE", "/v2/a/b/manifests/v1".into(), None, Due::Never),
            ("GET", format!("/v2/a/b/blobs/{digest}"), Some(Class::BlobPulls), Due::Served),
            ("HEAD", format!("/v2/a/b/blobs/{digest}"), Some(Class::BlobPulls), Due::Never),
            ("DELETE", format!("/v2/a/b/blobs/{digest}"), None, Due::Never),
            ("POST", "/v2/a/b/blobs/uploads/".into(), Some(Class::Pushes), Due::Answered),
            ("PATCH", "/v2/a/b/blobs/uploads/x".into(), Some(Class::Pushes), Due::Never),
            ("PUT", "/v2/a/b/blobs/uploads/x".into(), Some(Class::Pushes), Due::Never),
            ("GET", "/v2/".into(), None, Due::Never),
            ("GET", "/v2/_catalog".into(), Some(Class::Lists), Due::Answered),
            ("HEAD", "/v2/_catalog".into(), Some(Class::Lists), Due::Answered),
            ("POST", "/v2/_catalog".into(), None, Due::Never),
            ("GET", "/v2/a/b/tags/list".into(), Some(Class::Lists), Due::Answered),
            ("GET", format!("/v2/a/b/referrers/{digest}"), Some(Class::Lists), Due::Answered),
        ];
        for (method, path, class, due) in cases {
            assert_eq!(toll(method, &path), Toll { class, due }, "{method} {path}");
        }
    }
}
