//! What the manifests of one image may cost: they are held in memory, and whoever made them chose how many there are.

use wharf_image::Stored;

use crate::{Error, Result};

/// Manifests of one image, with all that refers to it. An index has dozens.
const MOST_MANIFESTS: usize = 10_000;
/// Bytes of all of them: hundreds of thousands would fit, were they of the usual size.
const MOST_BYTES: u64 = 256 << 20;

/// What is left of it.
pub(crate) struct Budget {
    shown: String,
    manifests: usize,
    bytes: u64,
}

impl Budget {
    /// For an image as people call it.
    pub(crate) fn new(shown: &str) -> Self {
        Self { shown: shown.into(), manifests: MOST_MANIFESTS, bytes: MOST_BYTES }
    }

    /// Takes one that was read off. Fails when that was too much.
    pub(crate) fn spend(&mut self, stored: &Stored) -> Result<()> {
        let left = self.manifests.checked_sub(1).zip(self.bytes.checked_sub(stored.size()));
        let Some((manifests, bytes)) = left else {
            let shown = &self.shown;
            let said = format!(
                "{shown} has more than {MOST_MANIFESTS} manifests, or more than {} MiB of them",
                MOST_BYTES >> 20
            );
            return Err(Error::Failed(said));
        };
        (self.manifests, self.bytes) = (manifests, bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use wharf_oci::{Algorithm, Digest, MediaType};

    use super::*;

    fn stored(size: usize) -> Stored {
        let media_type = MediaType::parse(MediaType::OCI_MANIFEST).unwrap();
        Stored { media_type, digest: Digest::of(Algorithm::Sha256, b""), bytes: Bytes::from(vec![0; size]) }
    }

    #[test]
    fn neither_many_manifests_nor_large_ones_take_all_memory() {
        let (mut many, small) = (Budget::new("app"), stored(1));
        for _ in 0..MOST_MANIFESTS {
            many.spend(&small).unwrap();
        }
        assert!(many.spend(&small).unwrap_err().to_string().contains("app has more than 10000 manifests"));
        let (mut large, four) = (Budget::new("app"), stored(4 << 20));
        let taken = (0..100).take_while(|_| large.spend(&four).is_ok()).count();
        assert_eq!(taken, 64);
    }
}
