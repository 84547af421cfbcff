//! Who is at the other end, and whose word is taken for it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The other end of the connection that a request came over; an extension of every request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Peer {
    /// The client, after the PROXY header and `X-Forwarded-For` of trusted proxies. `None` on a unix socket without.
    pub addr: Option<SocketAddr>,
    /// The socket's own other end; `None` on a unix socket.
    pub socket_addr: Option<SocketAddr>,
    /// The connection is TLS.
    pub tls: bool,
    /// The connection is a unix socket.
    pub unix: bool,
    /// Whoever wrote the HTTP is a trusted proxy: `X-Forwarded-*` may be believed.
    ///
    /// Behind a PROXY header that is the client it names: a forwarder of bytes passes on the headers of anybody.
    pub trusted: bool,
}

/// Proxies in front of this server.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    /// Their addresses.
    pub nets: Vec<IpNet>,
    /// Whoever connects over a unix socket is one.
    pub unix: bool,
}

impl TrustedProxies {
    /// Whether `address` is a trusted proxy's. `::ffff:a.b.c.d` counts as `a.b.c.d`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.nets.iter().any(|net| net.contains(&address))
    }
}

impl Peer {
    /// The peer of a fresh connection; `None` for a unix socket.
    pub(super) fn direct(socket_addr: Option<SocketAddr>, tls: bool, trusted: &TrustedProxies) -> Self {
        let socket_addr = socket_addr.map(canonical);
        let unix = socket_addr.is_none();
        let trusted = socket_addr.map_or(trusted.unix, |addr| trusted.contains(addr.ip()));
        Self { addr: socket_addr, socket_addr, tls, unix, trusted }
    }

    /// A trusted forwarder said that the client is `addr`.
    pub(super) fn forwarded_for(&mut self, addr: SocketAddr, trusted: &TrustedProxies) {
        let addr = canonical(addr);
        self.trusted = trusted.contains(addr.ip());
        self.addr = Some(addr);
    }

    /// Takes a trusted proxy's word on who its client is: of `X-Forwarded-For` the last address that is no trusted
    /// proxy's itself. What stands before it, anybody could have written. The port is not known, and 0.
    pub(super) fn read_forwarded(&mut self, headers: &HeaderMap, trusted: &TrustedProxies) {
        if !self.trusted {
            return;
        }
        let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            let Some(address) = address_of(hop) else { return };
            self.addr = Some(SocketAddr::new(address, 0));
            if !trusted.contains(address) {
                return;
            }
        }
    }
}

/// As a log line names it: the address, or that it is a unix socket's.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            Some(addr) if addr.port() == 0 => addr.ip().fmt(f),
            Some(addr) => addr.fmt(f),
            None => f.write_str("unix"),
        }
    }
}

/// `a.b.c.d`, `v6`, `a.b.c.d:port` or `[v6]:port`, as proxies write them.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = || hop.trim_start_matches('[').trim_end_matches(']').parse().ok();
    hop.parse().ok().map(|addr: SocketAddr| addr.ip()).or_else(bare).map(|address: IpAddr| address.to_canonical())
}

/// A dual-stack listener shows IPv4 clients as `::ffff:a.b.c.d`; logs and limits want one name for one client.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

#[cfg(test)]
mod tests;
