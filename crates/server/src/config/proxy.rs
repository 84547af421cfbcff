//! `[proxy]`

use std::net::IpAddr;

use super::setting::section;
use super::value::Peer;

section! {
    /// Reverse proxies and load balancers in front of the registry.
    pub struct Proxy in [proxy] {
        /// Peers whose word about the client is taken (`X-Forwarded-*`, PROXY protocol): networks such as `10.0.0.0/8`,
        /// single addresses, and `unix` for whoever connects to a unix socket.
        trusted: Vec<Peer> = vec![];

        /// Expect a PROXY protocol header (version 1 or 2) at the start of every connection from a trusted peer.
        protocol: bool = false;
    }
}

impl Proxy {
    /// Whether the word of this peer is taken; `None` is a peer on a unix socket.
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.trusted.iter().any(|trusted| trusted.covers(peer))
    }
}
