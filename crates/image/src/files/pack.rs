//! Files into an image.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, PipeWriter, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use wharf_oci::{Digest, MediaType};

use super::{FOLDER_TYPE, MODE, TAR_DIGEST, TITLE, UNKNOWN_ARTIFACT, UNPACK, USUAL_MODE, guess, moving, title};
use crate::compress::Compression;
use crate::error::{Error, Result};
use crate::made::{Content, Made, ManifestToWrite, Part};
use crate::tar::{Attributes, Entry, Kind, TreePath, Writer};
use crate::temporary::{Spooled, Temporary};
use crate::{disk, verified};

/// Bytes of a file that its media type is guessed by.
const START: usize = 32;

/// Something to pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The file or folder; `-` is standard input.
    pub path: PathBuf,
    /// What it is, if somebody said so.
    pub media_type: Option<String>,
}

impl Input {
    /// Takes `FILE` and `FILE:TYPE`; a file that exists under the whole text is meant by it.
    pub fn parse(text: &str) -> Self {
        let whole = Self { path: text.into(), media_type: None };
        let Some((path, said)) = text.rsplit_once(':').filter(|(path, _)| !path.is_empty()) else { return whole };
        let is_type = MediaType::parse(said).is_ok_and(|parsed| parsed.as_str() == said);
        if !is_type || fs::symlink_metadata(text).is_ok() {
            return whole;
        }
        Self { path: path.into(), media_type: Some(said.to_owned()) }
    }

    fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == "-"
    }
}

/// How to pack.
#[derive(Clone, Debug, Default)]
pub struct Packing {
    /// What the files are together; `UNKNOWN_ARTIFACT` if nobody says.
    pub artifact_type: Option<String>,
    /// Of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// What standard input is to be called; `stdin` if nobody says.
    pub name_of_input: Option<String>,
}

/// Reads each input once and makes one image of them. Folders are packed into temporary files without names; other files
/// are read again when their content is asked for.
pub fn pack(inputs: &[Input], packing: &Packing, temporary: &Temporary, standard_input: &mut dyn Read) -> Result<Made> {
    let mut packed = Packed { temporary, layers: vec![], contents: HashMap::new(), titles: vec![] };
    for input in inputs {
        packed.add(input, packing, standard_input)?;
    }
    let mut config = Part::of(MediaType::OCI_EMPTY, b"{}");
    config.data = Some("e30=");
    packed.contents.insert(config.digest.clone(), Content::Bytes(b"{}".as_slice().into()));
    let manifest = ManifestToWrite {
        schema_version: 2,
        media_type: MediaType::OCI_MANIFEST,
        artifact_type: Some(packing.artifact_type.clone().unwrap_or_else(|| UNKNOWN_ARTIFACT.to_owned())),
        config,
        layers: packed.layers,
        annotations: packing.annotations.clone(),
    };
    Made::new(&manifest, packed.contents)
}

struct Packed<'a> {
    temporary: &'a Temporary,
    layers: Vec<Part>,
    contents: HashMap<Digest, Content>,
    titles: Vec<TreePath>,
}

impl Packed<'_> {
    fn add(&mut self, input: &Input, packing: &Packing, standard_input: &mut dyn Read) -> Result<()> {
        let path = input.path.as_path();
        let refuse = |reason| Error::NotA { path: path.to_owned(), expected: "something to pack", reason };
        if input.is_standard_input() {
            let name = packing.name_of_input.as_deref().unwrap_or("stdin");
            let title = self.name(title::parse(name).map_err(refuse)?).map_err(refuse)?;
            return self.add_input(&title, input.media_type.as_deref(), standard_input);
        }
        let title = self.name(title::of(path).map_err(refuse)?).map_err(refuse)?;
        let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
        if metadata.is_dir() {
            return self.add_folder(path, &title, input.media_type.as_deref());
        }
        if title.is_root() {
            return Err(refuse("it has no name".to_owned()));
        }
        let (mut file, _) = disk::open(path)?;
        let mode = metadata.permissions().mode() & 0o777;
        let part = lone(&mut file, path, path, input.media_type.as_deref(), &mut io::sink())?;
        self.push(part, &title, Content::File(path.to_owned()), mode);
        Ok(())
    }

    /// Refuses a second file by the same name, and one that lies in a folder which is packed too.
    fn name(&mut self, title: TreePath) -> std::result::Result<TreePath, String> {
        if self.titles.contains(&title) {
            return Err(format!("two of them would be called {title}"));
        }
        let is_within = |other: &&TreePath| title.below(other).is_some() || other.below(&title).is_some();
        if let Some(other) = self.titles.iter().find(is_within) {
            let [other, title] = [other, &title].map(title::text);
            return Err(format!("one of {other} and {title} would lie in the other: name the folder alone"));
        }
        self.titles.push(title.clone());
        Ok(title)
    }

    fn add_input(&mut self, title: &TreePath, said: Option<&str>, content: &mut dyn Read) -> Result<()> {
        let mut spool = self.temporary.file()?;
        let part = lone(content, title.as_path(), Path::new("standard input"), said, &mut spool)?;
        self.push(part, title, Content::Spool(Arc::new(spool)), USUAL_MODE);
        Ok(())
    }

    fn push(&mut self, mut part: Part, title: &TreePath, content: Content, mode: u32) {
        part.annotations.insert(TITLE.to_owned(), title::text(title));
        if mode != USUAL_MODE {
            part.annotations.insert(MODE.to_owned(), format!("{mode:04o}"));
        }
        self.contents.insert(part.digest.clone(), content);
        self.layers.push(part);
    }

    fn add_folder(&mut self, path: &Path, title: &TreePath, said: Option<&str>) -> Result<()> {
        let Spooled { digest, size, content, file } = fold(path, title, self.temporary)?;
        let mut part = Part::new(said.unwrap_or(FOLDER_TYPE), digest, size);
        part.annotations.insert(TITLE.to_owned(), title::text(title));
        part.annotations.insert(UNPACK.to_owned(), "true".to_owned());
        part.annotations.insert(TAR_DIGEST.to_owned(), content.diff_id.to_string());
        self.contents.insert(part.digest.clone(), Content::Spool(Arc::new(file)));
        self.layers.push(part);
        Ok(())
    }
}

