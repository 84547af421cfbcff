//! Uploads (distribution-spec §Pushing blobs).

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use wharf_oci::{Algorithm, Digest, DigestError, ErrorCode, RepoName, parse_content_range};
use wharf_registry::{Chunk, Mounted, UploadStatus};

use super::manifests::refuse_encoding;
use super::{Call, Outcome, created, detached, digest_parameter, empty, upload_headers};
use crate::{Rejection, body};

/// POST: a mount, a whole blob, or the start of an upload.
pub(super) async fn start(call: Call, name: RepoName, body: Body) -> Outcome {
    if let Some(response) = mount(&call, &name).await? {
        return Ok(response);
    }
    let mut algorithm = Algorithm::Sha256;
    if call.query.get("digest").is_some() {
        let digest = digest_parameter(&call.query, "digest")?;
        // Without a body this only announces what is to come, unless nothing is what is to come.
        if !body.is_end_stream() || digest == Digest::of(digest.algorithm(), b"") {
            return whole(call, name, body, digest).await;
        }
        algorithm = digest.algorithm();
    }
    if let Some(text) = call.query.get("digest-algorithm") {
        let parsed = text.parse();
        algorithm = parsed.map_err(|error: DigestError| Rejection::bad_request(ErrorCode::DigestInvalid, &error))?;
    }
    let (app, caller) = (Arc::clone(&call.app), call.caller);
    let upload = detached(&call.app, async move { app.registry.start_upload(&caller, &name, algorithm).await }).await?;
    Ok(progress(StatusCode::ACCEPTED, &upload))
}

pub(super) async fn status(call: &Call, name: &RepoName, id: &str) -> Outcome {
    let upload = call.app.registry.upload(&call.caller, name, id).await?;
    Ok(progress(StatusCode::NO_CONTENT, &upload))
}

pub(super) async fn append(call: Call, name: RepoName, id: String, body: Body) -> Outcome {
    let chunk = chunk(&call, body)?;
    let (app, caller) = (Arc::clone(&call.app), call.caller);
    let upload = detached(&call.app, async move { app.registry.append(&caller, &name, &id, chunk).await }).await?;
    Ok(progress(StatusCode::ACCEPTED, &upload))
}

pub(super) async fn finish(call: Call, name: RepoName, id: String, body: Body) -> Outcome {
    let digest = digest_parameter(&call.query, "digest")?;
    let chunk = chunk(&call, body)?;
    let response = created(blob_location(&name, &digest), &digest)?;
    let (app, caller) = (Arc::clone(&call.app), call.caller);
    detached(&call.app, async move { app.registry.finish_upload(&caller, &name, &id, chunk, &digest).await }).await?;
    Ok(response)
}

pub(super) async fn cancel(call: Call, name: RepoName, id: String) -> Outcome {
    let (app, caller) = (Arc::clone(&call.app), call.caller);
    detached(&call.app, async move { app.registry.cancel_upload(&caller, &name, &id).await }).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// 201 when the blob can be seen now; `None` falls back to an upload, whatever the reason: a refusal would end the
/// client's push (containerd/containerd#14086).
async fn mount(call: &Call, name: &RepoName) -> Result<Option<Response>, Rejection> {
    let Some(Ok(digest)) = call.query.get("mount").map(str::parse::<Digest>) else { return Ok(None) };
    let from = match call.query.get("from").map(str::parse::<RepoName>) {
        Some(Err(_)) => return Ok(None),
        Some(Ok(from)) => Some(from),
        None => None,
    };
    match call.app.registry.mount_blob(&call.caller, name, &digest, from.as_ref()).await? {
        Mounted::Yes => created(blob_location(name, &digest), &digest).map(Some),
        Mounted::No => Ok(None),
    }
}

async fn whole(call: Call, name: RepoName, body: Body, digest: Digest) -> Outcome {
    let chunk = chunk(&call, body)?;
    let response = created(blob_location(&name, &digest), &digest)?;
    let (app, caller) = (Arc::clone(&call.app), call.caller);
    detached(&call.app, async move { app.registry.push_blob(&caller, &name, chunk, &digest).await }).await?;
    Ok(response)
}

fn chunk(call: &Call, body: Body) -> Result<Chunk, Rejection> {
    refuse_encoding(call)?;
    let at = call.header(CONTENT_RANGE).map(parse_content_range).transpose();
    let at = at.map_err(|error| Rejection::bad_request(ErrorCode::BlobUploadInvalid, &error))?;
    let length = call.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let body = if body.is_end_stream() {
        None
    } else {
        Some(body::incoming(body, call.app.options.body_idle, Arc::clone(&call.app.metrics)))
    };
    Ok(Chunk { at, length, body })
}

fn progress(status: StatusCode, upload: &UploadStatus) -> Response {
    let mut response = empty(status);
    response.headers_mut().extend(upload_headers(upload));
    response
}

fn blob_location(name: &RepoName, digest: &Digest) -> String {
    format!("/v2/{}/blobs/{digest}", name.asked())
}
