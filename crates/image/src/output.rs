//! What a person names to write to: a file takes the place of a file, and a pipe or a device stays what it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use crate::disk::{self, Unfinished};
use crate::error::{Error, Result};
use crate::temporary::Temporary;

/// A file that is written in any order and is what somebody named only when it is whole.
#[derive(Debug)]
pub(crate) enum Output {
    /// It takes the place of a file, or of nothing.
    File { unfinished: Unfinished, path: PathBuf },
    /// It goes through a pipe or a device, which stay what they are.
    Through { spool: File, to: File },
}

impl Output {
    /// `path` may be a link to a file, and stays one. Errors when it is a folder.
    pub(crate) fn new(path: &Path, temporary: &Temporary) -> Result<Self> {
        let Ok(found) = fs::metadata(path) else { return Self::file_at(path) };
        if found.is_dir() {
            let reason = "it is a folder".to_owned();
            return Err(Error::NotA { path: path.to_owned(), expected: "a file", reason });
        }
        if found.is_file() {
            return Self::file_at(&fs::canonicalize(path).map_err(Error::io("open", path))?);
        }
        let to = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
        Ok(Self::Through { spool: temporary.file()?, to })
    }

    fn file_at(path: &Path) -> Result<Self> {
        let folder = disk::parent(path);
        disk::sweep(folder);
        Ok(Self::File { unfinished: Unfinished::new(folder)?, path: path.to_owned() })
    }

    pub(crate) fn file(&self) -> &File {
        match self {
            Self::File { unfinished, .. } => unfinished.file(),
            Self::Through { spool, .. } => spool,
        }
    }

    /// Gives the file its name, durably; or writes it all to where it goes.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::File { unfinished, path } => {
                unfinished.finish(&path)?;
                disk::sync_folder(disk::parent(&path))
            }
            Self::Through { mut spool, mut to } => {
                spool.rewind().map_err(Error::Outgoing)?;
                io::copy(&mut spool, &mut to).map(drop).map_err(Error::Outgoing)
            }
        }
    }
}