/// Reads a file to its end, with a look at what it begins with.
fn lone(
    content: &mut dyn Read,
    name: &Path,
    place: &Path,
    said: Option<&str>,
    sink: &mut dyn io::Write,
) -> Result<Part> {
    let mut start = Vec::new();
    content.take(START as u64).read_to_end(&mut start).map_err(Error::io("read", place))?;
    let mut whole = start.as_slice().chain(content);
    let (digest, size) = verified::copy_unnamed(&mut whole, sink, place)?;
    Ok(Part::new(said.unwrap_or_else(|| guess::media_type(name, &start)), digest, size))
}

/// A folder as a tar file, compressed.
fn fold(folder: &Path, title: &TreePath, temporary: &Temporary) -> Result<Spooled> {
    let failed = |error| Error::io("pack", folder)(error);
    let (reader, writer) = io::pipe().map_err(failed)?;
    thread::scope(|scope| {
        let writing = scope.spawn(move || write_tar(folder, title, writer));
        let compressed = temporary.compressed(reader, Compression::GZIP);
        match writing.join() {
            // That the other side is gone is no news.
            Ok(Err(error)) if compressed.is_ok() || !is_broken_pipe(&error) => Err(error),
            Ok(_) => compressed,
            Err(_) => Err(failed(io::Error::other("a thread ended early"))),
        }
    })
}

fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Incoming(error) if error.kind() == io::ErrorKind::BrokenPipe)
}

fn write_tar(folder: &Path, title: &TreePath, out: PipeWriter) -> Result<()> {
    let mut writer = Writer::new(io::BufWriter::with_capacity(verified::BLOCK, out));
    let mut left = vec![(folder.to_owned(), title.clone())];
    while let Some((path, name)) = left.pop() {
        // What is named is followed, what lies in it is not.
        let metadata = if path == folder { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        let metadata = metadata.map_err(Error::io("read", &path))?;
        let mode = metadata.permissions().mode() & 0o777;
        let attributes = Attributes { mode, ..Attributes::default() };
        let mut entry = Entry { path: name, kind: Kind::Directory, size: 0, attributes };
        if metadata.is_dir() {
            writer.append(&entry, &mut io::empty()).map_err(Error::incoming)?;
            left.extend(children(&path, &entry.path)?);
        } else if metadata.is_file() {
            let (mut file, size) = disk::open(&path)?;
            (entry.kind, entry.size) = (Kind::File, size);
            writer.append(&entry, &mut file).map_err(Error::incoming)?;
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).map_err(Error::io("read", &path))?;
            let target = target.as_os_str().as_bytes().to_vec();
            let refuse = |reason| Error::NotA { path: path.clone(), expected: "something to pack", reason };
            moving::check_link(&entry.path.below(title).unwrap_or_default(), &target).map_err(refuse)?;
            (entry.kind, entry.attributes.mode) = (Kind::Symlink(target), 0o777);
            writer.append(&entry, &mut io::empty()).map_err(Error::incoming)?;
        } else {
            let reason = "it is a pipe, a socket or a device".to_owned();
            return Err(Error::NotA { path, expected: "something to pack", reason });
        }
    }
    let mut out = writer.finish().map_err(Error::incoming)?;
    io::Write::flush(&mut out).map_err(Error::incoming)
}

/// The last by name first, so that the first is taken first.
fn children(folder: &Path, name: &TreePath) -> Result<Vec<(PathBuf, TreePath)>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        children.push((entry.path(), name.child(entry.file_name().as_bytes())));
    }
    children.sort_by(|one, other| other.1.cmp(&one.1));
    Ok(children)
}
