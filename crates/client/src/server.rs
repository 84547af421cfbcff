//! A person's own server: its admin API and its tokens.
//!
//! People say which server they mean, so nothing here keeps a request from any address: [`crate::outgoing`] is for
//! addresses that a server is told by others. A secret goes nowhere but to that server and to the token endpoint it
//! names, and never from TLS to where it could be read on the way.

mod api;
mod device;
mod error;
mod ours;
mod token;

use tokio::sync::{Mutex, OnceCell};

pub use crate::wire::{AccessToken, Address, Credential, Door, Error as WireError, Identity, Refusal, Trust};
pub use api::{Answer, Call, Lines, Pages};
pub use device::Device;
pub use error::Error;

use crate::wire::{Patience, Transport};

/// Bytes of an answer, at most: a page of the admin API has some hundred thousand.
const LARGEST: usize = 64 * 1024 * 1024;

/// A server, and who is asking.
pub struct Server {
    address: Address,
    transport: Transport,
    credential: Credential,
    /// The command that people sign in by, if it is not the usual one.
    sign_in: Option<String>,
    door: OnceCell<Door>,
    /// For the admin API.
    access: Mutex<Option<AccessToken>>,
}

impl Server {
    /// Connects to nothing yet. Fails when the certificates to trust cannot be read.
    pub fn new(address: Address, trust: &Trust) -> Result<Self, Error> {
        let transport = Transport::new(address.clone(), trust, Patience::default(), false)?;
        let (door, access) = (OnceCell::new(), Mutex::new(None));
        Ok(Self { address, transport, credential: Credential::Anonymous, sign_in: None, door, access })
    }

    /// As somebody.
    #[must_use]
    pub fn signed_in(self, credential: Credential) -> Self {
        Self { credential, access: Mutex::new(None), ..self }
    }

    /// Advising people whose sign-in does not do to sign in by this command.
    #[must_use]
    pub fn advising(self, command: String) -> Self {
        Self { sign_in: Some(command), ..self }
    }

    /// Knowing already how it wants to be asked, which saves asking.
    #[must_use]
    pub fn behind(self, door: Door) -> Self {
        Self { door: OnceCell::new_with(Some(door)), ..self }
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Who is asking.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

#[cfg(test)]
mod tests;
