//! The rules of the house that clippy cannot see.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects bluntly")]

mod directions;
mod sizes;
