//! Peers that are trusted by their address.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Item;

/// A network, or whoever connects to a unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Every address in it; a single address is a network of one.
    Net(IpNet),
    /// Peers on unix sockets, whose access the file system has checked.
    Unix,
}

impl Peer {
    /// Whether this peer is meant; `None` is a peer on a unix socket.
    pub fn covers(&self, peer: Option<IpAddr>) -> bool {
        match (self, peer) {
            // A socket for both families shows IPv4 peers as ::ffff:192.0.2.1.
            (Self::Net(net), Some(address)) => net.contains(&address.to_canonical()),
            (Self::Unix, None) => true,
            _ => false,
        }
    }
}

impl Item for Peer {
    fn kind() -> String {
        "a network, an address or `unix`".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(address.to_canonical().into()));
        }
        let net: IpNet = text.parse().map_err(|_| {
            format!("\"{text}\" is not a network: expected 10.0.0.0/8, fd00::/8, a single IP address, or the word unix")
        })?;
        if net.addr() == net.network() {
            return Ok(Self::Net(net));
        }
        Err(format!(
            "\"{text}\" has bits beyond its prefix: write {} for the network, or the address alone",
            net.trunc()
        ))
    }

    fn show(&self) -> String {
        match self {
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
            Self::Net(net) => net.to_string(),
            Self::Unix => "unix".into(),
        }
    }
}
