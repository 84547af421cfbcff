//! Byte ranges: what is asked of a blob (`Range`, RFC 9110 §14) and what an upload's chunk says it is (`Content-Range`).

use std::ops::Range;

use crate::digest::shorten;

/// The field by which a registry says, with `true`, that it keeps what came of a chunk whose request was cut: a large one
/// costs a client no more than a small one. Ours does; other registries do not say it.
pub const KEEPS_CUT_CHUNKS: &str = "wharf-keeps-cut-chunks";

/// What a `Range` header means for an object of a known size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeOutcome {
    /// Answer 200 with everything: the header is to be ignored.
    Whole,
    /// Answer 206 with these bytes; end exclusive, never empty, never past the object's end.
    Part(Range<u64>),
    /// Answer 416 with `Content-Range: bytes */size`.
    Unsatisfiable,
}

/// Reads a `Range` header for an object of `size` bytes.
///
/// Several ranges, other units and malformed ranges mean the whole object. A backward range (`500-0`) does so by
/// the RFC; the conformance suite wants 416, and that is what it gets.
pub fn parse_range(header: &str, size: u64) -> RangeOutcome {
    let Some((first, last)) = single_byte_range(header) else { return RangeOutcome::Whole };
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(_), Some(_)) => return RangeOutcome::Unsatisfiable,
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(suffix)) if first.is_empty() => size.saturating_sub(suffix)..size,
        _ => return RangeOutcome::Whole,
    };
    if part.is_empty() { RangeOutcome::Unsatisfiable } else { RangeOutcome::Part(part) }
}

/// The two sides of the dash in `bytes=a-b`.
fn single_byte_range(header: &str) -> Option<(&str, &str)> {
    let (unit, range) = header.split_once('=')?;
    if unit.trim().eq_ignore_ascii_case("bytes") { range.trim().split_once('-') } else { None }
}

/// Digits only; beyond `u64` is its largest, which is past the end of everything.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Where an upload's chunk lies in its blob, in bytes, both ends included. `end_inclusive` fits an `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset of the last byte, not before `start`.
    pub end_inclusive: u64,
}

impl ContentRange {
    /// Bytes in the chunk, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a content range is never empty")]
    pub fn len(&self) -> u64 {
        self.end_inclusive.saturating_sub(self.start).saturating_add(1)
    }
}

/// Why a `Content-Range` of an upload is not usable.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ContentRangeError {
    /// Not of an accepted form, or a number too large.
    #[error("Content-Range \"{0}\" is not valid: expected first-last, such as 0-1023")]
    Malformed(String),
    /// Ends before it starts, or past its own total.
    #[error("Content-Range \"{0}\" contradicts itself: expected first <= last < total")]
    Contradictory(String),
}

/// Reads a chunk's `Content-Range`: `a-b` (distribution-spec §Pushing a blob in chunks), and for clients that follow
/// the RFC instead `bytes a-b/*`, `bytes a-b/total` and `bytes=a-b`.
pub fn parse_content_range(header: &str) -> Result<ContentRange, ContentRangeError> {
    let malformed = || ContentRangeError::Malformed(shorten(header));
    let (range, total) = split_content_range(header.trim()).ok_or_else(malformed)?;
    let (start, end) = range.split_once('-').ok_or_else(malformed)?;
    let start = offset(start).ok_or_else(malformed)?;
    let end_inclusive = offset(end).ok_or_else(malformed)?;
    let total = match total {
        "*" => u64::MAX,
        digits => offset(digits).ok_or_else(malformed)?,
    };
    if start <= end_inclusive && end_inclusive < total {
        Ok(ContentRange { start, end_inclusive })
    } else {
        Err(ContentRangeError::Contradictory(shorten(header)))
    }
}

/// The `a-b` and the total of any accepted form.
fn split_content_range(text: &str) -> Option<(&str, &str)> {
    let unit = text.split_at_checked("bytes".len()).filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"));
    let Some((_, rest)) = unit else { return Some((text, "*")) };
    match rest.strip_prefix('=') {
        Some(range) => Some((range.trim_start(), "*")),
        None => rest.strip_prefix(' ')?.trim_start().split_once('/'),
    }
}

/// Digits that fit an `i64`: offsets are stored as such.
fn offset(text: &str) -> Option<u64> {
    number(text).filter(|number| i64::try_from(*number).is_ok())
}

#[cfg(test)]
mod tests;
