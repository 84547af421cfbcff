//! Who is at the other end, and whose word is taken for it.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The other end of the connection that a request came over; an extension of every request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Peer {
    /// The client, after the PROXY header when there was one. `None` on a unix socket without one.
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
}

/// A dual-stack listener shows IPv4 clients as `::ffff:a.b.c.d`; logs and limits want one name for one client.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}
