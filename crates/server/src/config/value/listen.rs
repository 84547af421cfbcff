//! Addresses to listen on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::Item;
use super::url::{host_and_port, is_host_name};

/// An address to listen on. Port 0 takes a free one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `127.0.0.1:5000`, `[::1]:5000`
    Address(SocketAddr),
    /// `localhost:5000`: every address that the name has when the server starts.
    Name(String, u16),
    /// `:5000`: every interface, over IPv4 and, where the machine has it, IPv6.
    Any(u16),
    /// `unix:/run/wharf.sock`
    Unix(PathBuf),
}

impl Listen {
    pub(in crate::config) const LOOPBACK: Self = Self::Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000));

    fn port(&self) -> Option<u16> {
        match self {
            Self::Address(address) => Some(address.port()),
            Self::Name(_, port) | Self::Any(port) => Some(*port),
            Self::Unix(_) => None,
        }
    }

    /// Whether the two cannot both be listened on. Names are only compared as names.
    pub(in crate::config) fn overlaps(&self, other: &Self) -> bool {
        if self.port() == Some(0) || other.port() == Some(0) {
            return false;
        }
        let same_port = self.port().is_some() && self.port() == other.port();
        match (self, other) {
            (Self::Any(_), _) | (_, Self::Any(_)) => same_port,
            (Self::Address(a), Self::Address(b)) => {
                let wildcard = a.ip().is_unspecified() || b.ip().is_unspecified();
                a == b || (same_port && wildcard && a.is_ipv4() == b.is_ipv4())
            }
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Any(port) => write!(f, ":{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Item for Listen {
    fn kind() -> String {
        "an address to listen on".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        let error = || {
            format!("\"{text}\" is not an address to listen on: expected host:port, [IPv6]:port, :port or unix:/path")
        };
        let (host, port) = host_and_port(text).ok_or_else(error)?;
        let port = port.ok_or_else(error)?;
        if host.is_empty() {
            return Ok(Self::Any(port));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if is_host_name(host) { Ok(Self::Name(host.to_ascii_lowercase(), port)) } else { Err(error()) }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// sun_path has 108 bytes, one of which ends it (unix(7)).
const LONGEST_SOCKET_PATH: usize = 107;

fn unix(path: &str) -> Result<Listen, String> {
    if !path.starts_with('/') || path.contains('\0') {
        return Err(format!("\"unix:{path}\" is not a socket: expected an absolute path, unix:/run/wharf.sock"));
    }
    if path.len() > LONGEST_SOCKET_PATH {
        return Err(format!("\"unix:{path}\" is too long for a socket: at most {LONGEST_SOCKET_PATH} bytes"));
    }
    Ok(Listen::Unix(path.into()))
}
