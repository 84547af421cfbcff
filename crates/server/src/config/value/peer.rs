//! Peers that are trusted by their address.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Item, Network};

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
        if text.parse::<IpAddr>().is_err() && text.parse::<IpNet>().is_err() {
            return Err(format!(
                "\"{text}\" is not a network: expected 10.0.0.0/8, fd00::/8, a single IP address, or the word unix"
            ));
        }
        Network::parse(text).map(|Network(net)| Self::Net(net))
    }

    fn show(&self) -> String {
        match self {
            Self::Net(net) => Network(*net).show(),
            Self::Unix => "unix".into(),
        }
    }
}
