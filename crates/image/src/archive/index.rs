//! What is in a tar file, and where. Bounded in memory whatever the headers say; every entry lies within the file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tar::{EntryType, Header, PaxExtensions};

use crate::error::{Error, Result};

const BLOCK: u64 = 512;

/// Entries of one archive; the largest image has some hundreds.
const MOST_ENTRIES: usize = 200_000;

/// Bytes of an extension header that carries a name or attributes.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// No file of an image has a longer name; entries that have are passed over.
const LONGEST_NAME: usize = 512;

/// Links to links that are followed; Docker wrote one.
const MOST_LINKS: usize = 4;

#[derive(Debug)]
enum Entry {
    File {
        offset: u64,
        size: u64,
    },
    /// To another entry, by its plain name.
    Link(String),
    /// Its bytes are not as they lie there.
    Sparse,
    /// Two entries of one name: readers differ in which one counts.
    Twice,
}

/// The entries of a tar file by their plain names.
#[derive(Debug)]
pub(super) struct Index {
    file: Arc<File>,
    path: PathBuf,
    entries: HashMap<String, Entry>,
}

/// A part of a file, read without moving anybody else's position.
#[derive(Debug)]
pub(super) struct Section {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Section {
    pub(super) fn len(&self) -> u64 {
        self.left
    }
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let read = self.file.read_at(&mut buf[..length], self.offset)?;
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Index {
    pub(super) fn new(file: File, path: &Path) -> Result<Self> {
        let length = file.metadata().map_err(Error::io("look at", path))?.len();
        let mut walk = Walk { file: &file, length, path, at: 0, next: Extensions::default() };
        let mut entries = HashMap::new();
        let mut count = 0;
        while let Some(found) = walk.entry()? {
            count += 1;
            if count > MOST_ENTRIES {
                let reason = format!("it has more than {MOST_ENTRIES} entries");
                return Err(Error::TooLarge { place: path.display().to_string(), reason });
            }
            if let Some((name, entry)) = found {
                entries.entry(name).and_modify(|old| *old = Entry::Twice).or_insert(entry);
            }
        }
        Ok(Self { file: Arc::new(file), path: path.to_owned(), entries })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// An entry, as messages name it.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}: entry {name}", self.path.display())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        plain(name).is_some_and(|name| self.entries.contains_key(&name))
    }

    /// The content of an entry, through links. `None`: there is no such entry.
    pub(super) fn open(&self, name: &str) -> Result<Option<Section>> {
        let damaged = |reason: &str| Error::Damaged { place: self.place(name), reason: reason.to_owned() };
        let mut at = plain(name).ok_or_else(|| damaged("its name leads out of the archive"))?;
        for _ in 0..=MOST_LINKS {
            match self.entries.get(&at) {
                None if at == *name || plain(name).as_ref() == Some(&at) => return Ok(None),
                None => return Err(damaged(&format!("it is a link to {at}, which is not there"))),
                Some(Entry::File { offset, size }) => {
                    return Ok(Some(Section { file: Arc::clone(&self.file), offset: *offset, left: *size }));
                }
                Some(Entry::Link(to)) => at.clone_from(to),
                Some(Entry::Sparse) => return Err(damaged("it is a sparse file; make the archive without --sparse")),
                Some(Entry::Twice) => return Err(damaged("two entries have this name")),
            }
        }
        Err(damaged("it is a link to a link, and so on"))
    }

    /// All of a small entry.
    pub(super) fn read(&self, name: &str, longest: u64) -> Result<Option<Vec<u8>>> {
        let Some(mut section) = self.open(name)? else { return Ok(None) };
        if section.len() > longest {
            let reason = format!("{} bytes, of at most {longest}", section.len());
            return Err(Error::TooLarge { place: self.place(name), reason });
        }
        let expected = section.len();
        let mut bytes = Vec::new();
        section.read_to_end(&mut bytes).map_err(Error::io("read", &self.path))?;
        if bytes.len() as u64 != expected {
            let reason = "the archive became shorter while it was read".to_owned();
            return Err(Error::Damaged { place: self.place(name), reason });
        }
        Ok(Some(bytes))
    }
}

/// A name without `./`, `//` and the like; `None` where it leads out, or is no text.
fn plain(name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let name = parts.join("/");
    (!name.is_empty() && name.len() <= LONGEST_NAME).then_some(name)
}

/// What extension headers say of the entry after them.
#[derive(Debug, Default)]
struct Extensions {
    gnu_name: Option<Vec<u8>>,
    gnu_link: Option<Vec<u8>>,
    pax_name: Option<Vec<u8>>,
    pax_link: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

struct Walk<'a> {
    file: &'a File,
    length: u64,
    path: &'a Path,
    at: u64,
    next: Extensions,
}

/// A name and what it stands for, unless it is of no interest here.
type Found = Option<(String, Entry)>;

impl Walk<'_> {
    fn damaged(&self, reason: impl Into<String>) -> Error {
        let place = format!("{} at byte {}", self.path.display(), self.at);
        Error::Damaged { place, reason: reason.into() }
    }

