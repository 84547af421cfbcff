//! Layers compressed anew: unpacked, compared with what the image says of them, and packed again.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use wharf_image::compress::{Compression, Compressor, Summary, Unpacked};
use wharf_oci::Digest;

use crate::{Error, Result};

/// Cores that one layer is compressed on, at most: each has some 1 MiB in its hands.
const MOST_THREADS: usize = 8;
/// Bytes that a layer may unpack to: what is larger is a bomb rather than a layer.
const LARGEST: u64 = 256 << 30;

/// How a layer is compressed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    pub(crate) compression: Compression,
    /// Its digest without compression, where the image says it.
    pub(crate) diff_id: Option<Digest>,
}

/// What came of it, once all has been read.
#[derive(Clone, Default)]
pub(crate) struct Outcome(Arc<Mutex<Option<Summary>>>);

impl Packing {
    /// The same for the same bytes: compression is deterministic.
    pub(crate) fn key(&self) -> Option<String> {
        let how = match self.compression {
            Compression::None => "tar".into(),
            Compression::Gzip { level } => format!("gzip-{level}"),
            Compression::Zstd { level } => format!("zstd-{level}"),
        };
        Some(format!("{}+{how}", self.diff_id.as_ref()?))
    }

    /// A layer's content, packed.
    pub(crate) fn pack(
        &self,
        content: Box<dyn Read + Send>,
        outcome: &Outcome,
    ) -> io::Result<impl Read + Send + use<>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let packed = Compressor::new(Unpacked::new(content, LARGEST)?, self.compression, threads)?;
        Ok(Noting { packed, outcome: outcome.clone() })
    }

    /// Refuses what is not the layer that the image speaks of.
    pub(crate) fn check(&self, outcome: &Outcome) -> Result<()> {
        let summary = outcome.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (&self.diff_id, summary) {
            (Some(expected), Some(found)) if *expected != found.diff_id => Err(Error::Failed(format!(
                "a layer unpacks to {}, and its image says {expected}: it is damaged where it comes from",
                found.diff_id
            ))),
            _ => Ok(()),
        }
    }
}

/// Notes at its end what went through.
struct Noting<R: Read> {
    packed: Compressor<R>,
    outcome: Outcome,
}

impl<R: Read> Read for Noting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.packed.read(buffer)?;
        if let Some(summary) = self.packed.summary() {
            *self.outcome.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(summary);
        }
        Ok(length)
    }
}
