//! Manifests: the stored bytes and type, whatever `Accept` says; PUT with tags and conditions; DELETE.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, StatusCode};
use wharf_oci::{ErrorCode, Reference, RepoName, Tag, TagError, if_none_match};
use wharf_registry::{BodyError, Error, ManifestPush, TagCondition};

use super::{CONTENT_DIGEST, Call, Outcome, created, detached, digest_parameter, empty, etag, header};
use crate::{Rejection, body};

/// How long a manifest's body may take in all: whoever sends it byte by byte holds a turn that others wait for.
const MANIFEST_TIME: Duration = Duration::from_mins(2);

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

pub(super) async fn get(call: &Call, name: &RepoName, reference: &Reference) -> Outcome {
    let manifest = call.app.registry.manifest(&call.caller, name, reference).await?;
    let unchanged = call.header(IF_NONE_MATCH).is_some_and(|header| if_none_match(header, &manifest.digest));
    let mut response = empty(if unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    let (name, value) = etag(&manifest.digest)?;
    let headers = response.headers_mut();
    headers.insert(name, value);
    headers.insert(CONTENT_DIGEST, header(manifest.digest.to_string())?);
    if unchanged {
        return Ok(response);
    }
    headers.insert(CONTENT_TYPE, header(manifest.media_type.to_string())?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(manifest.bytes.len()));
    if !call.is_head() {
        call.app.metrics.sent(manifest.bytes.len());
        *response.body_mut() = Body::from(manifest.bytes);
    }
    Ok(response)
}

pub(super) async fn put(call: Call, name: RepoName, reference: Reference, body: Body) -> Outcome {
    refuse_encoding(&call)?;
    let digest = match &reference {
        Reference::Tag(_) if call.query.get("digest").is_some() => Some(digest_parameter(&call.query, "digest")?),
        _ => None,
    };
    let push = ManifestPush {
        content_type: call.header(CONTENT_TYPE).map(str::to_owned),
        tags: extra_tags(&call, &reference)?,
        condition: condition(&call, &reference),
        digest,
        bytes: read(&call, body).await?,
    };
    let location = format!("/v2/{}/manifests/", name.asked());
    let (app, caller) = (Arc::clone(&call.app), call.caller);
    let pushed =
        detached(&call.app, async move { app.registry.push_manifest(&caller, &name, &reference, push).await }).await?;
    let mut response = created(format!("{location}{}", pushed.digest), &pushed.digest)?;
    if let Some(subject) = pushed.subject {
        response.headers_mut().insert(OCI_SUBJECT, header(subject.to_string())?);
    }
    for tag in pushed.tags {
        response.headers_mut().append(OCI_TAG, header(tag.to_string())?);
    }
    Ok(response)
}

pub(super) async fn delete(call: &Call, name: &RepoName, reference: &Reference) -> Outcome {
    call.app.registry.delete_manifest(&call.caller, name, reference).await?;
    Ok(empty(StatusCode::ACCEPTED))
}

/// Content is stored as it is named: decoding it, or keeping the encoding as if it were content, both break digests.
pub(super) fn refuse_encoding(call: &Call) -> Result<(), Rejection> {
    match call.header(CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some(encoding) => {
            let message = format!("Content-Encoding {encoding:?} is not taken: send the bytes that the digest is of");
            Err(Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::Unsupported, message))
        }
    }
}

async fn read(call: &Call, body: Body) -> Result<Vec<u8>, Rejection> {
    let limit = call.app.options.manifest_size;
    let announced = call.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let too_large = || {
        let message = format!("the manifest is too large: at most {limit} bytes are taken");
        Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message)
    };
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let _turn = call.app.manifest_bodies.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let body = body::incoming(body, call.app.options.body_idle, Arc::clone(&call.app.metrics));
    let whole = tokio::time::timeout(MANIFEST_TIME, body::collect(body, limit)).await.unwrap_or(Err(BodyError::Idle));
    whole.map_err(|error| match error {
        BodyError::TooLarge => too_large(),
        error => Error::from(error).into(),
    })
}

/// `?tag=` goes with a push by digest; beside a tag in the path it would say the same thing twice.
fn extra_tags(call: &Call, reference: &Reference) -> Result<Vec<Tag>, Rejection> {
    if matches!(reference, Reference::Tag(_)) {
        return Ok(vec![]);
    }
    let wrong = |error: TagError| Rejection::bad_request(ErrorCode::ManifestInvalid, &error);
    let parse = |text: &str| text.parse().map_err(wrong);
    call.query.all("tag").map(parse).collect()
}

/// Conditions hold of the tag in the path; by digest, content cannot differ.
fn condition(call: &Call, reference: &Reference) -> Option<TagCondition> {
    if matches!(reference, Reference::Digest(_)) {
        return None;
    }
    match (call.header(IF_MATCH), call.header(IF_NONE_MATCH)) {
        (Some("*"), _) => Some(TagCondition::Exists),
        // What is no digest is the entity tag of nothing here.
        (Some(list), _) => {
            let digests = list.split(',').filter_map(|one| one.trim().trim_matches('"').parse().ok());
            Some(TagCondition::PointsAt(digests.collect()))
        }
        (None, Some("*")) => Some(TagCondition::Absent),
        _ => None,
    }
}
