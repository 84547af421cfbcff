//! The rules of the house that clippy cannot see, and the user's commands against a registry in a box.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects bluntly")]

mod commands;
mod directions;
mod sizes;
