//! Numbers for operators, as OpenMetrics text.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry as Exposition, Unit};
use wharf_registry::{RefusalCount, Registry, Status};

use crate::serve::ConnectionGauges;
use crate::{App, Rejection};

/// Upper bounds, in seconds: a HEAD answers in microseconds, a layer takes minutes.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    action: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Routed {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    class: &'static str,
}

/// Everything counted.
pub struct Metrics {
    exposition: Exposition,
    requests: Family<Answered, Counter>,
    durations: Family<Routed, Histogram>,
    received: Counter,
    sent: Counter,
    sampled: Sampled,
    connections: Arc<ConnectionGauges>,
}

/// Read when asked for.
#[derive(Default)]
struct Sampled {
    uploads: Gauge,
    blobs: Gauge,
    blob_bytes: Gauge,
    incomplete: Gauge,
    repositories: Gauge,
    database_bytes: Gauge,
    free_bytes: Gauge,
    total_bytes: Gauge,
    connections_open: Gauge,
    connections_accepted: Counter,
    connections_refused: Counter,
    limited: Family<Limited, Counter>,
    refusals: Family<Refused, Counter>,
}

impl Metrics {
    /// Counters at zero.
    pub fn new(connections: Arc<ConnectionGauges>) -> Arc<Self> {
        let mut exposition = Exposition::with_prefix("wharf");
        let requests = Family::<Answered, Counter>::default();
        exposition.register("requests", "Requests answered", requests.clone());
        let durations = Family::<Routed, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let help = "Time from a request's head to its answer's head";
        exposition.register_with_unit("request_duration", help, Unit::Seconds, durations.clone());
        let (received, sent) = (Counter::default(), Counter::default());
        exposition.register_with_unit("received", "Bytes of request bodies", Unit::Bytes, received.clone());
        exposition.register_with_unit("sent", "Bytes of blobs and manifests sent", Unit::Bytes, sent.clone());
        let sampled = Sampled::register(&mut exposition);
        Arc::new(Self { exposition, requests, durations, received, sent, sampled, connections })
    }

    pub(crate) fn answered(&self, method: &Method, route: &'static str, status: StatusCode, elapsed: Duration) {
        // A method is the client's text: anything unusual is counted as one.
        let usual = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let method = if usual.contains(method) { method.to_string() } else { "other".into() };
        self.requests.get_or_create(&Answered { method, route, status: status.as_u16() }).inc();
        self.durations.get_or_create(&Routed { route }).observe(elapsed.as_secs_f64());
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received.inc_by(bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.inc_by(bytes as u64);
    }
}

impl Sampled {
    fn register(exposition: &mut Exposition) -> Self {
        let all = Self::default();
        exposition.register("uploads_open", "Uploads begun and not finished", all.uploads.clone());
        exposition.register("blobs", "Blobs stored", all.blobs.clone());
        exposition.register_with_unit("blobs_size", "Size of the blobs stored", Unit::Bytes, all.blob_bytes.clone());
        let help = "Manifests accepted although something they name was not there";
        exposition.register("manifests_incomplete", help, all.incomplete.clone());
        exposition.register("repositories", "Repositories", all.repositories.clone());
        let database = all.database_bytes.clone();
        exposition.register_with_unit("database_size", "Size of the database", Unit::Bytes, database);
        exposition.register_with_unit("disk_free", "Room left for blobs", Unit::Bytes, all.free_bytes.clone());
        exposition.register_with_unit("disk_size", "Size of the disk for blobs", Unit::Bytes, all.total_bytes.clone());
        exposition.register("connections_open", "Connections open", all.connections_open.clone());
        exposition.register("connections_accepted", "Connections accepted", all.connections_accepted.clone());
        exposition.register("connections_refused", "Connections over the limit", all.connections_refused.clone());
        exposition.register("requests_limited", "Requests refused by a rate limit", all.limited.clone());
        let help = "Decisions about access that were a no; what clients ask before they sign in is among them";
        exposition.register("refusals", help, all.refusals.clone());
        all
    }

    fn sample(&self, status: &Status, connections: &ConnectionGauges) {
        let set = |gauge: &Gauge, value: u64| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.uploads, status.uploads);
        set(&self.blobs, status.blobs);
        set(&self.blob_bytes, status.blob_bytes);
        set(&self.incomplete, status.incomplete_manifests);
        set(&self.repositories, status.repositories);
        set(&self.database_bytes, status.database_size);
        set(&self.free_bytes, status.space.free);
        set(&self.total_bytes, status.space.total);
        set(&self.connections_open, connections.open.load(Ordering::Relaxed));
        catch_up(&self.connections_accepted, connections.accepted.load(Ordering::Relaxed));
        catch_up(&self.connections_refused, connections.refused.load(Ordering::Relaxed));
    }

    fn count_refused(&self, registry: &Registry) {
        for (class, count) in registry.refused_by_limits() {
            catch_up(&self.limited.get_or_create(&Limited { class: class.as_str() }), count);
        }
        for RefusalCount { action, reason, count } in registry.refusals() {
            catch_up(&self.refusals.get_or_create(&Refused { action, reason }), count);
        }
    }
}

/// A counter may only grow; two scrapes at once must not count twice.
fn catch_up(counter: &Counter, total: u64) {
    counter.inner().fetch_max(total, Ordering::Relaxed);
}

/// On a task of its own: hyper drops a handler with its connection, and counting for who has gone would be kept nowhere.
async fn status(app: &Arc<App>) -> wharf_registry::Result<Status> {
    let asking = Arc::clone(app);
    let count = async move { asking.status.get(async |_| asking.registry.status().await).await };
    let counted = app.detached.spawn(count).await;
    counted.unwrap_or_else(|error| Err(wharf_registry::Error::Internal(format!("counting ended early: {error}"))))
}

pub(crate) async fn handle(State(app): State<Arc<App>>) -> Result<Response, Rejection> {
    let metrics = &app.metrics;
    let status = status(&app).await?;
    metrics.sampled.sample(&status, &metrics.connections);
    metrics.sampled.count_refused(&app.registry);
    let mut body = String::new();
    text::encode(&mut body, &metrics.exposition).map_err(|error| wharf_registry::Error::Internal(error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], body).into_response())
}
