use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, Result};

/// A text that must not reach a log, an error or a process list: it cannot be printed, only exposed by name.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes `text` into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Say at the call why it has to leave.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is anything to keep.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// 256 bits that nobody guesses, as text.
    pub(crate) fn unguessable() -> Result<Self> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?)))
    }

    /// What is stored of it. High entropy needs no slow hash.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// Takes the same time wherever two secrets differ.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Bytes that nobody guesses.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// So many ASCII characters of `alphabet`, each as likely as any other.
pub(crate) fn draw<const N: usize>(alphabet: &[u8; N], length: usize) -> Result<String> {
    const { assert!(0 < N && N <= 256, "a byte draws one of them") };
    let mut drawn = String::with_capacity(length);
    while drawn.len() < length {
        // Up to the greatest multiple of their number: beyond it the first ones would be likelier.
        let fair = random::<32>()?.into_iter().map(usize::from).filter(|byte| *byte < 256 - 256 % N);
        drawn.extend(fair.map(|byte| char::from(alphabet[byte % N])).take(length - drawn.len()));
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_drawn_about_as_often() {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let drawn = draw(ALPHABET, 62 * 1000).unwrap();
        assert_eq!(drawn.len(), 62 * 1000);
        for letter in ALPHABET {
            let times = drawn.bytes().filter(|byte| byte == letter).count();
            // 1000 ± 31; without the rejection the first eight would come 1,210 times.
            assert!((830..1170).contains(&times), "{}: {times}", char::from(*letter));
        }
    }
}
