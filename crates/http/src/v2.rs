//! `/v2`: from a path and a method to one handler.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LINK, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use wharf_oci::{Actions, Digest, DigestError, ErrorCode, Query, Resource, Route, Scope};
use wharf_registry::{Caller, Error, UploadStatus};

use crate::credentials::{caller, source};
use crate::middleware::{CallerName, RouteName};
use crate::origin::realm;
use crate::rates::{Passage, Toll};
use crate::{App, Rejection};

mod blobs;
mod lists;
mod manifests;
mod uploads;

pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// Tells our own client that large chunks lose nothing when they are cut.
const KEEPS_CUT_CHUNKS: HeaderName = HeaderName::from_static(wharf_oci::KEEPS_CUT_CHUNKS);
const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

type Outcome = Result<Response, Rejection>;

/// A request to `/v2`, its sender known.
struct Call {
    app: Arc<App>,
    caller: Caller,
    parts: Parts,
    query: Query,
}

impl Call {
    fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }
}

/// Everything that no other route takes: under `/v2` the protocol, elsewhere nothing.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let realm = realm(&app.options, &parts);
    let route = Route::parse(parts.uri.path());
    let name = RouteName(route.as_ref().map_or("other", route_name));
    let toll = Toll::of(route.as_ref().ok(), &parts.method);
    let repository = route.as_ref().ok().and_then(Route::name);
    let (caller_name, passage, outcome) = match caller(&app.registry, &parts).await {
        Err(error) => {
            let stranger = Caller::anonymous(source(&parts));
            let (passage, _) = Passage::enter(&app, &stranger, toll.free(), repository).await;
            let scope = route.as_ref().ok().and_then(|route| scope_of(route, &parts.method));
            (None, passage, Err(Rejection::from(error).wanting(scope)))
        }
        Ok(caller) => {
            let caller_name = CallerName(caller.name().into());
            let (passage, admitted) = Passage::enter(&app, &caller, toll, repository).await;
            let outcome = match admitted {
                Ok(()) => dispatch(Arc::clone(&app), caller, parts, body, route).await,
                Err(refused) => Err(refused),
            };
            (Some(caller_name), passage, outcome)
        }
    };
    let mut response = outcome.unwrap_or_else(|rejection: Rejection| {
        tracing::debug!(status = %rejection.status(), reason = rejection.message(), "refused");
        rejection.at(&realm).into_response()
    });
    passage.leave(&app, &mut response);
    // Content is whatever was pushed, under the type it was pushed with: no browser may run it as a page of ours.
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response.extensions_mut().insert(name);
    if let Some(caller_name) = caller_name {
        response.extensions_mut().insert(caller_name);
    }
    response
}

/// What a token must be asked for to do this.
fn scope_of(route: &Route, method: &Method) -> Option<Scope> {
    let resource = match route {
        Route::Catalog => Resource::Catalog,
        other => Resource::Repository(other.name()?.clone()),
    };
    let actions = match (route, method.as_str()) {
        (Route::Catalog, _) => Actions::ALL,
        (_, "GET" | "HEAD") => Actions::PULL,
        (Route::Blob(..) | Route::Manifest(..), "DELETE") => Actions::DELETE,
        _ => Actions::PULL | Actions::PUSH,
    };
    Some(Scope { resource, actions })
}

fn route_name(route: &Route) -> &'static str {
    match route {
        Route::Ping => "ping",
        Route::Catalog => "catalog",
        Route::Extensions(_) => "extensions",
        Route::Blob(..) => "blob",
        Route::Uploads(_) | Route::Upload(..) => "upload",
        Route::Manifest(..) => "manifest",
        Route::Tags(_) => "tags",
        Route::Referrers(..) => "referrers",
    }
}

async fn dispatch(
    app: Arc<App>,
    caller: Caller,
    parts: Parts,
    body: Body,
    route: Result<Route, wharf_oci::RouteError>,
) -> Outcome {
    let method = parts.method.clone();
    let reads = method == Method::GET || method == Method::HEAD;
    let route = route.map_err(|error| Rejection::route(&error, parts.uri.path(), reads))?;
    let query = Query::parse(parts.uri.query());
    let call = Call { app, caller, parts, query };
    if let (Route::Manifest(name, _) | Route::Uploads(name) | Route::Upload(name, _), "PUT" | "POST" | "PATCH") =
        (&route, method.as_str())
    {
        // Before a byte of the body is asked for, and before anything is said about the request.
        call.app.registry.may_push(&call.caller, name).await?;
    }
    match (route, method.as_str()) {
        (Route::Ping, "GET" | "HEAD") => ping(&call),
        (Route::Catalog, "GET" | "HEAD") => lists::catalog(&call).await,
        (Route::Extensions(name), "GET" | "HEAD") => lists::extensions(&call, name.as_ref()).await,
        (Route::Tags(name), "GET" | "HEAD") => lists::tags(&call, &name).await,
        (Route::Referrers(name, digest), "GET" | "HEAD") => lists::referrers(&call, &name, &digest).await,
        (Route::Blob(name, digest), "GET" | "HEAD") => blobs::get(&call, &name, &digest).await,
        (Route::Blob(name, digest), "DELETE") => blobs::delete(&call, &name, &digest).await,
        (Route::Manifest(name, reference), "GET" | "HEAD") => manifests::get(&call, &name, &reference).await,
        (Route::Manifest(name, reference), "PUT") => manifests::put(call, name, reference, body).await,
        (Route::Manifest(name, reference), "DELETE") => manifests::delete(&call, &name, &reference).await,
        (Route::Uploads(name), "POST") => uploads::start(call, name, body).await,
        (Route::Upload(name, id), "GET" | "HEAD") => uploads::status(&call, &name, &id).await,
        (Route::Upload(name, id), "PATCH") => uploads::append(call, name, id, body).await,
        (Route::Upload(name, id), "PUT") => uploads::finish(call, name, id, body).await,
        (Route::Upload(name, id), "DELETE") => uploads::cancel(call, name, id).await,
        (route, _) => Err(Rejection::method(methods_of(&route))),
    }
}

