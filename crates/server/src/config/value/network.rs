//! Networks.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Item;

/// A network; a single address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl Item for Network {
    fn kind() -> String {
        "a network or an address".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let net: IpNet = text.parse().map_err(|_| {
            format!("\"{text}\" is not a network: expected one such as 10.0.0.0/8 or fd00::/8, or a single IP address")
        })?;
        if net.addr() == net.network() {
            return Ok(Self(net));
        }
        let net = net.trunc();
        Err(format!("\"{text}\" has bits beyond its prefix: write {net} for the network, or the address alone"))
    }

    fn show(&self) -> String {
        let Self(net) = self;
        if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
    }
}
