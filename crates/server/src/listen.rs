//! Opening listeners: addresses, names, unix sockets, and those that the service manager hands over.

use std::io;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use rustix::net::sockopt::set_ipv6_v6only;
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use wharf_http::serve::Listener;

use crate::config::{self, Listen};
use crate::systemd::Inherited;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Opens what the configuration names and takes what was inherited. None at all is an error.
pub(crate) async fn open(listen: &[Listen], inherited: Vec<Inherited>) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for socket in inherited {
        listeners.push(match socket {
            Inherited::Tcp(socket) => Listener::Tcp(TcpListener::from_std(socket)?),
            Inherited::Unix(socket) => Listener::Unix(UnixListener::from_std(socket)?),
        });
    }
    for one in listen {
        let opened = open_one(one).await;
        listeners.extend(opened.map_err(|error| {
            let advice = advice(&error);
            error.context(format!("cannot listen on {one}{advice}"))
        })?);
    }
    if listeners.is_empty() {
        bail!("there is nothing to listen on: give --listen, or start by a systemd socket unit");
    }
    Ok(listeners)
}

/// What to do about it, in the middle of the sentence that says what it is.
fn advice(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::AddrInUse) => " (another program does: give another port, as in --listen 127.0.0.1:5001)",
        Some(io::ErrorKind::PermissionDenied) => {
            " (ports below 1024 are root's: give a higher one by --listen, or use a systemd socket unit)"
        }
        _ => "",
    }
}

/// Where a listener can be reached, for people: `host:port`, or a path.
pub(crate) fn describe(listener: &Listener) -> String {
    match listener {
        Listener::Tcp(socket) => socket.local_addr().map_or_else(|_| "?".into(), |address| address.to_string()),
        Listener::Unix(socket) => {
            let path = socket.local_addr().ok().and_then(|address| address.as_pathname().map(Path::to_owned));
            path.map_or_else(|| "unix:?".into(), |path| format!("unix:{}", path.display()))
        }
    }
}

async fn open_one(listen: &Listen) -> anyhow::Result<Vec<Listener>> {
    Ok(match listen {
        Listen::Address(address) => vec![tcp(*address, true)?],
        // Every interface, of both families; a machine without IPv6 has one of them.
        Listen::Any(port) => match tcp((Ipv6Addr::UNSPECIFIED, *port).into(), false) {
            Ok(listener) => vec![listener],
            Err(_) => vec![tcp((Ipv4Addr::UNSPECIFIED, *port).into(), true)?],
        },
        Listen::Name(host, port) => {
            let addresses = tokio::net::lookup_host((host.as_str(), *port)).await?;
            addresses.map(|address| tcp(address, true)).collect::<anyhow::Result<_>>()?
        }
        Listen::Unix(path) => vec![unix(path).await?],
    })
}

fn tcp(address: SocketAddr, only_this_family: bool) -> anyhow::Result<Listener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, only_this_family)?;
    }
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(Listener::Tcp(socket.listen(BACKLOG)?))
}

/// A socket that nobody answers on was left by a process that died, and goes; nothing else does.
async fn unix(path: &Path) -> anyhow::Result<Listener> {
    if config::socket_at(path).map_err(|problem| anyhow!(problem))? {
        match tokio::net::UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Ok(_) => bail!("another process listens there"),
            Err(error) => return Err(error).context("cannot tell whether another process listens there"),
        }
    }
    let listener = UnixListener::bind(path)?;
    // A proxy of the same group may connect; who else may is the folder's matter.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(Listener::Unix(listener))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open_at(path: &Path) -> anyhow::Result<Vec<Listener>> {
        open(&[Listen::Unix(path.to_owned())], vec![]).await
    }

    #[tokio::test]
    async fn only_a_dead_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, socket) = (folder.path().join("file"), folder.path().join("link"), folder.path().join("s"));
        std::fs::write(&file, "precious").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link, folder.path()] {
            let refused = format!("{:#}", open_at(path).await.err().unwrap());
            assert!(refused.contains("is not a socket"), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "precious");

        let first = open_at(&socket).await.unwrap();
        let refused = format!("{:#}", open_at(&socket).await.err().unwrap());
        assert!(refused.contains("another process listens"), "{refused}");
        drop(first);
        assert!(socket.exists(), "a socket outlives its listener");
        open_at(&socket).await.unwrap();
    }
}
