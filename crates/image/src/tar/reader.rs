//! Reading a tar file in one go.

use std::io::{self, ErrorKind, Read};

use super::header::{BLOCK, Header, Meaning};
use super::path::shown;
use super::pax::Records;
use super::{Attributes, Entry, Kind, Limits, TreePath, damaged};
use crate::error::{Error, Result};

/// Longest name, link or set of records, in bytes: as Go has it.
const LONGEST_RECORDS: u64 = 1 << 20;

/// A tar file that is being read. After [`Reader::next`] it gives the content of that entry.
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    place: String,
    limits: Limits,
    /// What is left of the entry's content, and of the filling after it.
    content: u64,
    filling: u64,
    is_done: bool,
    /// Bytes of the file that were read or passed over.
    offset: u64,
    has_end: bool,
    /// Passes over so many bytes, or as many as there are; says how many that was.
    pass: fn(&mut R, u64) -> io::Result<u64>,
}

/// What headers before an entry's own say of it.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Option<Records>,
}

impl<R: Read> Reader<R> {
    /// `inner` is uncompressed; `place` says in errors what it is.
    pub fn new(inner: R, place: impl Into<String>, limits: Limits) -> Self {
        let pass = |inner: &mut R, count| io::copy(&mut inner.take(count), &mut io::sink());
        Self {
            inner,
            place: place.into(),
            limits,
            content: 0,
            filling: 0,
            is_done: false,
            offset: 0,
            has_end: false,
            pass,
        }
    }

    /// With a quicker way over what is not asked for: it says how many bytes of as many it passed, fewer at the end only.
    pub(crate) fn passing(mut self, pass: fn(&mut R, u64) -> io::Result<u64>) -> Self {
        self.pass = pass;
        self
    }

    /// Where in the file the content begins of the entry that [`Reader::next`] gave, before any of it is read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the file ended with its mark, a block of zeros, and not just where an entry ends.
    pub(crate) fn has_end(&self) -> bool {
        self.has_end
    }

    /// The next entry; what was not read of the one before is passed over. At the end all of `inner` has been read, so that
    /// one that checks what it gives has had its say.
    #[expect(clippy::should_implement_trait, reason = "its content is read in between, which an iterator would forbid")]
    pub fn next(&mut self) -> Result<Option<Entry>> {
        let mut before = Before::default();
        while !self.is_done {
            self.skip()?;
            let Some(header) = self.header()? else {
                self.is_done = true;
                break;
            };
            if let Some(entry) = self.meet(&header, &mut before)? {
                return Ok(Some(entry));
            }
        }
        self.drain()?;
        if before.name.is_some() || before.link.is_some() || before.records.is_some() {
            return Err(self.damaged("it ends where an entry was announced"));
        }
        Ok(None)
    }

    /// An entry, or something about the next one.
    fn meet(&mut self, header: &Header, before: &mut Before) -> Result<Option<Entry>> {
        let name = before.name.clone().unwrap_or_else(|| header.name());
        let at = |reason: String| damaged(&format!("{}: entry {}", self.place, shown(&name)), reason);
        let size = header.size().map_err(at)?;
        let twice = |known: bool| if known { Err(at("it has two headers of one sort".to_owned())) } else { Ok(()) };
        match header.meaning().map_err(at)? {
            Meaning::Entry(kind) => return self.entry(header, kind, size, std::mem::take(before)).map(Some),
            Meaning::LongName => {
                twice(before.name.is_some())?;
                before.name = Some(to_zero(self.whole(size)?));
            }
            Meaning::LongLink => {
                twice(before.link.is_some())?;
                before.link = Some(to_zero(self.whole(size)?));
            }
            Meaning::Records => {
                twice(before.records.is_some())?;
                let bytes = self.whole(size)?;
                before.records = Some(Records::parse(&bytes).map_err(|reason| self.damaged(&reason))?);
            }
            Meaning::Global => drop(self.whole(size)?),
        }
        Ok(None)
    }

    fn entry(&mut self, header: &Header, kind: Kind, size: u64, before: Before) -> Result<Entry> {
        let mut records = before.records.unwrap_or_default();
        let name = records.take("path").or(before.name).unwrap_or_else(|| header.name());
        let link = records.take("linkpath").or(before.link).unwrap_or_else(|| header.link().to_vec());
        let at = |reason: String| damaged(&format!("{}: entry {}", self.place, shown(&name)), reason);
        let size = records.take_number("size").map_err(at)?.unwrap_or(size);
        let mut attributes = header.attributes().map_err(at)?;
        records.apply(&mut attributes).map_err(at)?;
        let kind = match kind {
            Kind::HardLink(_) => Kind::HardLink(TreePath::parse(&link).map_err(at)?),
            Kind::Symlink(_) => Kind::Symlink(link_text(link).map_err(at)?),
            Kind::File if header.is_old() && name.ends_with(b"/") => Kind::Directory,
            other => other,
        };
        let path = TreePath::parse(&name).map_err(at)?;
        self.count(&path, &kind, &attributes)?;
        // Only files have content, whatever their headers say: as Go has it.
        let size = if kind == Kind::File { size } else { 0 };
        self.content = size;
        self.filling = padding(size);
        Ok(Entry { path, kind, size, attributes })
    }

