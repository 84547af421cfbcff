//! Talking to one server that a person named: what [`crate::server`] and [`crate::registry`] have in common.
//!
//! A request is repeated where that does no harm; a secret goes to that server and to the token endpoint it names, and
//! never from TLS to where it could be read on the way; what a server says is read for people before they see it.

mod address;
mod error;
mod failures;
mod refusal;
mod reply;
mod token;
mod transport;
mod trust;
mod unreachable;

pub use address::Address;
pub use error::{Error, Refusal};
pub(crate) use error::{causes, to_sign_in};
pub(crate) use failures::Failures;
pub(crate) use refusal::read as read_refusal;
pub(crate) use reply::{Reply, is_passing, retry_after};
pub use token::{AccessToken, Credential, Door};
pub(crate) use token::{Asking, CLIENT, Way, challenges, issued};
pub(crate) use transport::{Again, Failed, Form, Got, Transport, jitter};
pub use transport::{Patience, Waiting};
pub use trust::{Identity, Trust, Words};
