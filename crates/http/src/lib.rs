//! The wire: `/v2`, tokens, search, health, metrics, and the accept loop.
//!
//! Handlers take a request apart, make one call to the registry and render what it says. Nothing is decided here,
//! and [`Rejection`] is the one place that turns an error into a response.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use wharf_registry::{Registry, Status};

mod admin;
mod body;
mod credentials;
mod fresh;
mod health;
mod metrics;
mod middleware;
mod origin;
mod rates;
mod rejection;
mod search;
pub mod serve;
mod token;
mod ui;
mod v2;

use fresh::Fresh;
pub use metrics::Metrics;
pub use rejection::Rejection;
pub use v2::methods_of;

/// Manifests being received at once: each may take `manifest_size` of memory.
const MANIFEST_BODIES: usize = 64;

/// What the wire needs to know of the operator's wishes.
#[derive(Clone, Debug)]
pub struct Options {
    /// `scheme://host[:port]` that clients reach this server by; `None` believes the request.
    pub public_url: Option<String>,
    /// Hand out tokens; `false` asks for Basic at every request.
    pub token_auth: bool,
    /// Bytes of a manifest, at most.
    pub manifest_size: usize,
    /// Bytes of a request's target, at most.
    pub url_size: usize,
    /// Bytes of a request's headers together, at most.
    pub header_size: usize,
    /// How long a body may stand still.
    pub body_idle: Duration,
    /// Entries in one page of tags or repositories, at most and by default.
    pub page: usize,
    /// Serve `/metrics` beside everything else; `false` when it has a listener of its own.
    pub metrics: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            token_auth: true,
            manifest_size: 4 * 1024 * 1024,
            url_size: 16 * 1024,
            header_size: 32 * 1024,
            body_idle: Duration::from_mins(1),
            page: 10_000,
            metrics: true,
        }
    }
}

/// What every handler is given.
pub struct App {
    registry: Arc<Registry>,
    options: Options,
    metrics: Arc<Metrics>,
    draining: std::sync::atomic::AtomicBool,
    /// Why work should not be sent here.
    readiness: Fresh<health::Reasons>,
    /// Numbers that cost a look at whole tables.
    status: Fresh<Status>,
    /// Work that outlives its connection.
    detached: TaskTracker,
    /// Turns at holding a manifest's body in memory.
    manifest_bodies: Semaphore,
}

impl App {
    /// An app over that registry.
    pub fn new(registry: Arc<Registry>, options: Options, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            registry,
            options,
            metrics,
            draining: std::sync::atomic::AtomicBool::new(false),
            readiness: Fresh::lasting(Duration::from_secs(2)),
            status: Fresh::lasting(Duration::from_secs(15)),
            detached: TaskTracker::new(),
            manifest_bodies: Semaphore::new(MANIFEST_BODIES),
        })
    }

    /// From now on `/readyz` says that no more work should be sent here.
    pub fn drain(&self) {
        self.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Waits until what clients left running is done: a push whose connection ended goes on to a clean end.
    /// Says whether it was in time.
    pub async fn finish(&self, time: Duration) -> bool {
        self.detached.close();
        tokio::time::timeout(time, self.detached.wait()).await.is_ok()
    }

    /// Everything the registry serves.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new()
            .route("/token", any(token::handle))
            .route("/token/device", axum::routing::post(token::start_device))
            .route("/v1/_ping", get(search::ping))
            .route("/v1/search", get(search::handle))
            .route("/livez", get(health::live))
            .route("/readyz", get(health::ready));
        if self.options.metrics {
            router = router.route("/metrics", get(metrics::handle));
        }
        let router = router
            .merge(admin::router(self))
            .merge(ui::router())
            .fallback(v2::handle)
            .method_not_allowed_fallback(middleware::method_not_allowed);
        let layer = axum::middleware::from_fn_with_state(Arc::clone(self), middleware::around);
        router.layer(layer).with_state(Arc::clone(self))
    }

    /// `/metrics` and health alone, for a listener of their own.
    pub fn metrics_router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/metrics", get(metrics::handle))
            .route("/livez", get(health::live))
            .route("/readyz", get(health::ready))
            .with_state(Arc::clone(self))
    }
}
