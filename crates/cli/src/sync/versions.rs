//! Ranges of versions, in the words that skopeo's lists have (Masterminds/semver): `>= 1.2, < 2`, `^1.4 || ~2.3`, `1.x`,
//! `1.2 - 1.4`. Tags are read leniently, `v1.2` is 1.2.0; a tag that is no version is in no range.

use semver::{BuildMetadata, Prerelease, Version};

/// Alternatives, of each of which everything must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range(Vec<Vec<Bound>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Bound {
    AtLeast(Version),
    Above(Version),
    Below(Version),
    AtMost(Version),
    Not(Box<Range>),
}

/// A version of which not all need be said.
struct Part {
    numbers: Vec<u64>,
    pre: Prerelease,
}

impl std::str::FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no range of versions, as in '>= 1.2, < 2', '^1.4' or '1.2 - 1.4'");
        text.split("||").map(|all| bounds(all).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }
}

impl Range {
    /// Whether the tag is a version in it. What comes before a release counts only where the range names such.
    pub(crate) fn has(&self, tag: &str) -> bool {
        let Some(part) = part(tag).filter(|part| !part.numbers.is_empty()) else { return false };
        let version = part.lowest();
        self.0.iter().any(|all| {
            let is_meant = version.pre.is_empty() || all.iter().any(Bound::names_pre);
            is_meant && all.iter().all(|bound| bound.has(&version))
        })
    }
}

impl Bound {
    fn has(&self, version: &Version) -> bool {
        match self {
            Self::AtLeast(bound) => version >= bound,
            Self::Above(bound) => version > bound,
            Self::Below(bound) => version < bound,
            Self::AtMost(bound) => version <= bound,
            Self::Not(range) => !range.0.iter().any(|all| all.iter().all(|bound| bound.has(version))),
        }
    }

    fn names_pre(&self) -> bool {
        match self {
            Self::AtLeast(bound) | Self::Above(bound) | Self::Below(bound) | Self::AtMost(bound) => {
                !bound.pre.is_empty()
            }
            Self::Not(_) => false,
        }
    }
}

impl Part {
    fn number(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or(0)
    }

    fn lowest(&self) -> Version {
        let (major, minor, patch) = (self.number(0), self.number(1), self.number(2));
        Version { major, minor, patch, pre: self.pre.clone(), build: BuildMetadata::EMPTY }
    }

    /// The first version after all that begin with its first `kept` numbers; `None` if that is all versions.
    fn after(&self, kept: usize) -> Option<Version> {
        match kept.min(self.numbers.len()) {
            0 => None,
            1 => Some(Version::new(self.number(0).saturating_add(1), 0, 0)),
            2 => Some(Version::new(self.number(0), self.number(1).saturating_add(1), 0)),
            _ => Some(Version::new(self.number(0), self.number(1), self.number(2).saturating_add(1))),
        }
    }

    /// All that begin so.
    fn same(&self) -> Vec<Bound> {
        if self.numbers.len() == 3 {
            return vec![Bound::AtLeast(self.lowest()), Bound::AtMost(self.lowest())];
        }
        self.up_to(self.numbers.len())
    }

    fn up_to(&self, kept: usize) -> Vec<Bound> {
        let end = self.after(kept).map(Bound::Below);
        [Bound::AtLeast(self.lowest())].into_iter().chain(end).collect()
    }
}

/// `1`, `v1.2`, `1.2.x`, `1.2.3-rc.1+build`; `*` has no number.
fn part(text: &str) -> Option<Part> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split_once('+').map_or(text, |(version, _)| version);
    let (version, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = vec![];
    let mut is_open = false;
    for word in version.split('.') {
        if matches!(word, "*" | "x" | "X") {
            is_open = true;
        } else if is_open || word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        } else {
            numbers.push(word.parse().ok()?);
        }
    }
    (numbers.len() <= 3).then_some(Part { numbers, pre: Prerelease::new(pre).ok()? })
}

