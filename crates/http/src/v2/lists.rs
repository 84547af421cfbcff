//! Lists: tags, referrers, the catalog, extensions.

use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde_json::json;
use wharf_oci::{Digest, ErrorCode, MediaType, RepoName, parse_n, referrers_index, tag_list};

use super::{Call, Outcome, json as json_body, next_link};
use crate::Rejection;

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

pub(super) async fn tags(call: &Call, name: &RepoName) -> Outcome {
    let n = page_size(call)?;
    let page = call.app.registry.tags(&call.caller, name, last(call), n).await?;
    let mut response = json_body(call, tag_list(name, &page.entries));
    if let Some(last) = page.entries.last().filter(|_| page.more) {
        let path = format!("/v2/{}/tags/list", name.asked());
        link(&mut response, next_link(&path, &[("n", &n.to_string()), ("last", last.as_str())])?);
    }
    Ok(response)
}

pub(super) async fn catalog(call: &Call) -> Outcome {
    let n = page_size(call)?;
    let page = call.app.registry.catalog(&call.caller, last(call), n).await?;
    let names: Vec<&str> = page.entries.iter().map(RepoName::as_str).collect();
    let mut response = json_body(call, json!({ "repositories": names }).to_string().into_bytes());
    if let Some(next) = &page.next {
        link(&mut response, next_link("/v2/_catalog", &[("n", &n.to_string()), ("last", next)])?);
    }
    Ok(response)
}

/// Always 200 to who may read, also for what is unknown: 404 would mean that there is no such API.
pub(super) async fn referrers(call: &Call, name: &RepoName, digest: &Digest) -> Outcome {
    let filter = call.query.get("artifactType").map(raw_plus);
    let page = call.app.registry.referrers(&call.caller, name, digest, filter.as_deref(), last(call)).await?;
    let mut response = json_body(call, referrers_index(&page.referrers));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MediaType::OCI_INDEX));
    if filter.is_some() {
        response.headers_mut().insert(FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    if let Some(last) = page.referrers.last().filter(|_| page.more) {
        let path = format!("/v2/{}/referrers/{digest}", name.asked());
        let mut parameters = vec![("last", last.digest.as_str())];
        parameters.extend(filter.as_deref().map(|filter| ("artifactType", filter)));
        link(&mut response, next_link(&path, &parameters)?);
    }
    Ok(response)
}

/// Which extensions there are (distribution-spec extensions/_oci.md): this one, nothing else yet.
pub(super) async fn extensions(call: &Call, name: Option<&RepoName>) -> Outcome {
    match name {
        Some(name) => drop(call.app.registry.tags(&call.caller, name, "", 0).await?),
        None => call.app.registry.ping(&call.caller)?,
    }
    let discovery = json!({
        "name": "_oci",
        "description": "Extension discovery",
        "url": "https://github.com/opencontainers/distribution-spec/blob/main/extensions/_oci.md",
        "endpoints": ["_oci/ext/discover"],
    });
    Ok(json_body(call, json!({ "extensions": [discovery] }).to_string().into_bytes()))
}

/// Some clients send `application/…+json` as it is, and a plus in a query is a space. No media type has a space.
fn raw_plus(filter: &str) -> String {
    filter.replace(' ', "+")
}

fn last(call: &Call) -> &str {
    call.query.get("last").unwrap_or_default()
}

/// More than a page is clamped, not refused (Joxit/docker-registry-ui#306).
fn page_size(call: &Call) -> Result<usize, Rejection> {
    let most = call.app.options.page;
    let n = parse_n(call.query.get("n")).map_err(|error| Rejection::bad_request(ErrorCode::Unsupported, &error))?;
    Ok(n.map_or(most, |n| usize::try_from(n).unwrap_or(most).min(most)))
}

fn link(response: &mut Response, (name, value): (HeaderName, HeaderValue)) {
    response.headers_mut().insert(name, value);
}
