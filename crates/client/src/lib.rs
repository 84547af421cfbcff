//! What goes out over HTTP: to identity providers and other addresses that people configure ([`outgoing`]), and to a
//! person's own server ([`server`]).
//!
//! Nothing here decides what a token of somebody else's is good for: it says whether it is what it claims to be.

pub mod outgoing;
pub mod server;

pub use wharf_api::Secret;
