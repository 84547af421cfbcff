//! The tree of files that layers make.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Bound;
use std::sync::Arc;

use wharf_oci::{Algorithm, Digest};

use crate::error::{Error, Result};
use crate::hashed::Hashed;
use crate::tar::{Attributes, Entry, Kind, Reader, TreePath};

/// How names of whiteouts begin (image-spec, layer.md §Whiteouts).
const WHITEOUT: &[u8] = b".wh.";
/// A folder with this in it shows nothing of the layers below.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Aufs' own files, which are no part of an image.
const AUFS: &[u8] = b".wh..wh.";
/// Links that are followed within one layer to find a folder.
const MOST_LINKS: usize = 40;

/// What layers come to. A clone shares what it can.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    names: BTreeMap<TreePath, Name>,
    layers: usize,
    with_digests: bool,
}

/// What a path stands for.
#[derive(Clone, Debug)]
struct Name {
    file: Arc<File>,
    /// Which layer said so last, counted from 0.
    layer: usize,
}

/// A file, folder or other thing, which may have several names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Layer and entry in it, both counted from 0. No two have the same, but for folders.
    pub(super) id: (usize, usize),
    /// Never a hard link.
    pub kind: Kind,
    /// Bytes of content.
    pub size: u64,
    /// All else that is known of it.
    pub attributes: Attributes,
    /// Of its content, if the tree was asked to look at it.
    pub digest: Option<Digest>,
}

impl Tree {
    /// An empty tree that will know the digests of its files' content.
    pub fn with_digests() -> Self {
        Self { with_digests: true, ..Self::default() }
    }

    /// Puts a layer on top. After an error the tree is of no use.
    pub fn apply<R: Read>(&mut self, layer: &mut Reader<R>) -> Result<()> {
        let mut entries = 0;
        while let Some(entry) = layer.next()? {
            self.put(entry, entries, layer)?;
            entries += 1;
        }
        self.layers += 1;
        Ok(())
    }

    /// What there is, parents before what is in them; the root is called by the empty path, if a layer mentioned it.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &File)> {
        self.names.iter().map(|(path, name)| (path, &*name.file))
    }

    /// What is there.
    pub fn get(&self, path: &TreePath) -> Option<&File> {
        self.names.get(path).map(|name| &*name.file)
    }

    /// How many layers were put in.
    pub(super) fn layers(&self) -> usize {
        self.layers
    }

    fn put(&mut self, entry: Entry, at: usize, content: &mut dyn Read) -> Result<()> {
        let name = entry.path.name();
        if name == OPAQUE {
            self.hide_below(&self.real(&entry.path.parent())?);
            return Ok(());
        }
        if entry.path.names().any(|name| name.starts_with(AUFS)) {
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.hide(&entry.path, hidden);
        }
        if entry.path.is_root() && entry.kind != Kind::Directory {
            return Err(self.damaged(&entry.path, "it would make the root something else than a folder"));
        }
        let path = self.real(&entry.path.parent())?.child(name);
        let file = match entry.kind {
            Kind::HardLink(target) => self.linked(&entry.path, &target)?,
            kind => {
                let digest = (self.with_digests && kind == Kind::File).then(|| hash(content)).transpose()?;
                let id = (self.layers, at);
                Arc::new(File { id, kind, size: entry.size, attributes: entry.attributes, digest })
            }
        };
        self.make_parents(&path);
        if file.kind != Kind::Directory {
            self.remove_below(&path, |_| true);
        }
        self.names.insert(path, Name { file, layer: self.layers });
        Ok(())
    }

    /// The folder that a path leads to, through links that this very layer made: it was unpacked with them in place.
    fn real(&self, path: &TreePath) -> Result<TreePath> {
        let mut left: Vec<Vec<u8>> = path.names().rev().map(<[u8]>::to_vec).collect();
        let mut found = TreePath::default();
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == b".." {
                found = found.parent();
                continue;
            }
            let next = found.child(&name);
            let known = self.names.get(&next).filter(|known| known.layer == self.layers);
            let Some(Kind::Symlink(target)) = known.map(|known| &known.file.kind) else {
                found = next;
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                return Err(self.damaged(path, "it lies behind links that lead to each other"));
            }
            if target.starts_with(b"/") {
                found = TreePath::default();
            }
            let names = target.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b"."));
            left.extend(names.rev().map(<[u8]>::to_vec));
        }
        Ok(found)
    }

    fn linked(&self, path: &TreePath, target: &TreePath) -> Result<Arc<File>> {
        let real = self.real(&target.parent())?.child(target.name());
        match self.names.get(&real) {
            Some(name) if name.file.kind != Kind::Directory => Ok(Arc::clone(&name.file)),
            Some(_) => Err(self.damaged(path, format!("it is another name of {target}, which is a folder"))),
            None => Err(self.damaged(path, format!("it is another name of {target}, which is not there"))),
        }
    }

    /// Folders that no entry made; what is no folder in their place goes.
    fn make_parents(&mut self, path: &TreePath) {
        let mut parent = path.parent();
        while !parent.is_root() && self.get(&parent).is_none_or(|file| file.kind != Kind::Directory) {
            let attributes = Attributes { mode: 0o755, ..Attributes::default() };
            let id = (self.layers, 0);
            let file = Arc::new(File { id, kind: Kind::Directory, size: 0, attributes, digest: None });
            let above = parent.parent();
            self.names.insert(parent, Name { file, layer: self.layers });
            parent = above;
        }
    }

    /// Takes away what the layers below have under a name.
    fn hide(&mut self, whiteout: &TreePath, name: &[u8]) -> Result<()> {
        if matches!(name, b"" | b"." | b"..") {
            return Err(self.damaged(whiteout, "it is a whiteout of nothing"));
        }
        let path = self.real(&whiteout.parent())?.child(name);
        self.hide_below(&path);
        if self.names.get(&path).is_some_and(|known| known.layer < self.layers) {
            self.names.remove(&path);
            self.restore_parents(&path);
        }
        Ok(())
    }

    /// Takes away what the layers below have in a folder.
    fn hide_below(&mut self, folder: &TreePath) {
        let layer = self.layers;
        self.remove_below(folder, |known| known.layer < layer);
        self.restore_parents(folder);
    }

    /// Whatever is left in a folder gets the folders that it needs.
    fn restore_parents(&mut self, folder: &TreePath) {
        let left: Vec<TreePath> = self.below(folder).map(|(path, _)| path.clone()).collect();
        for path in left {
            self.make_parents(&path);
        }
    }

    fn remove_below(&mut self, folder: &TreePath, is_gone: impl Fn(&Name) -> bool) {
        let gone = self.below(folder).filter(|(_, name)| is_gone(name));
        let gone: Vec<TreePath> = gone.map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.names.remove(&path);
        }
    }

    fn below(&self, folder: &TreePath) -> impl Iterator<Item = (&TreePath, &Name)> {
        let (start, end) = folder.around_below();
        self.names.range((Bound::Excluded(start), end.map_or(Bound::Unbounded, Bound::Excluded)))
    }

    fn damaged(&self, path: &TreePath, reason: impl Into<String>) -> Error {
        Error::Damaged { place: format!("entry {path} of layer {}", self.layers + 1), reason: reason.into() }
    }
}

fn hash(content: &mut dyn Read) -> Result<Digest> {
    let mut content = Hashed::new(content, Algorithm::Sha256);
    io::copy(&mut content, &mut io::sink()).map_err(Error::incoming)?;
    Ok(content.digest())
}
