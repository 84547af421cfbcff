//! A clock that only a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub use wharf_registry::Clock;

/// Stands still until told to go on. Clones share their hands.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl Default for ManualClock {
    /// 15 January 2027, 08:00 UTC.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000_000)))
    }
}

impl ManualClock {
    /// Says what time it is, in milliseconds since 1970 UTC.
    pub fn set(&self, now: i64) {
        self.0.store(now, Ordering::Relaxed);
    }

    /// Lets that much time pass.
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl ManualClock {
    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed) / 1000
    }
}

impl Clock for ManualClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().unsigned_abs())
    }
}
