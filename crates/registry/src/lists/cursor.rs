//! Where a walk goes on, in a client's hands. The place is the name of a repository that its holder may not know of: it
//! is sealed, and as long for a short name as for a long one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::secret::random;
use crate::{Error, Result};

/// What no repository's name begins with.
const MARK: char = '~';
/// Bytes of the longest name.
const LONGEST: usize = 255;

pub(crate) struct Cursors(LessSafeKey);

impl Cursors {
    /// With a key derived from a secret of the registry's, so that a restart ends no walk.
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    pub(crate) fn seal(&self, name: &str) -> Result<String> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut text = name.as_bytes().to_vec();
        // No name has a zero byte.
        text.resize(text.len().max(LONGEST), 0);
        let sealed = self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text);
        sealed.map_err(|error| Error::Internal(format!("a cursor: {error}")))?;
        Ok(format!("{MARK}{}", BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &text].concat())))
    }

    /// Behind which name a list goes on: behind `text`, or where a walk ended of which `text` is the cursor. `field` is
    /// where it stands in the request.
    pub(crate) fn place(&self, field: &'static str, text: &str) -> Result<String> {
        if !text.starts_with(MARK) {
            return Ok(text.to_owned());
        }
        self.opened(text).ok_or_else(|| Error::Invalid {
            field,
            message: "this is no place where a page of this registry ended: begin the list anew".into(),
        })
    }

    fn opened(&self, cursor: &str) -> Option<String> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor.strip_prefix(MARK)?).ok()?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let (nonce, mut text) = (Nonce::try_assume_unique_for_key(nonce).ok()?, text.to_vec());
        let name = self.0.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
        Some(String::from_utf8(name.to_vec()).ok()?.trim_end_matches('\0').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_tells_nothing_but_to_who_made_it() {
        let (ours, theirs) = (Cursors::new(&[1; 32]).unwrap(), Cursors::new(&[2; 32]).unwrap());
        let (short, long) = (ours.seal("a/b").unwrap(), ours.seal(&"x".repeat(LONGEST)).unwrap());
        assert_eq!(short.len(), long.len());
        assert!(long.len() <= 512, "as long as the admin API takes");
        assert_ne!(short, ours.seal("a/b").unwrap(), "where two walks ended is not seen to be the same");
        assert_eq!(ours.place("last", &short).unwrap(), "a/b");
        assert_eq!(ours.place("last", &long).unwrap(), "x".repeat(LONGEST));
        let changed = short.replace(&short[9..10], if &short[9..10] == "A" { "B" } else { "A" });
        for bad in [theirs.seal("a/b").unwrap().as_str(), &changed, &short[..40], "~", "~AAAA", "~é"] {
            let refused = ours.place("last", bad).unwrap_err();
            assert!(matches!(refused, Error::Invalid { field: "last", .. }), "{bad}: {refused}");
        }
    }
}
