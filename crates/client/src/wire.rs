//! Talking to one server that a person named: what [`crate::server`] and [`crate::registry`] have in common.
//!
//! A request is repeated where that does no harm; a secret goes to that server and to the token endpoint it names, and
//! never from TLS to where it could be read on the way; what a server says is read for people before they see it.

mod address;
mod error;
mod failures;
mod refusal;
mod token;
mod transport;

pub use address::Address;
pub use error::{Error, Refusal};
pub(crate) use error::{causes, to_sign_in};
pub(crate) use failures::Failures;
pub(crate) use refusal::read as read_refusal;
pub use token::{AccessToken, Credential, Door};
pub(crate) use token::{Asking, CLIENT, Way, challenges, issued};
pub(crate) use transport::{Again, Failed, Form, Got, Reply, Transport, is_passing, jitter, retry_after};
pub use transport::{Identity, Patience, Trust, Waiting, Words};
