//! Tar files as layers have them: read without trust, written the same way each time.
//!
//! A path that exists here is relative and leads nowhere but down. What two readers could take for two different trees is
//! refused: records that contradict their length, two long names for one entry, sparse maps. Where formats leave a choice,
//! it is made as Go's `archive/tar` makes it, since that is what docker and podman unpack with.

use crate::error::Error;

mod header;
mod path;
mod pax;
mod reader;
mod writer;

pub use path::TreePath;
pub(crate) use path::shown;
pub use reader::Reader;
pub use writer::Writer;
pub(crate) use writer::head;

/// One entry, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is to be.
    pub path: TreePath,
    /// What it is to be.
    pub kind: Kind,
    /// Bytes of content; 0 for all but files.
    pub size: u64,
    /// All else that is known of it.
    pub attributes: Attributes,
}

/// What an entry makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link, and what it says, which may be anything.
    Symlink(Vec<u8>),
    /// Another name of a file that comes before.
    HardLink(TreePath),
    /// A character device: major, minor.
    Character(u32, u32),
    /// A block device: major, minor.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

/// Who may do what with it, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Permissions, with the set-user, set-group and sticky bits: 0 to 0o7777.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u64,
    /// Number of the group.
    pub gid: u64,
    /// Name of the owner; may be empty.
    pub user: Vec<u8>,
    /// Name of the group; may be empty.
    pub group: Vec<u8>,
    /// Seconds since 1970.
    pub modified: i64,
    /// Records of the pax format that no field here holds, in their order: extended attributes, fractions of a second.
    pub records: Vec<(String, Vec<u8>)>,
}

/// How much is read of one tar file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of names and records, which are kept in memory.
    pub names: u64,
    /// Bytes in all, uncompressed.
    pub bytes: u64,
}

impl Limits {
    /// Of a tar file that has `compressed` bytes as it is stored. Real layers shrink to a tenth, seldom to a hundredth;
    /// gzip's bombs to a thousandth.
    pub fn of(compressed: u64) -> Self {
        const ANYHOW: u64 = 8 << 30;
        const MOST_TIMES: u64 = 200;
        Self { entries: 2_000_000, names: 512 << 20, bytes: compressed.saturating_mul(MOST_TIMES).max(ANYHOW) }
    }
}

impl Entry {
    /// Bytes of content: only files have some.
    fn content(&self) -> u64 {
        if self.kind == Kind::File { self.size } else { 0 }
    }

    /// A file of `size` bytes that everybody may read.
    pub fn file(path: TreePath, size: u64) -> Self {
        Self { path, kind: Kind::File, size, attributes: Attributes { mode: 0o644, ..Attributes::default() } }
    }

    /// A folder that everybody may look into.
    pub fn directory(path: TreePath) -> Self {
        Self { path, kind: Kind::Directory, size: 0, attributes: Attributes { mode: 0o755, ..Attributes::default() } }
    }
}

fn damaged(place: &str, reason: impl Into<String>) -> Error {
    Error::Damaged { place: place.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests;
