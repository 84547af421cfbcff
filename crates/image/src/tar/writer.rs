//! Writing a tar file: the same entries give the same bytes.

use std::io::{self, ErrorKind, Read, Write};

use super::header::{BLOCK, Fields, LARGEST_LONG, LARGEST_SHORT};
use super::{Attributes, Entry, Kind, pax};

/// Fields of a header that hold names, in bytes.
const NAME_FIELD: usize = 100;
const OWNER_FIELD: usize = 31;

/// A tar file that is being written: ustar, with pax records where that has no room.
#[derive(Debug)]
pub struct Writer<W> {
    inner: W,
}

impl<W: Write> Writer<W> {
    /// Into `inner`, uncompressed.
    pub fn new(inner: W) -> Self {
        Self { inner }
    }

    /// Appends an entry with its content, of which exactly `entry.size` bytes are taken. Errors of kind
    /// [`ErrorKind::UnexpectedEof`] when it has fewer.
    pub fn append(&mut self, entry: &Entry, content: &mut dyn Read) -> io::Result<()> {
        self.inner.write_all(&head(entry))?;
        let size = entry.content();
        if io::copy(&mut content.take(size), &mut self.inner)? < size {
            let reason = format!("{} became shorter while it was read", entry.path);
            return Err(io::Error::new(ErrorKind::UnexpectedEof, reason));
        }
        self.fill(size)
    }

    /// Writes the end and gives back what all was written into.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&[0; 2 * BLOCK])?;
        Ok(self.inner)
    }

    fn fill(&mut self, size: u64) -> io::Result<()> {
        let rest = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        if rest == 0 { Ok(()) } else { self.inner.write_all(&[0; BLOCK][rest..]) }
    }
}

/// All that stands before an entry's content.
pub(crate) fn head(entry: &Entry) -> Vec<u8> {
    let mut name = entry.path.as_bytes().to_vec();
    if entry.path.is_root() {
        name.push(b'.');
    }
    if entry.kind == Kind::Directory {
        name.push(b'/');
    }
    let (kind, link, device) = match &entry.kind {
        Kind::File => (b'0', &[][..], (0, 0)),
        Kind::HardLink(path) => (b'1', path.as_bytes(), (0, 0)),
        Kind::Symlink(link) => (b'2', link.as_slice(), (0, 0)),
        Kind::Character(major, minor) => (b'3', &[][..], (*major, *minor)),
        Kind::Block(major, minor) => (b'4', &[][..], (*major, *minor)),
        Kind::Directory => (b'5', &[][..], (0, 0)),
        Kind::Fifo => (b'6', &[][..], (0, 0)),
    };
    let fields = Fields { kind, name: &name, link, size: entry.content(), device, attributes: &entry.attributes };
    [records_block(&records(&fields)), fields.to_block().to_vec()].concat()
}

/// Records with the header that announces them; nothing when there are none.
fn records_block(records: &[u8]) -> Vec<u8> {
    if records.is_empty() {
        return vec![];
    }
    let attributes = Attributes { mode: 0o644, ..Attributes::default() };
    let size = records.len() as u64;
    let fields = Fields { kind: b'x', name: b"PaxHeaders", link: &[], size, device: (0, 0), attributes: &attributes };
    let mut block = [&fields.to_block()[..], records].concat();
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

/// What its header has no room for.
fn records(fields: &Fields<'_>) -> Vec<u8> {
    let attributes = fields.attributes;
    let mut records = Vec::new();
    let mut text = |key: &str, value: &[u8], room: usize| {
        // A name in other letters than ASCII says here that it is UTF-8 (or raw bytes, where it is not).
        if value.len() > room || !value.is_ascii() {
            pax::write(&mut records, key, value);
        }
    };
    text("path", fields.name, NAME_FIELD);
    text("linkpath", fields.link, NAME_FIELD);
    text("uname", &attributes.user, OWNER_FIELD);
    text("gname", &attributes.group, OWNER_FIELD);
    let mut number = |key: &str, value: u64, largest: u64| {
        if value > largest {
            pax::write(&mut records, key, value.to_string().as_bytes());
        }
    };
    number("uid", attributes.uid, LARGEST_SHORT);
    number("gid", attributes.gid, LARGEST_SHORT);
    number("size", fields.size, LARGEST_LONG);
    let is_fraction = attributes.records.iter().any(|(key, _)| key == "mtime");
    let fits = u64::try_from(attributes.modified).is_ok_and(|time| time <= LARGEST_LONG);
    if !is_fraction && !fits {
        pax::write(&mut records, "mtime", attributes.modified.to_string().as_bytes());
    }
    for (key, value) in &attributes.records {
        pax::write(&mut records, key, value);
    }
    records
}
