//! Images in one tar file: `oci-archive:` and `docker-archive:`, the whole perhaps compressed, layers in it too.
//!
//! Nothing is unpacked: an index of the entries is made and content is read at its offset, so that no name in an archive
//! ever becomes a path on this machine. A plain archive is read in place; one that is compressed, or comes through a pipe, is
//! first copied to a file without a name. An archive that ends before its end mark is refused, whatever it still holds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::compress::Unpacked;
use crate::error::{Error, Result};
use crate::temporary::Temporary;
use crate::verified;

mod docker;
mod docker_destination;
mod index;
mod oci;
mod oci_destination;
mod writer;

pub use docker::{DockerArchive, DockerSource};
pub use docker_destination::DockerDestination;
pub use oci::{OciArchive, OciSource};
pub use oci_destination::OciDestination;

use index::Index;

/// Longest `index.json` or `manifest.json`, in bytes.
const LONGEST_LIST: u64 = 32 << 20;

/// What reading an archive may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Where a compressed archive is unpacked to.
    pub temporary: Temporary,
    /// Bytes that an archive, or a layer in it, may unpack to.
    pub unpacked: u64,
}

impl Limits {
    /// 64 GiB.
    pub fn usual(temporary: Temporary) -> Self {
        Self { temporary, unpacked: 64 << 30 }
    }
}

/// An archive whose entries are known.
fn open(path: &Path, limits: &Limits) -> Result<Index> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if metadata.is_dir() {
        let reason = "it is a folder".to_owned();
        return Err(Error::NotA { path: path.to_owned(), expected: "an archive", reason });
    }
    let damaged =
        |error: std::io::Error| Error::Damaged { place: path.display().to_string(), reason: error.to_string() };
    let again = file.try_clone().map_err(Error::io("open", path))?;
    let mut content = Unpacked::new(file, limits.unpacked).map_err(damaged)?;
    let plain =
        if metadata.is_file() && !content.was_compressed() { again } else { spool(&mut content, path, limits)? };
    Index::new(plain, path)
}

fn spool(content: &mut dyn Read, path: &Path, limits: &Limits) -> Result<File> {
    let mut file = limits.temporary.file()?;
    verified::copy_all(content, &mut file, limits.temporary.path()).map_err(|error| match error {
        Error::Incoming(source) => Error::Damaged { place: path.display().to_string(), reason: source.to_string() },
        other => other,
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests;
