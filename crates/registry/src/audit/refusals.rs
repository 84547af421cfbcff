//! Every no, counted by what was asked and why not.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use wharf_meta::Millis;

use crate::access::{Action, Reason};

/// One of so many is worth a line in the log: one a second.
const SAMPLED: Millis = 1000;
const REASONS: [(Reason, &str); 4] = [
    (Reason::SignIn, "sign_in"),
    (Reason::TokenTooNarrow, "token_too_narrow"),
    (Reason::Hidden, "hidden"),
    (Reason::NoRight, "no_right"),
];

#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: [[AtomicU64; REASONS.len()]; Action::ALL.len()],
    sampled: AtomicI64,
}

/// How often something was refused for a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalCount {
    /// `pull`, `push`, …
    pub action: &'static str,
    /// `sign_in`, `token_too_narrow`, `hidden`, `no_right`
    pub reason: &'static str,
    /// So often.
    pub count: u64,
}

impl Refusals {
    pub(super) fn count(&self, action: Action, reason: Reason) {
        let nth = Action::ALL.into_iter().position(|one| one == action);
        let mth = REASONS.into_iter().position(|(one, _)| one == reason);
        if let (Some(nth), Some(mth)) = (nth, mth) {
            self.counts[nth][mth].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn is_sampled(&self, now: Millis) -> bool {
        let last = self.sampled.load(Ordering::Relaxed);
        !(last..last.saturating_add(SAMPLED)).contains(&now)
            && self.sampled.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn counts(&self) -> Vec<RefusalCount> {
        let of = |(action, counts): (Action, &[AtomicU64; REASONS.len()])| {
            let one = |((_, reason), count): (&(Reason, &'static str), &AtomicU64)| RefusalCount {
                action: action.verb(),
                reason,
                count: count.load(Ordering::Relaxed),
            };
            REASONS.iter().zip(counts).map(one).collect::<Vec<_>>()
        };
        Action::ALL.into_iter().zip(&self.counts).flat_map(of).collect()
    }
}
