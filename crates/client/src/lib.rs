//! What goes out: over HTTP to addresses that people configure ([`outgoing`]), to issuers of identities ([`oidc`]), to a
//! person's own server ([`server`]), to any registry ([`registry`]), as whom [`credentials`] says, to Docker's engine
//! ([`docker`]), and the audit to a log receiver ([`syslog`]).
//!
//! Nothing here decides what somebody else's token is good for: it says whether it is what it claims to be.

pub mod credentials;
pub mod docker;
pub mod oidc;
pub mod outgoing;
pub mod registry;
pub mod server;
pub mod syslog;
mod wire;

pub use wharf_api::Secret;
