//! What is in a tar file, and where. Bounded in memory whatever the headers say; every entry lies within the file.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Section;
use crate::error::{Error, Result};
use crate::tar::{Kind, Limits, Reader, TreePath};

/// What is read of one archive; the largest image has some hundreds of entries.
const LIMITS: Limits = Limits { entries: 200_000, names: 64 << 20, bytes: u64::MAX };

/// Links to links that are followed; Docker wrote one.
const MOST_LINKS: usize = 4;

#[derive(Debug)]
enum Entry {
    File {
        offset: u64,
        size: u64,
    },
    /// To another entry; to nothing here, when it leads out.
    Link(TreePath),
    /// Two entries of one name: readers differ in which one counts.
    Twice,
}

/// The entries of a tar file.
#[derive(Debug)]
pub(super) struct Index {
    file: Arc<File>,
    path: PathBuf,
    entries: HashMap<TreePath, Entry>,
}

impl Index {
    pub(super) fn new(file: File, path: &Path) -> Result<Self> {
        let file = Arc::new(file);
        let place = path.display().to_string();
        let mut reader = Reader::new(Section::whole(Arc::clone(&file)), place.clone(), LIMITS).passing(Section::pass);
        let mut entries = HashMap::new();
        while let Some(found) = reader.next()? {
            let entry = match found.kind {
                Kind::File => Entry::File { offset: reader.offset(), size: found.size },
                Kind::HardLink(to) => Entry::Link(to),
                Kind::Symlink(to) => Entry::Link(beside(&found.path, &to).unwrap_or_default()),
                _ => continue,
            };
            entries.entry(found.path).and_modify(|old| *old = Entry::Twice).or_insert(entry);
        }
        if !reader.has_end() {
            let reason = "it is cut off: it ends without its end mark; fetch or make it again".to_owned();
            return Err(Error::Damaged { place, reason });
        }
        Ok(Self { file, path: path.to_owned(), entries })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// An entry, as messages name it.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}: entry {name}", self.path.display())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        TreePath::parse(name.as_bytes()).is_ok_and(|name| self.entries.contains_key(&name))
    }

    /// The content of an entry, through links. `None`: there is no such entry.
    pub(super) fn open(&self, name: &str) -> Result<Option<Section>> {
        let damaged = |reason: String| Error::Damaged { place: self.place(name), reason };
        let first = TreePath::parse(name.as_bytes()).map_err(damaged)?;
        let mut at = &first;
        for _ in 0..=MOST_LINKS {
            match self.entries.get(at) {
                None if *at == first => return Ok(None),
                None => return Err(damaged(format!("it is a link to {at}, which is not there"))),
                Some(Entry::File { offset, size }) => {
                    return Ok(Some(Section::new(Arc::clone(&self.file), *offset, *size)));
                }
                Some(Entry::Link(to)) => at = to,
                Some(Entry::Twice) => return Err(damaged("two entries have this name".to_owned())),
            }
        }
        Err(damaged("it is a link to a link, and so on".to_owned()))
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

/// Where a symbolic link called `name` leads; `None` when that is out of the archive.
fn beside(name: &TreePath, link: &[u8]) -> Option<TreePath> {
    let mut at = match link {
        [b'/', ..] => return None,
        _ => name.parent(),
    };
    for part in link.split(|byte| *byte == b'/') {
        at = match part {
            b"" | b"." => continue,
            b".." if at.is_root() => return None,
            b".." => at.parent(),
            part => at.child(part),
        };
    }
    Some(at)
}
