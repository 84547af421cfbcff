//! Which addresses may be gone to.
//!
//! Whoever may configure a URL could otherwise use the registry to reach what only the registry's machine reaches:
//! itself, its neighbours, the cloud's metadata. So every address that is not one of the public internet is refused,
//! in whatever form it is written, unless the operator has allowed its network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Networks that are not the public internet (IANA's special-purpose registries), and what to call them. The first
/// that holds an address names it.
const V4: &[([u8; 4], u8, &str)] = &[
    ([169, 254, 169, 254], 32, "a cloud's metadata service"),
    ([168, 63, 129, 16], 32, "a cloud's metadata service"), // Azure's, though a public address
    ([100, 100, 100, 200], 32, "a cloud's metadata service"), // Alibaba's
    ([192, 0, 0, 192], 32, "a cloud's metadata service"),   // Oracle's
    ([0, 0, 0, 0], 8, "an unspecified address"),
    ([10, 0, 0, 0], 8, "a private address"),
    ([100, 64, 0, 0], 10, "an address behind a carrier's NAT"),
    ([127, 0, 0, 0], 8, "a loopback address"),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 0, 0, 0], 24, "a reserved address"),
    ([192, 0, 2, 0], 24, "a documentation address"),
    ([192, 88, 99, 0], 24, "a reserved address"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([198, 18, 0, 0], 15, "a reserved address"),
    ([198, 51, 100, 0], 24, "a documentation address"),
    ([203, 0, 113, 0], 24, "a documentation address"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
];

const V6: &[([u16; 8], u8, &str)] = &[
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, "a cloud's metadata service"),
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, "a cloud's metadata service"),
    ([0; 8], 128, "an unspecified address"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "a loopback address"),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a private address"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "a link-local address"),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a private address"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "a multicast address"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "a documentation address"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "a documentation address"),
    // Teredo among them, which has an IPv4 address inside.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "a reserved address"),
];

/// The operator's word on where the registry may go besides the public internet.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Vec<IpNet>);

impl Allowed {
    /// Those networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether the operator has named none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the operator has named a network that it is in. An IPv4 address is the same written as IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// What the address is that keeps the registry from going there; `None` when it may.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        if self.contains(address) { None } else { special(address) }
    }
}

fn special(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let holds = |base: [u8; 4], length| Ipv4Net::new_assert(base.into(), length).contains(&address);
    V4.iter().find(|(base, length, _)| holds(*base, *length)).map(|(_, _, what)| *what)
}

/// What is neither listed nor global unicast (2000::/3) is not the public internet either. Translators' addresses are
/// what they translate to.
fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let holds = |base: [u16; 8], length| Ipv6Net::new_assert(base.into(), length).contains(&address);
    if let Some((_, _, what)) = V6.iter().find(|(base, length, _)| holds(*base, *length)) {
        return Some(what);
    }
    let parts = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match parts {
        // RFC 6052, RFC 3056
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => special_v4(v4(high, low)),
        [first, ..] if first & 0xe000 == 0x2000 => None,
        _ => Some("a reserved address"),
    }
}

#[cfg(test)]
mod tests;
