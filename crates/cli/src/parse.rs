//! Words of the command line that mean more than themselves.

use std::fmt;
use std::str::FromStr;

use wharf_api::{Amount, Change, Name, NumberError, Requests, Seconds, Timestamp};

use crate::environment;

/// Something of an org's: `team/backend`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InOrg {
    pub(crate) org: Name,
    pub(crate) name: Name,
}

impl FromStr for InOrg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        split(text, '/').ok_or_else(|| "an org and a name are expected, as in team/backend".into())
    }
}

impl fmt::Display for InOrg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org, self.name)
    }
}

/// A robot: `team+ci`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Robot {
    pub(crate) org: Name,
    pub(crate) name: Name,
}

impl FromStr for Robot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let InOrg { org, name } = split(text, '+').ok_or("an org and a robot are expected, as in team+ci")?;
        Ok(Self { org, name })
    }
}

impl fmt::Display for Robot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.org, self.name)
    }
}

fn split(text: &str, at: char) -> Option<InOrg> {
    let (org, name) = text.split_once(at)?;
    Some(InOrg { org: org.parse().ok()?, name: name.parse().ok()? })
}

/// Largest last, as people say them.
const TIMES: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 7 * 86_400)];
/// Powers of 1024 only: `MB` means two things.
const SIZES: [(&str, u64); 5] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// A time span: `90d`, `12h`, `15m`, `30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        scaled(text, &TIMES, None).map(Self).ok_or_else(|| "expected a number of s, m, h, d or w, as in 90d".into())
    }
}

/// A number with a unit; `unit` is that of a bare number.
fn scaled(text: &str, units: &[(&str, u64)], bare: Option<u64>) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<u64>().ok()?, text[end..].trim());
    let named = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, scale)| *scale);
    number.checked_mul(if unit.is_empty() { bare? } else { named? })
}

/// A span that is one of the API's numbers of seconds.
pub(crate) fn seconds<T: TryFrom<u32, Error = NumberError>>(text: &str) -> Result<T, String> {
    let Span(seconds) = text.parse()?;
    // None of them goes as far as a `u32` does.
    T::try_from(u32::try_from(seconds).unwrap_or(u32::MAX))
        .map_err(|NumberError { least, most }| format!("expected a time from {} to {}", span(least), span(most)))
}

/// A moment: RFC 3339, or a span before now.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(Span(seconds)) = text.parse() {
        let ago = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
        return Ok(Timestamp::from_millis(environment::now().saturating_sub(ago.unwrap_or(i64::MAX)).max(0)));
    }
    text.parse().map_err(|_| "expected a time as in 2026-11-21T03:00:00Z, or how long ago, as in 24h".into())
}

/// A number that may be absent: `none` or `unlimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most(pub(crate) Option<Amount>);

fn most(text: &str, units: &[(&str, u64)], expected: &str) -> Result<Most, String> {
    if matches!(text, "none" | "unlimited") {
        return Ok(Most(None));
    }
    let number = scaled(text, units, Some(1)).ok_or_else(|| format!("expected {expected}, or none for no limit"))?;
    Amount::try_from(number).map(|amount| Most(Some(amount))).map_err(|error| error.to_string())
}

/// A number of bytes: `10GiB`.
pub(crate) fn most_bytes(text: &str) -> Result<Most, String> {
    most(text, &SIZES, "a number of B, KiB, MiB, GiB or TiB, as in 10GiB")
}

/// A number of things.
pub(crate) fn most_things(text: &str) -> Result<Most, String> {
    most(text, &[], "a whole number")
}

/// How often: `100/6h`, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) Option<(Requests, Seconds)>);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if matches!(text, "none" | "unlimited") {
            return Ok(Self(None));
        }
        let expected = || "expected requests and a time, as in 100/6h, or none for no limit".to_owned();
        let (requests, time) = text.split_once('/').ok_or_else(expected)?;
        // `100/h` is how people say it.
        let time = if time.starts_with(|c: char| c.is_ascii_digit()) { time.to_owned() } else { format!("1{time}") };
        let requests = requests.parse::<Requests>().map_err(|error| error.to_string())?;
        Ok(Self(Some((requests, seconds(&time)?))))
    }
}

/// A setting that is `default` when it follows that of its surroundings.
pub(crate) fn inherited<T: FromStr>(text: &str) -> Result<Change<Option<T>>, String>
where
    T::Err: fmt::Display,
{
    if text == "default" {
        return Ok(Change::To(None));
    }
    text.parse().map(|value| Change::To(Some(value))).map_err(|error| format!("{error}, or default"))
}

/// A text that is `none` when there is to be none.
pub(crate) fn or_none<T: FromStr>(text: &str) -> Result<Change<Option<T>>, String>
where
    T::Err: fmt::Display,
{
    if text == "none" {
        return Ok(Change::To(None));
    }
    text.parse().map(|value| Change::To(Some(value))).map_err(|error| format!("{error}, or none"))
}

/// `name=value`.
pub(crate) fn pair<K: FromStr, V: FromStr>(text: &str) -> Result<(K, V), String>
where
    K::Err: fmt::Display,
    V::Err: fmt::Display,
{
    let (name, value) = text.split_once('=').ok_or("expected a name and a value, as in name=value")?;
    let name = name.parse().map_err(|error| format!("{error}"))?;
    Ok((name, value.parse().map_err(|error| format!("{error}"))?))
}

/// Bytes for people: `1.5 GiB`.
pub(crate) fn human(bytes: u64) -> String {
    scaled_down(bytes, " ")
}

/// The same as one word, for columns and as commands take it: `1.5GiB`.
pub(crate) fn human_word(bytes: u64) -> String {
    scaled_down(bytes, "")
}

fn scaled_down(bytes: u64, between: &str) -> String {
    let (unit, scale) = SIZES.iter().rev().find(|(_, scale)| bytes >= *scale).copied().unwrap_or(("B", 1));
    if bytes.is_multiple_of(scale) {
        return format!("{}{between}{unit}", bytes / scale);
    }
    // One digit, rounded down: what is shown as room is there.
    format!("{}.{}{between}{unit}", bytes / scale, bytes % scale * 10 / scale)
}

/// `1 layer`, `2 layers`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Names for a sentence, the first of many.
pub(crate) fn some(names: &[String]) -> String {
    const MOST: usize = 10;
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(MOST)].join(", "))
}

/// A time span as people say it, and commands take it: `15m`.
pub(crate) fn span(seconds: u64) -> String {
    let whole = |(_, scale): &&(&str, u64)| seconds >= *scale && seconds.is_multiple_of(*scale);
    let (unit, scale) = TIMES.iter().rev().find(whole).copied().unwrap_or(("s", 1));
    format!("{}{unit}", seconds / scale)
}

/// A time span in its largest unit: `3m`.
pub(crate) fn roughly(seconds: u64) -> String {
    let (unit, scale) = TIMES.iter().rev().find(|(_, scale)| seconds >= *scale).copied().unwrap_or(("s", 1));
    format!("{}{unit}", seconds / scale)
}

/// How long before now a time was, in its largest unit: `3d`. A text that is no time stays.
pub(crate) fn ago(time: &str) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return time.into() };
    let seconds = u64::try_from(environment::now().saturating_sub(time.millis()) / 1000).unwrap_or(0);
    roughly(seconds)
}

#[cfg(test)]
mod tests;
