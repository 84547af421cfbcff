//! The audit: page by page, or all of it as lines.

use axum::body::Body;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use wharf_api::{self as api, Search, Timestamp, paths};
use wharf_registry::{AuditFilter, AuditRow, Order, Result};

use super::convert::{limit, time};
use super::operation::{Operation, Operations};
use super::request::{Call, Params, WantsLines, invalid};
use super::{Outcome, Refusal, reply};

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::AUDIT, "Server", "listAudit", "Show what happened")
            .says(
                "Administrators see everything, owners what happened in an org of theirs (`org`), everybody else what \
                 they did themselves. In the order of `id`, the last first. With `Accept: application/x-ndjson` everything that \
                 fits, the first first, one event on each line; `limit` and `after` mean nothing then. To go on later, ask \
                 with `since_id` set to the last `id` there was.",
            )
            .asks::<api::AuditQuery>()
            .lists::<api::AuditEvent>("A page of events. It may be short, or empty, and not be the last.")
            .streams(),
        list,
    )
}

async fn list(call: Call, WantsLines(lines): WantsLines, Params(query): Params<api::AuditQuery>) -> Outcome {
    let filter = filter(&query)?;
    if lines {
        return export(call, filter).await;
    }
    let message = "the next of the page before is expected";
    let after = query.after.as_ref().map(|after| after.as_str().parse());
    let after = after.transpose().map_err(|_| invalid(Some("after".into()), message))?;
    let (order, limit) = (Order::NewestFirst, limit(query.limit));
    let found = call.registry().audit(&call.caller, filter, order, after, limit).await?;
    reply::page_until(&call, found.rows, found.next.map(|next| next.to_string()), view)
}

/// The first batch is waited for, since a refusal cannot be told after the head of an answer.
async fn export(call: Call, filter: AuditFilter) -> Outcome {
    let (registry, caller) = call.into_parts();
    let mut batches = Box::pin(registry.export_audit(caller, filter));
    let first = batches.next().await.transpose()?.unwrap_or_default();
    let lines = lines(stream::iter([Ok(first)]).chain(batches));
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

/// A failure cuts the answer, which tells the client that there was more.
fn lines(batches: impl Stream<Item = Result<Vec<AuditRow>>>) -> impl Stream<Item = Result<Vec<u8>>> {
    batches.map(|batch| {
        let mut text = Vec::new();
        for row in batch.inspect_err(|error| tracing::warn!(%error, "an export of the audit ended early"))? {
            serde_json::to_writer(&mut text, &view(row))
                .map_err(|error| wharf_registry::Error::Internal(format!("an event: {error}")))?;
            text.push(b'\n');
        }
        Ok(text)
    })
}

fn filter(query: &api::AuditQuery) -> std::result::Result<AuditFilter, Refusal> {
    let since_id = query.since_id.map(i64::try_from).transpose();
    let since_id = since_id.map_err(|_| invalid(Some("since_id".into()), "no id is as large as that"))?;
    let text = |search: &Option<Search>| search.as_ref().map(ToString::to_string);
    Ok(AuditFilter {
        actor: text(&query.actor),
        action: text(&query.action),
        target: text(&query.target),
        org: query.org.as_ref().map(ToString::to_string),
        outcome: query.outcome.map(|outcome| match outcome {
            api::Outcome::Done => wharf_registry::Outcome::Done,
            api::Outcome::Refused => wharf_registry::Outcome::Refused,
        }),
        since: query.since.map(Timestamp::millis),
        until: query.until.map(Timestamp::millis),
        since_id,
    })
}

fn view(row: AuditRow) -> api::AuditEvent {
    api::AuditEvent {
        id: u64::try_from(row.id).unwrap_or_default(),
        at: time(row.at),
        actor: row.actor,
        via: row.via,
        address: row.address,
        request: row.request,
        action: row.action,
        outcome: match row.outcome {
            wharf_registry::Outcome::Done => api::Outcome::Done,
            wharf_registry::Outcome::Refused => api::Outcome::Refused,
        },
        org: row.org,
        target: row.target,
        times: row.times,
        until: row.until.map(time),
        details: Some(row.details).filter(|details| !details.is_null()),
    }
}
