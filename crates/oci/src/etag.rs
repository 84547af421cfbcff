//! A manifest's or blob's ETag is its digest.

use crate::Digest;

/// Whether an `If-None-Match` or `If-Match` header names `digest`: quoted, unquoted, weak, in a list, or `*`.
///
/// Unquoted digests are outside RFC 9110 §8.8.3, and clients of distribution/distribution send them.
pub fn if_none_match(header: &str, digest: &Digest) -> bool {
    header.split(',').map(str::trim).any(|tag| tag == "*" || opaque(tag) == digest.as_str())
}

fn opaque(tag: &str) -> &str {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(tag)
}

#[cfg(test)]
mod tests;
