//! Hashing that can stop and go on elsewhere: the state is saved with the upload's row.

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Algorithm, Digest};

/// A running digest. Cloning it is cheap (a few hundred bytes).
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

/// A saved state that no hasher of that algorithm wrote.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("saved hash state is not one of {0}")]
pub struct HasherStateError(Algorithm);

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hash) => hash.update(bytes),
            State::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of everything taken in so far; the hasher can go on.
    pub fn digest(&self) -> Digest {
        match &self.0 {
            State::Sha256(hash) => Digest::from_hash(Algorithm::Sha256, &hash.clone().finalize()),
            State::Sha512(hash) => Digest::from_hash(Algorithm::Sha512, &hash.clone().finalize()),
        }
    }

    /// The algorithm being computed.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The state as bytes that [`Hasher::restore`] takes back; 104 bytes for SHA-256.
    pub fn save(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(hash) => hash.serialize().to_vec(),
            State::Sha512(hash) => hash.serialize().to_vec(),
        }
    }

    /// Goes on from a saved state. Errors when `state` was not written by [`Hasher::save`] of the same algorithm.
    pub fn restore(algorithm: Algorithm, state: &[u8]) -> Result<Self, HasherStateError> {
        let error = || HasherStateError(algorithm);
        Ok(Self(match algorithm {
            Algorithm::Sha256 => {
                let state = SerializedState::<Sha256>::try_from(state).map_err(|_| error())?;
                State::Sha256(Sha256::deserialize(&state).map_err(|_| error())?)
            }
            Algorithm::Sha512 => {
                let state = SerializedState::<Sha512>::try_from(state).map_err(|_| error())?;
                State::Sha512(Sha512::deserialize(&state).map_err(|_| error())?)
            }
        }))
    }
}

#[cfg(test)]
mod tests;
