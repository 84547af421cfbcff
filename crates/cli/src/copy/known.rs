//! What layers became when they were compressed before: the next push of one asks for that, and need not compress it.
//!
//! It can only save work. Whoever pulls compares what is there with the image's configuration, which names the content.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wharf_image::compress::Compression;
use wharf_oci::{Descriptor, Digest};

/// A folder with a file for each layer, if there is a place for one.
pub(super) struct Known(Option<PathBuf>);

#[derive(Serialize, Deserialize)]
struct Entry {
    digest: String,
    size: u64,
}

impl Known {
    /// In this folder for what may be deleted.
    pub(super) fn new(cache: Option<PathBuf>) -> Self {
        Self(cache.map(|folder| folder.join("layers")))
    }

    /// What a layer with this content became; of type `media_type`.
    pub(super) fn get(&self, diff_id: &Digest, compression: Compression, media_type: &str) -> Option<Descriptor> {
        let bytes = std::fs::read(self.file(diff_id, compression)?).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        Some(Descriptor::new(media_type, entry.digest.parse().ok()?, entry.size))
    }

    /// Keeps it. That it cannot be kept costs time later, and nothing else.
    pub(super) fn keep(&self, diff_id: &Digest, compression: Compression, became: &Descriptor) {
        let Some(file) = self.file(diff_id, compression) else { return };
        let entry = Entry { digest: became.digest.to_string(), size: became.size };
        let Ok(bytes) = serde_json::to_vec(&entry) else { return };
        // A file that was half written is not read as an entry.
        drop(file.parent().map(std::fs::create_dir_all));
        drop(std::fs::write(file, bytes));
    }

    fn file(&self, diff_id: &Digest, compression: Compression) -> Option<PathBuf> {
        let how = match compression {
            Compression::None => return None,
            Compression::Gzip { level } => format!("gzip-{level}"),
            Compression::Zstd { level } => format!("zstd-{level}"),
        };
        Some(self.0.as_ref()?.join(format!("{}-{}.{how}", diff_id.algorithm(), diff_id.hex())))
    }
}

#[cfg(test)]
mod tests;
