//! The whole registry behind its wire, on memory-sized data: what clients see.
//!
//! A test is named by the behaviour it shows; a thread above it is where somebody met the opposite.
#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests; clippy does not see it of the helpers")]

use std::time::Duration;

use wharf_testkit::Boxed;
use wharf_testkit::boxed::Reply;
use wharf_testkit::image::{Content, Draft, Image};

mod abuse;
mod access;
mod api_audit;
mod api_everybody;
mod api_frame;
mod api_grants;
mod api_limits;
mod api_orgs;
mod api_repositories;
mod api_session;
mod api_teams;
mod api_users;
mod audit;
mod auth;
mod auth_answers;
mod auth_tokens;
mod bad_input;
mod bad_manifests;
mod conditions;
mod delete;
mod fault_connection;
mod fault_power;
mod fault_store;
mod fuzz;
mod head;
mod health;
mod keyless;
mod limits;
mod lists;
mod manifest_types;
mod manifests;
mod mount;
mod people;
mod pull;
mod quotas;
mod ranges;
mod rate_limits;
mod referrers;
mod secrets;
mod sha512;
mod sign_ins;
mod strictness;
mod tags;
mod upload_chunks;
mod uploads;

/// A digest that nothing here has.
const NOWHERE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Starts an upload; its Location.
async fn start(b: &Boxed, name: &str) -> String {
    b.post(format!("/v2/{name}/blobs/uploads/")).await.expect(202).header("location").to_owned()
}

/// Whether the blob can be read there, whole.
async fn has(b: &Boxed, name: &str, blob: &Content) -> bool {
    let reply = b.get(format!("/v2/{name}/blobs/{}", blob.digest)).await;
    match reply.status.as_u16() {
        200 => reply.body == blob.bytes,
        404 => false,
        other => panic!("{other}: {reply:?}"),
    }
}

/// What the upload at `location` says it holds, as `Range`.
async fn range_of(b: &Boxed, location: &str) -> String {
    b.get(location).await.expect(204).header("range").to_owned()
}

async fn cancel(b: &Boxed, location: &str) {
    b.delete(location).await.expect(204);
}
