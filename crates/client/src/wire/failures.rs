//! Failures in a row, and which of them count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What one request is made to wait in all, while others of the same client get on.
const LONGEST_SHARING: Duration = Duration::from_mins(10);
/// What a failure counts as waiting, at least: a server may ask for no time at all.
const LEAST: Duration = Duration::from_secs(1);

/// Counts what a client got done at a server: transfers and manifests, not questions.
#[derive(Default)]
pub(crate) struct Done(AtomicU64);

impl Done {
    /// One thing more.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The failures of one request since it last got on.
#[derive(Default)]
pub(crate) struct Failures {
    count: u32,
    waited: Duration,
    done: u64,
}

impl Failures {
    /// One more; `asked` is how long the server wants to be left alone, if it says so. A server that says so and lets
    /// others of the same client on meanwhile is sharing out: this one's turn comes, and it counts as the first failure.
    pub(crate) fn add(&mut self, done: &Done, asked: Option<Duration>) {
        let done = done.0.load(Ordering::Relaxed);
        let is_sharing = asked.is_some() && done != self.done && self.waited < LONGEST_SHARING;
        self.count = if is_sharing { 1 } else { self.count + 1 };
        self.waited += asked.map_or(Duration::ZERO, |asked| asked.max(LEAST));
        self.done = done;
    }

    /// How many count.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_made_to_wait_while_others_get_on_waits_but_not_for_ever() {
        let (done, mut failures) = (Done::default(), Failures::default());
        for _ in 0..LONGEST_SHARING.as_secs() {
            done.add();
            failures.add(&done, Some(Duration::ZERO));
            assert_eq!(failures.count(), 1);
        }
        done.add();
        failures.add(&done, Some(Duration::ZERO));
        assert_eq!(failures.count(), 2);
    }

    #[test]
    fn failures_count_where_nobody_gets_on_or_nothing_was_asked() {
        let (done, mut failures) = (Done::default(), Failures::default());
        failures.add(&done, Some(LEAST));
        failures.add(&done, Some(LEAST));
        done.add();
        failures.add(&done, None);
        assert_eq!(failures.count(), 3);
    }
}
