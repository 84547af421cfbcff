//! Where the client thinks it is: needed for absolute URLs, of which there is one, the token realm.

use http::HeaderMap;
use http::header::HOST;
use http::request::Parts;

use crate::Options;
use crate::serve::Peer;

/// What a 401 tells clients to come back with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Realm {
    /// A token, from the endpoint at this origin.
    Token(String),
    /// Name and password, at every request: the operator has turned tokens off.
    Basic,
}

/// For the request's client.
pub(crate) fn realm(options: &Options, parts: &Parts) -> Realm {
    if options.token_auth { Realm::Token(origin(options, parts)) } else { Realm::Basic }
}

/// `scheme://host[:port]`: the configured one, else what a trusted proxy says, else the request's own scheme and
/// Host. A Host that is none is replaced, so that nothing a client sends can break out of the header it is put in.
pub(crate) fn origin(options: &Options, parts: &Parts) -> String {
    if let Some(url) = &options.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let peer = parts.extensions.get::<Peer>();
    // Of a list, the first entry: the outermost proxy wrote it.
    let forwarded = |name: &str| {
        let trusted = peer.is_some_and(|peer| peer.trusted);
        trusted.then(|| text(&parts.headers, name)).flatten().and_then(|list| list.split(',').next()).map(str::trim)
    };
    let is_tls = peer.is_some_and(|peer| peer.tls);
    let scheme = match forwarded("x-forwarded-proto") {
        Some("https") => "https",
        Some("http") => "http",
        _ if is_tls => "https",
        _ => "http",
    };
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let asked = forwarded("x-forwarded-host").or(authority).or_else(|| text(&parts.headers, HOST.as_str()));
    let host = asked.filter(|host| is_host(host)).unwrap_or("localhost");
    format!("{scheme}://{host}")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `host`, `host:port`, `[v6]:port`; nothing that means anything inside a quoted header parameter.
fn is_host(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !text.is_empty() && text.len() <= 255 && text.bytes().all(legal)
}

#[cfg(test)]
mod tests;
