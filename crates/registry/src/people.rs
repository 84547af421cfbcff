//! People at a browser: how they sign in, by password or by a provider, what keeps them signed in there, and devices
//! that they let sign in as them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, Secret};

mod device;
mod name;
mod provider;
mod session;

pub(crate) use session::{BROWSER, client_name};

pub use device::{DeviceStarted, WaitingDevice};
pub use provider::{Callback, ProviderChoice, SignedIn};

/// 256 bits that nobody guesses, as text.
fn unguessable() -> Result<Secret> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is stored of it. High entropy needs no slow hash.
fn hash(secret: &Secret) -> Vec<u8> {
    Sha256::digest(secret.expose().as_bytes()).to_vec()
}
