//! Taking connections in: never dies, never takes more than it may.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{self, Role};
use super::socket::Stream;
use super::{ConnectionGauges, Listener, Shared};

/// After a failed accept (no descriptors, no memory): time for others to close theirs.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Accepts until `stopped`, closes the listener, and hands back the connections still open.
pub(super) async fn run(listener: Listener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    let mut acceptor = Acceptor { listener, failing: false };
    let stop = stopped.clone();
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return connections,
            Some(ended) = connections.join_next() => log_panic(ended),
            (stream, addr) = acceptor.next() => admit(&mut connections, stream, addr, &shared, &stop),
        }
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task panicked");
    }
}

/// When all slots are taken, the connection is still accepted, and its first request answered 503 with Retry-After:
/// left in the kernel's backlog, a client would hang without a reason, a health check too, and nothing could count it.
/// Beyond `REFUSALS` of those at once it is closed without a word.
fn admit(
    connections: &mut JoinSet<()>,
    stream: Stream,
    addr: Option<SocketAddr>,
    shared: &Arc<Shared>,
    stop: &watch::Receiver<bool>,
) {
    let gauges = &shared.options.gauges;
    gauges.accepted.fetch_add(1, Relaxed);
    let (role, slot) = if let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() {
        (Role::Serve, slot)
    } else {
        gauges.refused.fetch_add(1, Relaxed);
        let Ok(slot) = Arc::clone(&shared.refusals).try_acquire_owned() else { return };
        (Role::Refuse, slot)
    };
    let open = Open::count(Arc::clone(gauges));
    let (shared, stop) = (Arc::clone(shared), stop.clone());
    connections.spawn(async move {
        connection::run(stream, addr, role, shared, stop).await;
        drop((slot, open));
    });
}

/// Counted as open while it lives.
struct Open(Arc<ConnectionGauges>);

impl Open {
    fn count(gauges: Arc<ConnectionGauges>) -> Self {
        gauges.open.fetch_add(1, Relaxed);
        Self(gauges)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

struct Acceptor {
    listener: Listener,
    /// The last accept failed: it has been logged.
    failing: bool,
}

impl Acceptor {
    /// The next connection, however long the failures before it last.
    async fn next(&mut self) -> (Stream, Option<SocketAddr>) {
        loop {
            match self.accept().await {
                Ok(accepted) => {
                    self.failing = false;
                    return accepted;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !self.failing {
                        tracing::warn!(%error, "cannot accept connections (said once): trying on every {BACK_OFF:?}");
                    }
                    self.failing = true;
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match &self.listener {
            Listener::Tcp(listener) => {
                let (stream, addr) = listener.accept().await?;
                // Answers are written whole; waiting for more (Nagle) only delays them.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), Some(addr)))
            }
            Listener::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }
}

/// Linux hands an error that is already pending on the new socket to accept (accept(2)): the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