    fn cut(&self) -> Error {
        self.damaged("the archive is cut off here; fetch or make it again")
    }

    /// The next entry; `None` at the end mark.
    fn entry(&mut self) -> Result<Option<Found>> {
        let block = self.block()?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block);
        let sum: u32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                // Its own eight bytes count as spaces (POSIX, pax, ustar Interchange Format).
                if (148..156).contains(&at) { 32 } else { u32::from(*byte) }
            })
            .sum();
        if header.cksum().ok() != Some(sum) {
            return Err(self.damaged("this is no tar header: its checksum is wrong"));
        }
        let size = header.entry_size().map_err(|error| self.damaged(error.to_string()))?;
        self.at += BLOCK;
        match header.entry_type() {
            EntryType::GNULongName => self.next.gnu_name = Some(self.text(size)?),
            EntryType::GNULongLink => self.next.gnu_link = Some(self.text(size)?),
            EntryType::XHeader => self.pax(size)?,
            EntryType::XGlobalHeader => self.skip(size)?,
            kind => return self.content(header, kind, size).map(Some),
        }
        Ok(Some(None))
    }

    fn block(&self) -> Result<[u8; 512]> {
        let mut block = [0; 512];
        match self.file.read_exact_at(&mut block, self.at) {
            Ok(()) => Ok(block),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.cut()),
            Err(error) => Err(Error::io("read", self.path)(error)),
        }
    }

    /// Over content and its padding.
    fn skip(&mut self, size: u64) -> Result<()> {
        let end = size.checked_next_multiple_of(BLOCK).and_then(|size| self.at.checked_add(size));
        match end.filter(|end| *end <= self.length) {
            Some(end) => self.at = end,
            None => return Err(self.cut()),
        }
        Ok(())
    }

    /// The content of an extension header.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > LONGEST_EXTENSION {
            return Err(self.damaged(format!("an extension header has {size} bytes, of at most {LONGEST_EXTENSION}")));
        }
        let start = self.at;
        self.skip(size)?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        self.file.read_exact_at(&mut bytes, start).map_err(Error::io("read", self.path))?;
        Ok(bytes)
    }

    fn text(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut text = self.extension(size)?;
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        text.truncate(end);
        Ok(text)
    }

    fn pax(&mut self, size: u64) -> Result<()> {
        let bytes = self.extension(size)?;
        for record in PaxExtensions::new(&bytes) {
            let record = record.map_err(|error| self.damaged(error.to_string()))?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.next.pax_name = Some(value.to_vec()),
                b"linkpath" => self.next.pax_link = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.next.size = Some(size.ok_or_else(|| self.damaged("an extension header's size is no number"))?);
                }
                key if key.starts_with(b"GNU.sparse.") => self.next.is_sparse = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn content(&mut self, header: &Header, kind: EntryType, size: u64) -> Result<Found> {
        let next = std::mem::take(&mut self.next);
        if kind.is_gnu_sparse() {
            self.skip_sparse_map(header)?;
        }
        let offset = self.at;
        let size = next.size.unwrap_or(size);
        self.skip(size)?;
        let name = next.pax_name.or(next.gnu_name).unwrap_or_else(|| header.path_bytes().into_owned());
        let Ok(name) = String::from_utf8(name) else { return Ok(None) };
        let is_folder = name.ends_with('/');
        let Some(name) = plain(&name) else { return Ok(None) };
        let link = || {
            let link =
                next.pax_link.or(next.gnu_link).or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
            link.and_then(|link| String::from_utf8(link).ok()).unwrap_or_default()
        };
        let entry = match kind {
            EntryType::Regular | EntryType::Continuous if is_folder => return Ok(None),
            EntryType::Regular | EntryType::Continuous if next.is_sparse => Entry::Sparse,
            EntryType::Regular | EntryType::Continuous => Entry::File { offset, size },
            EntryType::GNUSparse => Entry::Sparse,
            EntryType::Link => Entry::Link(plain(&link()).unwrap_or_default()),
            EntryType::Symlink => Entry::Link(beside(&name, &link()).unwrap_or_default()),
            _ => return Ok(None),
        };
        Ok(Some((name, entry)))
    }

    /// GNU's old sparse files: the map goes on in blocks that the size does not count.
    fn skip_sparse_map(&mut self, header: &Header) -> Result<()> {
        let mut goes_on = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while goes_on {
            goes_on = self.block()?[504] == 1;
            self.at += BLOCK;
        }
        Ok(())
    }
}

/// Where a symbolic link in `name` leads; `None` when that is out of the archive.
fn beside(name: &str, link: &str) -> Option<String> {
    if link.starts_with('/') {
        return None;
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    plain(&format!("{folder}/{link}"))
}
