//! The PROXY protocol header (haproxy's proxy-protocol.txt), v1 and v2: read whole or refused, never guessed.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// v1 is at most this long, line end included (proxy-protocol.txt §2.1).
const V1_LONGEST: usize = 107;
/// v2 may say 64 KiB; what balancers send with all their extras stays far below this.
const LONGEST: usize = 4096;
const V1_PREFIX: &[u8] = b"PROXY ";
const V2_FIXED: usize = 16;

/// What a PROXY header told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The connection was made for this client.
    Client(SocketAddr),
    /// The proxy speaks for itself (LOCAL), or does not know (UNKNOWN): the socket's own address counts.
    Proxy,
}

/// Why there is no usable PROXY header.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    #[error("no PROXY header: expected one, because this peer is a trusted proxy and proxy_protocol is on")]
    Missing,
    #[error("PROXY header is longer than {LONGEST} bytes")]
    TooLong,
    #[error("PROXY header cannot be read: {0}")]
    Malformed(String),
    #[error("connection ended in the PROXY header")]
    Io(#[from] io::Error),
}

/// Reads the header from the start of `stream`; what was read beyond it stays in `buffer`.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut BytesMut) -> Result<Origin, ProxyError> {
    loop {
        if let Some(length) = header_length(buffer)? {
            let origin = parse(&buffer[..length])?;
            buffer.advance(length);
            return Ok(origin);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(ProxyError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// The header's whole length, `None` while more bytes are needed to tell. `ppp` takes a cut v1 address for a wrong
/// one, so it is only given whole headers.
fn header_length(bytes: &[u8]) -> Result<Option<usize>, ProxyError> {
    let prefix = ppp::v2::PROTOCOL_PREFIX;
    if bytes.starts_with(V1_PREFIX) {
        let line = &bytes[..bytes.len().min(V1_LONGEST)];
        return match line.iter().position(|&byte| byte == b'\n') {
            Some(end) => Ok(Some(end + 1)),
            None if line.len() == V1_LONGEST => Err(ProxyError::Malformed("v1 line has no end".into())),
            None => Ok(None),
        };
    }
    if bytes.starts_with(prefix) {
        if bytes.len() < V2_FIXED {
            return Ok(None);
        }
        let length = V2_FIXED + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        return match length {
            LONGEST.. => Err(ProxyError::TooLong),
            _ => Ok((bytes.len() >= length).then_some(length)),
        };
    }
    if V1_PREFIX.starts_with(bytes) || prefix.starts_with(bytes) { Ok(None) } else { Err(ProxyError::Missing) }
}

fn parse(header: &[u8]) -> Result<Origin, ProxyError> {
    let client = |ip: std::net::IpAddr, port| Origin::Client(SocketAddr::new(ip, port));
    if header.starts_with(V1_PREFIX) {
        let header = ppp::v1::Header::try_from(header).map_err(|error| ProxyError::Malformed(error.to_string()))?;
        return Ok(match header.addresses {
            ppp::v1::Addresses::Tcp4(ip) => client(ip.source_address.into(), ip.source_port),
            ppp::v1::Addresses::Tcp6(ip) => client(ip.source_address.into(), ip.source_port),
            ppp::v1::Addresses::Unknown => Origin::Proxy,
        });
    }
    let header = ppp::v2::Header::try_from(header).map_err(|error| ProxyError::Malformed(error.to_string()))?;
    Ok(match (header.command, header.addresses) {
        (ppp::v2::Command::Proxy, ppp::v2::Addresses::IPv4(ip)) => client(ip.source_address.into(), ip.source_port),
        (ppp::v2::Command::Proxy, ppp::v2::Addresses::IPv6(ip)) => client(ip.source_address.into(), ip.source_port),
        _ => Origin::Proxy,
    })
}
