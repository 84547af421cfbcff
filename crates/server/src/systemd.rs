//! What systemd and the server tell each other: inherited sockets, readiness, the watchdog.
//!
//! Everything here does nothing when systemd did not start the process.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// A listening socket that the service manager made.
#[derive(Debug)]
pub enum Inherited {
    /// `ListenStream=` with an address or a port.
    Tcp(TcpListener),
    /// `ListenStream=` with a path.
    Unix(UnixListener),
}

/// The sockets handed over by socket activation, in the unit's order, ready for tokio; none without activation.
///
/// To be called once, at the start of main before any thread is started: it takes `LISTEN_FDS` and `LISTEN_PID` out of
/// the environment, so that children do not think the sockets theirs.
pub fn inherited() -> io::Result<Vec<Inherited>> {
    let mut sockets = ListenFd::from_env();
    (0..sockets.len()).map(|index| take(&mut sockets, index)).collect()
}

fn take(sockets: &mut ListenFd, index: usize) -> io::Result<Inherited> {
    if let Ok(Some(socket)) = sockets.take_tcp_listener(index) {
        socket.set_nonblocking(true)?;
        return Ok(Inherited::Tcp(socket));
    }
    match sockets.take_unix_listener(index) {
        Ok(Some(socket)) => {
            socket.set_nonblocking(true)?;
            Ok(Inherited::Unix(socket))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "inherited socket {index} is neither a TCP nor a unix stream socket: use ListenStream= in the .socket unit"
            ),
        )),
    }
}

/// The server answers; `status` is shown by `systemctl status`.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The server drains.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Pings the watchdog at half its time while the runtime turns; returns at once when there is none.
pub async fn watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| *limit > Duration::ZERO) else { return };
    let mut ticks = tokio::time::interval(limit / 2);
    loop {
        ticks.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}
