//! A token bucket as one number (GCRA, the generic cell rate algorithm of ATM Forum TM 4.0).
//!
//! The number is the moment when the bucket will be full again. Taking one request moves it by the time in which one
//! comes back; it may never lie further off than a whole window. So within any time `d` at most `requests` and those
//! that come back in `d` are let through.

use std::time::Duration;

/// The longest window: a month is what anybody bills by.
const LONGEST: Duration = Duration::from_hours(31 * 24);
/// The most requests: a thousand times what one server can answer in a second, for a window of one.
const MOST: u64 = 1_000_000_000;

/// So many requests in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rate {
    requests: u64,
    window: Duration,
}

/// What a bucket holds at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Requests that would be let through now, at once.
    pub(super) remaining: u64,
    /// Until it is full.
    pub(super) reset: Duration,
}

/// A moment on the monotonic clock, in nanoseconds.
pub(super) type Nanos = u64;

impl Rate {
    /// `None` beyond what can be counted: at least one request, at least one second, at most a month.
    pub(super) fn new(requests: u64, window: Duration) -> Option<Self> {
        let window_is_sane = (Duration::from_secs(1)..=LONGEST).contains(&window);
        (window_is_sane && (1..=MOST).contains(&requests)).then_some(Self { requests, window })
    }

    pub(super) fn requests(self) -> u64 {
        self.requests
    }

    pub(super) fn window(self) -> Duration {
        self.window
    }

    /// The time in which one request comes back; rounded up, so that never more come back than was said.
    pub(super) fn interval(self) -> Nanos {
        nanos(self.window).div_ceil(self.requests)
    }

    fn capacity(self) -> Nanos {
        self.interval() * self.requests
    }

    /// What a bucket that is full at `full_at` holds.
    pub(super) fn level(self, full_at: Nanos, now: Nanos) -> Level {
        let owed = full_at.saturating_sub(now).min(self.capacity());
        Level { remaining: (self.capacity() - owed) / self.interval(), reset: Duration::from_nanos(owed) }
    }

    /// Takes one request: when it is full then, or how long to wait until there is one to take.
    pub(super) fn take(self, full_at: Nanos, now: Nanos) -> Result<Nanos, Duration> {
        let owed = full_at.saturating_sub(now).saturating_add(self.interval());
        match owed.checked_sub(self.capacity()) {
            None | Some(0) => Ok(now + owed),
            Some(too_much) => Err(Duration::from_nanos(too_much)),
        }
    }

    /// Takes one request whether there is one or not: when it is full then. One that was not there is owed, no more.
    pub(super) fn charge(self, full_at: Nanos, now: Nanos) -> Nanos {
        let most = now.saturating_add(self.capacity() + self.interval());
        full_at.max(now).saturating_add(self.interval()).min(most)
    }
}

/// Centuries fit.
pub(super) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests;
