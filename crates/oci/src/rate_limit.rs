//! Rate limits as headers say them (draft-ietf-httpapi-ratelimit-headers-10), and as Docker Hub does.
//!
//! Both say the same of the same request: the draft's lists hold every limit that applies, Docker's fields the one
//! that is hit first.

use std::fmt::Write as _;
use std::time::Duration;

/// The greatest integer of a structured field (RFC 9651 §3.3.1).
const GREATEST: u64 = 999_999_999_999_999;

/// One limit, and what is left of it for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// What it is called, as in `manifest-pulls/anonymous`. ASCII; what is not is left out of the header.
    pub name: String,
    /// Requests allowed in a window.
    pub quota: u64,
    /// The window.
    pub window: Duration,
    /// Requests left now.
    pub remaining: u64,
    /// Until all of them are back.
    pub reset: Duration,
}

/// The headers that tell of rate limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// `RateLimit-Policy: "name";q=100;w=60, …`
    pub policy: String,
    /// `RateLimit: "name";r=50;t=30, …`
    pub state: String,
    /// Docker's `ratelimit-limit: 100;w=60`.
    pub limit: String,
    /// Docker's `ratelimit-remaining: 50;w=60`.
    pub remaining: String,
}

impl RateLimitHeaders {
    /// Of limits that apply to one request; `None` when none does.
    pub fn of(limits: &[RateLimit]) -> Option<Self> {
        let tightest = limits.iter().min_by_key(|limit| (limit.remaining, std::cmp::Reverse(limit.reset)))?;
        let (mut policy, mut state) = (String::new(), String::new());
        for limit in limits {
            let separator = if policy.is_empty() { "" } else { ", " };
            let (name, quota, window) = (string(&limit.name), integer(limit.quota), retry_after(limit.window));
            let (remaining, reset) = (integer(limit.remaining), retry_after(limit.reset));
            // Writing to a String cannot fail.
            let _ = write!(policy, "{separator}{name};q={quota};w={window}");
            let _ = write!(state, "{separator}{name};r={remaining};t={reset}");
        }
        let window = retry_after(tightest.window);
        Some(Self {
            policy,
            state,
            limit: format!("{};w={window}", integer(tightest.quota)),
            remaining: format!("{};w={window}", integer(tightest.remaining)),
        })
    }
}

/// Whole seconds, none of them early: who comes back after that long is not turned away again.
pub fn retry_after(duration: Duration) -> u64 {
    integer(duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)))
}

fn integer(number: u64) -> u64 {
    number.min(GREATEST)
}

/// A structured field's string (RFC 9651 §3.3.3).
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars().filter(|character| matches!(character, ' '..='~')) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