    fn count(&mut self, path: &TreePath, kind: &Kind, attributes: &Attributes) -> Result<()> {
        let link = match kind {
            Kind::Symlink(link) => link.len(),
            Kind::HardLink(path) => path.as_bytes().len(),
            _ => 0,
        };
        let records: usize = attributes.records.iter().map(|(key, value)| key.len() + value.len()).sum();
        let names = (path.as_bytes().len() + link + records) as u64;
        let too_large = |reason: &str| Error::TooLarge { place: self.place.clone(), reason: reason.to_owned() };
        self.limits.entries =
            self.limits.entries.checked_sub(1).ok_or_else(|| too_large("it has more entries than are read of one"))?;
        self.limits.names = self
            .limits
            .names
            .checked_sub(names)
            .ok_or_else(|| too_large("its names and records are longer than are kept in memory"))?;
        Ok(())
    }

    /// The content of a header that describes another.
    fn whole(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > LONGEST_RECORDS {
            return Err(self.damaged("it has a header of more than 1 MiB"));
        }
        self.content = size;
        self.filling = padding(size);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(Error::incoming)?;
        Ok(bytes)
    }

    /// The next block, unless the file ends with the one before or with zeros.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut block = Box::new([0; BLOCK]);
        let mut filled = 0;
        while filled < BLOCK {
            match self.take(&mut block[filled..]).map_err(Error::incoming)? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(self.damaged("it ends within a header")),
                count => filled += count,
            }
        }
        let header = Header::parse(block).map_err(|reason| self.damaged(&reason))?;
        self.has_end = header.is_none();
        Ok(header)
    }

    fn skip(&mut self) -> Result<()> {
        let all = self.content.saturating_add(self.filling);
        // Some writers leave the filling after the last file away, and the end too.
        if self.pass_over(all)? < self.content {
            return Err(self.damaged("it ends within a file's content"));
        }
        (self.content, self.filling) = (0, 0);
        Ok(())
    }

    fn drain(&mut self) -> Result<()> {
        self.pass_over(u64::MAX).map(drop)
    }

    /// As many bytes as there are, of `count`.
    fn pass_over(&mut self, count: u64) -> Result<u64> {
        let enough = count.min(self.limits.bytes.saturating_add(1));
        let passed = (self.pass)(&mut self.inner, enough).map_err(|error| Error::incoming(self.named(error)))?;
        self.count_bytes(passed).map_err(Error::incoming)?;
        Ok(passed)
    }

    /// Some bytes of the file, counted.
    fn take(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = match self.inner.read(buf) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.map_err(|error| self.named(error))?,
            };
            self.count_bytes(count as u64)?;
            return Ok(count);
        }
    }

    fn count_bytes(&mut self, count: u64) -> io::Result<()> {
        let Some(left) = self.limits.bytes.checked_sub(count) else {
            let reason = "unpacked it has more bytes than anything real that is stored in so few".to_owned();
            return Err(io::Error::other(Error::TooLarge { place: self.place.clone(), reason }));
        };
        self.limits.bytes = left;
        self.offset += count;
        Ok(())
    }

    /// What is wrong with the bytes themselves, where nobody has said yet in which file.
    fn named(&self, error: io::Error) -> io::Error {
        let is_ours = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).is_some();
        let of_bytes =
            matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof);
        if is_ours || !of_bytes {
            return error;
        }
        io::Error::new(error.kind(), self.damaged(&error.to_string()))
    }

    fn damaged(&self, reason: &str) -> Error {
        damaged(&self.place, reason)
    }
}

/// The content of the entry that [`Reader::next`] gave last.
impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.content).unwrap_or(usize::MAX).min(buf.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.take(&mut buf[..most])?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, self.damaged("it ends within a file's content")));
        }
        self.content -= count as u64;
        Ok(count)
    }
}

fn padding(size: u64) -> u64 {
    let block = BLOCK as u64;
    (block - size % block) % block
}

fn to_zero(mut text: Vec<u8>) -> Vec<u8> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    text.truncate(end);
    text
}

fn link_text(text: Vec<u8>) -> Result<Vec<u8>, String> {
    match text.as_slice() {
        [] => Err("it is a link to nothing".to_owned()),
        text if text.len() > 4095 => Err("it is a link of more than 4095 bytes".to_owned()),
        text if text.contains(&0) => Err("it is a link with a zero byte in it".to_owned()),
        _ => Ok(text),
    }
}
