//! The page size `n` of tag lists and catalogs (distribution-spec §Listing Tags).

use crate::digest::shorten;

/// A page size that is no whole number.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("page size n=\"{0}\" is not valid: expected a whole number, 0 or more")]
pub struct PageSizeError(String);

/// Reads query parameter `n`, in entries. Absent is `None`; numbers beyond `u64` are its largest:
/// the server clamps what is large, as erroring breaks user interfaces (Joxit/docker-registry-ui#306).
pub fn parse_n(text: Option<&str>) -> Result<Option<u64>, PageSizeError> {
    let Some(text) = text else { return Ok(None) };
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PageSizeError(shorten(text)));
    }
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests;
