//! A layer's tar, put together again byte for byte from its recipe and its unpacked files.
//!
//! Every file is compared with the length and the checksum that the recipe has of it: one that has changed or gone since
//! ends the tar with an error that names it. Names lead nowhere but into the layer's folders, whatever links lie there.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::crc64::Crc64;
use super::tar_split::{Content, Entry, Recipe};

/// Where a layer's files lie: its own folder, then its parents', since an entry may have been unpacked through a link
/// that a parent has.
pub(super) struct Folders(Vec<OwnedFd>);

impl Folders {
    pub(super) fn open(paths: &[PathBuf]) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = |path: &PathBuf| rustix::fs::open(path, flags, Mode::empty());
        Ok(Self(paths.iter().map(open).collect::<Result<_, _>>()?))
    }

    /// The file that the recipe calls `content`.
    pub(super) fn file(&self, content: &Content) -> io::Result<File> {
        let file = self.find(&content.name).map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR => changed(content, "it is gone"),
            Errno::LOOP => changed(content, "a link is in its place"),
            error => {
                let error = io::Error::from(error);
                io::Error::new(error.kind(), format!("cannot read {}: {error}", shown(&content.name)))
            }
        })?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(changed(content, "it is no file"));
        }
        if meta.len() != content.size {
            return Err(changed(content, &format!("it has {} bytes instead of {}", meta.len(), content.size)));
        }
        Ok(file)
    }

    fn find(&self, name: &[u8]) -> Result<File, Errno> {
        for folder in &self.0 {
            match open_in(folder, name) {
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                done => return done,
            }
        }
        Err(Errno::NOENT)
    }
}

/// As the container would: the folder is the root, for `..` and for absolute links too.
fn open_in(folder: &OwnedFd, name: &[u8]) -> Result<File, Errno> {
    // A pipe in a file's place must not hang.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let path = Path::new(std::ffi::OsStr::from_bytes(name));
    // The kernel gives up when something is renamed on the way (openat2(2), EAGAIN).
    for _ in 0..100 {
        match openat2(folder, path, flags, Mode::empty(), within) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            done => return done.map(File::from),
        }
    }
    Err(Errno::AGAIN)
}

fn changed(content: &Content, how: &str) -> io::Error {
    let name = shown(&content.name);
    io::Error::new(io::ErrorKind::InvalidData, format!("{name} changed in podman's storage: {how}"))
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().collect()
}

/// Reads the tar.
pub(super) struct LayerTar {
    recipe: Recipe,
    folders: Folders,
    part: Part,
}

enum Part {
    Bytes(io::Cursor<Vec<u8>>),
    File { file: File, content: Content, left: u64, crc: Crc64 },
}

impl LayerTar {
    pub(super) fn new(recipe: Recipe, folders: Folders) -> Self {
        Self { recipe, folders, part: Part::Bytes(io::Cursor::default()) }
    }

    /// Whether there is more.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(entry) = self.recipe.next().transpose()? else { return Ok(false) };
        self.part = match entry {
            Entry::Bytes(bytes) => Part::Bytes(io::Cursor::new(bytes)),
            Entry::File(content) => {
                let file = self.folders.file(&content)?;
                Part::File { file, left: content.size, content, crc: Crc64::new() }
            }
        };
        Ok(true)
    }
}

impl Read for LayerTar {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let read = self.part.read(into)?;
            if read > 0 || !self.advance()? {
                return Ok(read);
            }
        }
    }
}

impl Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (file, content, left, crc) = match self {
            Self::Bytes(bytes) => return bytes.read(into),
            Self::File { left: 0, .. } => return Ok(0),
            Self::File { file, content, left, crc } => (file, content, left, crc),
        };
        let most = into.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let read = file.read(&mut into[..most])?;
        if read == 0 {
            return Err(changed(content, "it was cut"));
        }
        crc.update(&into[..read]);
        *left -= read as u64;
        if *left == 0 && crc.value() != content.crc {
            return Err(changed(content, "its bytes are others"));
        }
        Ok(read)
    }
}