fn bounds(all: &str) -> Option<Vec<Bound>> {
    if let Some((low, high)) = all.split_once(" - ") {
        let (low, high) = (part(low.trim())?, part(high.trim())?);
        let end =
            if high.numbers.len() == 3 { Some(Bound::AtMost(high.lowest())) } else { high.after(3).map(Bound::Below) };
        return Some([Bound::AtLeast(low.lowest())].into_iter().chain(end).collect());
    }
    // `>= 1.2` is one word, and so is `>=1.2`.
    let mut joined = String::new();
    for word in all.split([',', ' ']).filter(|word| !word.is_empty()) {
        joined.push_str(word);
        if word.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '*') {
            joined.push(' ');
        }
    }
    let words: Vec<&str> = joined.split_ascii_whitespace().collect();
    if words.is_empty() {
        return None;
    }
    words.into_iter().map(bound).collect::<Option<Vec<_>>>().map(|bounds| bounds.into_iter().flatten().collect())
}

fn bound(word: &str) -> Option<Vec<Bound>> {
    let start = word.find(|c: char| !"=<>!~^".contains(c))?;
    let (sign, rest) = word.split_at(start);
    let part = part(rest)?;
    let all = part.numbers.len();
    Some(match sign {
        "" | "=" => part.same(),
        "!=" => vec![Bound::Not(Box::new(Range(vec![part.same()])))],
        ">=" | "=>" => vec![Bound::AtLeast(part.lowest())],
        "<" => vec![Bound::Below(part.lowest())],
        // `> 1.2` is above all of 1.2, `<= 1.2` has all of it.
        ">" if all == 3 => vec![Bound::Above(part.lowest())],
        ">" => vec![Bound::AtLeast(part.after(all)?)],
        "<=" | "=<" if all == 3 => vec![Bound::AtMost(part.lowest())],
        "<=" | "=<" => part.after(all).map(Bound::Below).into_iter().collect(),
        "~" | "~>" => part.up_to(all.min(2)),
        // What may change without breaking anybody: below 1.0 that is less.
        "^" => {
            let first = part.numbers.iter().position(|number| *number != 0).unwrap_or(all.saturating_sub(1));
            part.up_to(first + 1)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn ranges_are_what_skopeos_lists_mean_by_them() {
        for (range, inside, outside) in [
            (">= 3.12.0", "3.12 3.12.0 v3.20.1 4", "3.11.9 latest 3.13.0-rc1 edge"),
            (">=1.2, <2", "1.2.0 1.9.9 1.2", "2.0.0 1.1.9 2"),
            (">= 1.2 < 2", "1.5", "2.0.1"),
            ("^1.4 || ~2.3", "1.4.0 1.9 2.3.9", "2.4.0 1.3.9 3"),
            ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
            ("~1", "1.0 1.9", "2.0"),
            ("1.2.x", "1.2.0 1.2.7", "1.3.0"),
            ("1.2", "1.2.0 1.2.9", "1.3"),
            ("*", "0.0.1 9.9.9", "latest 1.0.0-rc1"),
            ("1.2 - 1.4", "1.2.0 1.4.9", "1.5.0 1.1"),
            ("1.2 - 1.4.5", "1.4.5", "1.4.6"),
            ("!= 1.2", "1.3 1.1.9", "1.2.5"),
            ("> 1.2", "1.3.0", "1.2.9 1.2"),
            ("<= 1.2", "1.2.9 1.0", "1.3.0"),
            (">= 1.0.0-rc.1", "1.0.0-rc.2 1.0.0", "1.0.0-beta"),
            ("=1.2.3", "1.2.3 v1.2.3+build", "1.2.4"),
        ] {
            let parsed: Range = range.parse().unwrap();
            inside.split(' ').for_each(|tag| assert!(parsed.has(tag), "{tag} is in {range}"));
            outside.split(' ').for_each(|tag| assert!(!parsed.has(tag), "{tag} is not in {range}"));
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "latest", ">=", "1.2.3.4", "1..2", "=>> 1", "^1 ||", "1.x.2", "99999999999999999999"] {
            text.parse::<Range>().unwrap_err();
        }
    }
}
