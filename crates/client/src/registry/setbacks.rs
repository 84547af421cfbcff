//! Failures of a transfer: waited out, for as long as it moves forward between them.

use std::time::Duration;

use crate::wire::{Failures, Transport, jitter};

/// Bytes after which a transfer has moved forward.
const PROGRESS: u64 = 256 * 1024;

/// What went wrong since a transfer last moved forward.
pub(super) struct Setbacks {
    failures: Failures,
    /// How far it came. What goes back and comes again is no progress: it would never end.
    reached: u64,
    progress: u64,
}

impl Setbacks {
    /// Of a transfer in steps of at most `step` bytes.
    pub(super) fn new(step: u64) -> Self {
        Self { failures: Failures::default(), reached: 0, progress: PROGRESS.min(step) }
    }

    /// Waits after a `problem` at byte `at`, as long as the server asked for, if it did. Says whether to try again.
    pub(super) async fn wait(
        &mut self,
        transport: &Transport,
        at: u64,
        problem: &str,
        asked: Option<Duration>,
    ) -> bool {
        if at >= self.reached + self.progress {
            (self.failures, self.reached) = (Failures::default(), at);
        }
        self.failures.add(&transport.done, asked);
        let usual = transport.pause(self.failures.count());
        let wait = asked.unwrap_or(usual);
        if self.failures.count() >= transport.patience.tries || wait > transport.patience.longest_pause {
            return false;
        }
        transport.rest(problem, wait + jitter(usual)).await;
        true
    }
}
