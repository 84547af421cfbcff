//! The accept loop: whoever connects is answered, cut for a stated reason, or told to come back.
//!
//! Kept true here, whatever the handlers do:
//! - no connection lives without making progress: every wait for the client has an end;
//! - an answer given before the request was read to its end still reaches the client (protocol.md §1.4, 16);
//! - `accept` failing never ends the server;
//! - after `shutdown` no request that has begun is refused: it is finished, or cut only when `drain` is over.

mod accept;
mod connection;
mod flow;
mod peer;
mod proxy;
mod socket;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use peer::{Peer, TrustedProxies};

/// How connections are treated.
#[derive(Clone)]
pub struct ServeOptions {
    /// From a connection's first moment to the end of its first request head, PROXY header and TLS handshake included.
    /// A later head has longer: its time includes the wait between two requests, and is 100 s (HTTP/1).
    pub header_timeout: Duration,
    /// Largest request head, in bytes, that the application accepts. The wire takes twice that (at least 64 KiB), so
    /// that the application can refuse one with a body that says why.
    pub header_size: usize,
    /// Connections served at once, over all listeners of one `serve`.
    pub connections: usize,
    /// How long running requests may go on after shutdown.
    pub drain: Duration,
    /// How long a client may take nothing of an answer that waits for it; on HTTP/2, how long it may take for 64 KiB of
    /// one. The connection is cut then, whatever else moves on it.
    pub write_idle: Duration,
    /// Trusted peers open with a PROXY header (v1 or v2).
    pub proxy_protocol: bool,
    /// Who is believed about the client's address.
    pub trusted: TrustedProxies,
    /// TLS for TCP listeners; unix sockets are always plain. The caller sets ALPN (`h2`, `http/1.1`).
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Counted into; one set may be shared by several `serve`.
    pub gauges: Arc<ConnectionGauges>,
}

/// Where connections come from.
#[derive(Debug)]
pub enum Listener {
    /// TLS when [`ServeOptions::tls`] is set.
    Tcp(tokio::net::TcpListener),
    /// Always plain.
    Unix(tokio::net::UnixListener),
}

/// Connections, for the metrics.
#[derive(Debug, Default)]
pub struct ConnectionGauges {
    /// Open now, those being refused included.
    pub open: AtomicU64,
    /// Ever accepted.
    pub accepted: AtomicU64,
    /// Turned away because [`ServeOptions::connections`] were open.
    pub refused: AtomicU64,
}

/// How serving ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    /// Requests that were still running when the drain time was over, and were cut.
    pub aborted: usize,
}

/// What all connections share.
struct Shared {
    app: axum::Router,
    options: ServeOptions,
    builder: connection::Builder,
    slots: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    /// Requests begun and not yet answered to the end.
    requests: AtomicUsize,
}

/// Turning away is cheap but not free (on TLS it costs a handshake), so it is bounded too.
const REFUSALS: usize = 64;

/// Serves `app` on `listeners` until `shutdown` resolves and the connections are drained.
///
/// Every request carries a [`Peer`] extension. Dropping the future cuts everything at once.
pub async fn serve(
    listeners: Vec<Listener>,
    app: axum::Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Served {
    let (stop, stopped) = watch::channel(false);
    let drain = options.drain;
    let shared = Arc::new(Shared {
        app,
        builder: connection::builder(&options),
        slots: Arc::new(Semaphore::new(options.connections.min(Semaphore::MAX_PERMITS))),
        refusals: Arc::new(Semaphore::new(REFUSALS)),
        requests: AtomicUsize::new(0),
        options,
    });
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept::run(listener, Arc::clone(&shared), stopped.clone()));
    }
    shutdown.await;
    let _ = stop.send(true);
    let mut connections = accepting.join_all().await;
    let all_ended = async {
        for open in &mut connections {
            while open.join_next().await.is_some() {}
        }
    };
    let _ = tokio::time::timeout(drain, all_ended).await;
    let aborted = shared.requests.load(Ordering::Relaxed);
    if aborted > 0 {
        tracing::warn!(aborted, ?drain, "requests were still running when the drain time was over: cut");
    }
    Served { aborted }
}

#[cfg(test)]
mod tests;
