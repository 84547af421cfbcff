//! The registry's address as clients see it, and names of hosts.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::Item;

/// `http://` or `https://`, a host and perhaps a port; lower case, nothing after it, no default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    https: bool,
    authority: String,
}

impl PublicUrl {
    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host, with its port unless that is the scheme's own: what stands before an image's name.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host alone; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        let host = host_and_port(&self.authority).map_or(self.authority.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

impl Item for PublicUrl {
    fn kind() -> String {
        "a URL".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(format!("\"{text}\" does not start with http:// or https://")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err("names a user or password: expected scheme and host only, https://registry.example.com".into());
        }
        if rest.contains(['/', '?', '#']) {
            return Err(format!(
                "\"{text}\" has a path, query or fragment: clients ask below /v2/ of the host, so only scheme and host can be given"
            ));
        }
        let (host, port) = host_and_port(rest)
            .filter(|(host, port)| is_host(host) && *port != Some(0))
            .ok_or_else(|| format!("\"{text}\" has no valid host: expected https://registry.example.com"))?;
        let host = host.to_ascii_lowercase();
        let default_port = if https { 443 } else { 80 };
        let authority = match port.filter(|port| *port != default_port) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self { https, authority })
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A host name or an IP address (without brackets), lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Item for HostName {
    fn kind() -> String {
        "a host name or an IP address".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        // Certificates may speak for all names below one.
        let name = text.strip_prefix("*.").unwrap_or(text);
        let legal = is_host_name(name) || text.parse::<IpAddr>().is_ok();
        if legal {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(format!("\"{text}\" is neither a host name nor an IP address: expected it without scheme and port"))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port` taken apart; the host is not checked and keeps its brackets.
pub(super) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = text[after_brackets..].find(':').map(|at| at + after_brackets) else {
        return Some((text, None));
    };
    let port = &text[colon + 1..];
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if digits { Some((&text[..colon], Some(port.parse().ok()?))) } else { None }
}

fn is_host(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    v6.map_or_else(|| is_host_name(host), |v6| v6.parse::<Ipv6Addr>().is_ok())
}

/// RFC 1123 §2.1, and the underscore, which container networks put into names. IPv4 addresses have this form, and what
/// has only digits and dots must be one.
pub(super) fn is_host_name(host: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_label = |label: &str| {
        let (first, last) = (label.bytes().next(), label.bytes().last());
        label.len() <= 63
            && first.is_some_and(is_word)
            && last.is_some_and(is_word)
            && label.bytes().all(|b| is_word(b) || b == b'-')
    };
    let numeric = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    host.len() <= 253 && host.split('.').all(is_label) && (!numeric || host.parse::<IpAddr>().is_ok())
}