/// The methods that a route takes, as `Allow` has them.
pub fn methods_of(route: &Route) -> &'static str {
    match route {
        Route::Ping | Route::Catalog | Route::Extensions(_) | Route::Tags(_) | Route::Referrers(..) => "GET, HEAD",
        Route::Blob(..) => "GET, HEAD, DELETE",
        Route::Manifest(..) => "GET, HEAD, PUT, DELETE",
        Route::Uploads(_) => "POST",
        Route::Upload(..) => "GET, HEAD, PATCH, PUT, DELETE",
    }
}

fn ping(call: &Call) -> Outcome {
    call.app.registry.ping(&call.caller)?;
    Ok(json(call, b"{}".to_vec()))
}

/// A JSON body with its length; to HEAD the same without the body.
fn json(call: &Call, body: Vec<u8>) -> Response {
    let mut response = empty(StatusCode::OK);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    if !call.is_head() {
        *response.body_mut() = Body::from(body);
    }
    response
}

/// No body, and for the statuses that could have one a length that says so.
fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    response
}

/// Content that is where it was put: 201 with its Location and digest.
fn created(location: String, digest: &Digest) -> Result<Response, Rejection> {
    let mut response = empty(StatusCode::CREATED);
    response.headers_mut().insert(LOCATION, header(location)?);
    response.headers_mut().insert(CONTENT_DIGEST, header(digest.to_string())?);
    Ok(response)
}

/// Where an upload is and how far it has come. `0-0` also stands for nothing: other forms break clients
/// (project-zot/zot#3983, go-gitea/gitea#34724).
pub(crate) fn upload_headers(upload: &UploadStatus) -> Vec<(HeaderName, HeaderValue)> {
    let location = format!("/v2/{}/blobs/uploads/{}", upload.name.asked(), upload.id);
    let range = format!("0-{}", upload.size.saturating_sub(1));
    let texts =
        [(LOCATION, location), (RANGE, range), (UPLOAD_UUID, upload.id.to_string()), (KEEPS_CUT_CHUNKS, "true".into())];
    texts.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?))).collect()
}

/// Content is named by its digest, so the digest is its entity tag.
fn etag(digest: &Digest) -> Result<(HeaderName, HeaderValue), Rejection> {
    Ok((ETAG, header(format!("\"{digest}\""))?))
}

/// Relative, since clients refuse another scheme or host than they know (google/go-containerregistry, pulp_container#220).
fn next_link(path: &str, parameters: &[(&str, &str)]) -> Result<(HeaderName, HeaderValue), Rejection> {
    let escape = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let query = parameters.iter().map(|(key, value)| format!("{key}={}", escape(value)));
    let link = format!("<{path}?{}>; rel=\"next\"", query.collect::<Vec<_>>().join("&"));
    Ok((LINK, header(link)?))
}

fn header(value: String) -> Result<HeaderValue, Rejection> {
    HeaderValue::try_from(value).map_err(|error| Error::Internal(format!("a header of our own: {error}")).into())
}

/// A parameter that must be there and be what it says.
fn digest_parameter(query: &Query, name: &str) -> Result<Digest, Rejection> {
    let Some(text) = query.get(name) else {
        let message = format!("parameter {name} is missing: expected the digest of the content");
        return Err(Rejection::bad_request(ErrorCode::DigestInvalid, &message));
    };
    text.parse().map_err(|error: DigestError| Rejection::bad_request(ErrorCode::DigestInvalid, &error))
}

/// Runs work that a client's going away must not stop half way: hyper drops a handler with its connection.
async fn detached<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Rejection> {
    let work = app.detached.spawn(tracing::Instrument::instrument(work, tracing::Span::current()));
    match work.await {
        Ok(outcome) => Ok(outcome?),
        Err(error) => Err(Error::Internal(format!("a request's work ended early: {error}")).into()),
    }
}
