//! What a backend must do, stated once and run against each.

pub mod blob;
