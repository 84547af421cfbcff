//! The rules of the house that clippy cannot see.

mod directions;
mod sizes;
