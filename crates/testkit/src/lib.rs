//! Dev only: what the project's tests stand on.
//!
//! - [`boxed`] is a registry in a box: database, files, decisions and wire in a temporary folder, without a socket
//!   unless asked for one. It fails a test that leaves uploads or warnings behind.
//! - [`image`] makes content to push, [`clock`] a clock that a test moves.
//! - [`disk`] forgets what was not synced and notes the order of operations; [`failing`] is a store that fails,
//!   stalls or is cut where a test says so. A box takes either.
//! - [`fake_registry`] is a registry that answers wrongly on demand.
//! - [`issuer`] is an OpenID Connect provider on loopback, with real keys and bad manners.
//! - [`contract`] says what every backend must do, once, to be run against each.
//!
//! Nothing here needs a network or an installed program.

pub mod boxed;
pub mod clock;
pub mod contract;
pub mod disk;
pub mod failing;
pub mod fake_registry;
pub mod image;
pub mod issuer;

pub use boxed::Boxed;
