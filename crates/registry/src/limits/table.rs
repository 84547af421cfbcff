//! Which rates are in force: the defaults, and what an administrator has set instead.

use std::collections::BTreeMap;
use std::time::Duration;

use wharf_meta::RateRow;

use super::bucket::Rate;
use super::{Class, Per};

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);

/// What holds until somebody says otherwise. Callers with an account are known, and can be spoken to; strangers and
/// guesses are limited. Ten times as many blobs as manifests: an image has one manifest and some layers. What those who
/// signed in make is bounded by how many there may be of it, not by how fast: a script that sets up a company is no abuse.
const DEFAULTS: [(Class, Per, u64, Duration); 7] = [
    (Class::ManifestPulls, Per::Anonymous, 1000, HOUR),
    (Class::BlobPulls, Per::Anonymous, 10_000, HOUR),
    (Class::Tokens, Per::Anonymous, 3000, HOUR),
    (Class::Lists, Per::Anonymous, 3000, HOUR),
    (Class::SignIns, Per::Caller, 10, QUARTER),
    (Class::SignIns, Per::Anonymous, 30, QUARTER),
    (Class::SignIns, Per::Address, 60, QUARTER),
];

/// One limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub class: Class,
    /// Per what.
    pub per: Per,
    /// How many requests in the window; `None`: no limit.
    pub requests: Option<u64>,
    /// The window.
    pub window: Duration,
    /// Nobody has set it.
    pub is_default: bool,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    set: BTreeMap<(Class, Per), Limit>,
}

impl Table {
    /// Of the rows. One that a later version wrote and this one cannot read is as if it were not there.
    pub(super) fn of(rows: Vec<RateRow>) -> Self {
        let limit = |row: RateRow| {
            let (class, per) = (row.class.parse().ok()?, row.per.parse().ok()?);
            let window = Duration::from_secs(row.seconds);
            Some(((class, per), Limit { class, per, requests: row.requests, window, is_default: false }))
        };
        Self { set: rows.into_iter().filter_map(limit).collect() }
    }

    /// The limit in force.
    pub(super) fn limit(&self, class: Class, per: Per) -> Limit {
        self.set.get(&(class, per)).copied().unwrap_or_else(|| default(class, per))
    }

    /// The rate in force; `None`: no limit.
    pub(super) fn rate(&self, class: Class, per: Per) -> Option<Rate> {
        let limit = self.limit(class, per);
        Rate::new(limit.requests?, limit.window)
    }

    /// Every limit there can be.
    pub(super) fn all(&self) -> Vec<Limit> {
        let pairs = Class::ALL.into_iter().flat_map(|class| Per::ALL.into_iter().map(move |per| (class, per)));
        pairs.filter(|(class, per)| class.counts_per(*per)).map(|(class, per)| self.limit(class, per)).collect()
    }
}

fn default(class: Class, per: Per) -> Limit {
    let found = DEFAULTS.into_iter().find(|(of, by, ..)| (*of, *by) == (class, per));
    let (requests, window) = found.map_or((None, MINUTE), |(.., requests, window)| (Some(requests), window));
    Limit { class, per, requests, window, is_default: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(class: &str, per: &str, requests: Option<u64>) -> RateRow {
        RateRow { class: class.into(), per: per.into(), requests, seconds: 60 }
    }

    #[test]
    fn only_sign_ins_and_the_anonymous_are_limited_unless_somebody_says_so() {
        let limited = Table::default().all().into_iter().filter(|limit| limit.requests.is_some());
        for limit in limited {
            assert!(limit.class == Class::SignIns || limit.per == Per::Anonymous, "{limit:?}");
            assert!(Rate::new(limit.requests.unwrap(), limit.window).is_some());
        }
    }

    #[test]
    fn what_is_set_takes_the_place_of_the_default_and_no_limit_is_one() {
        let table = Table::of(vec![
            row("manifest-pulls", "anonymous", None),
            row("pushes", "caller", Some(7)),
            row("of-a-later-version", "caller", Some(1)),
        ]);
        assert_eq!(table.rate(Class::ManifestPulls, Per::Anonymous), None);
        assert_eq!(table.rate(Class::Pushes, Per::Caller).unwrap().requests(), 7);
        assert!(table.rate(Class::BlobPulls, Per::Anonymous).is_some());
        assert!(!table.limit(Class::ManifestPulls, Per::Anonymous).is_default);
    }

    #[test]
    fn every_limit_there_can_be_is_listed_once() {
        let all = Table::default().all();
        assert_eq!(all.len(), 23);
        assert!(!all.iter().any(|limit| limit.per == Per::Repository && limit.class == Class::Tokens));
        assert!(!all.iter().any(|limit| limit.per == Per::Anonymous && limit.class == Class::Changes));
    }
}
