//! Sizes and durations: a number with its unit, printed in the largest unit that holds it whole.

use std::time::Duration;

use super::{Item, one_of};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

/// Largest first. Powers of 1024 only: `MB` means two things, so it is refused.
const SIZES: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// In milliseconds, largest first.
const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A hundred years: longer ones overflow the clocks that they are added to.
const LONGEST: u64 = 36_500 * 86_400_000;

impl ByteSize {
    /// `n` KiB.
    pub const fn kib(n: u32) -> Self {
        Self((n as u64) << 10)
    }

    /// `n` MiB.
    pub const fn mib(n: u32) -> Self {
        Self((n as u64) << 20)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl Item for ByteSize {
    const QUOTED: bool = false;

    fn kind() -> String {
        "a size, such as `4MiB` or `4194304`".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let error = || format!("\"{text}\" is not a size: expected a whole number of bytes or of {}", units(&SIZES));
        let (number, unit) = split(text).ok_or_else(error)?;
        let scale = if unit.is_empty() { 1 } else { scale(&SIZES, unit).ok_or_else(error)? };
        // i64: what databases and file offsets hold.
        let bytes = number.checked_mul(scale).filter(|bytes| i64::try_from(*bytes).is_ok());
        bytes.map(Self).ok_or_else(|| format!("\"{text}\" is too large: at most 8388607TiB"))
    }

    fn show(&self) -> String {
        show(self.0, &SIZES, "B")
    }
}

impl Item for Duration {
    fn kind() -> String {
        "a duration, such as `30s` or `24h`".into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let error = || format!("\"{text}\" is not a duration: expected a whole number of {}", units(&TIMES));
        let (number, unit) = split(text).ok_or_else(error)?;
        let scale = scale(&TIMES, unit).ok_or_else(error)?;
        let millis = number.checked_mul(scale).filter(|millis| *millis <= LONGEST);
        millis.map(Self::from_millis).ok_or_else(|| format!("\"{text}\" is too long: at most 36500d"))
    }

    fn show(&self) -> String {
        show(u64::try_from(self.as_millis()).unwrap_or(LONGEST), &TIMES, "s")
    }
}

/// The number and its unit, between which there may be a space.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

fn scale(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, scale)| *scale)
}

fn show(number: u64, units: &[(&str, u64)], of_zero: &str) -> String {
    let whole = units.iter().find(|(_, scale)| number != 0 && number.is_multiple_of(*scale));
    whole.map_or_else(|| format!("{number}{of_zero}"), |(name, scale)| format!("{}{name}", number / scale))
}

fn units(units: &[(&str, u64)]) -> String {
    one_of(&units.iter().rev().map(|(name, _)| *name).collect::<Vec<_>>(), "")
}
