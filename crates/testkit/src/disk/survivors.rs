//! What a power cut leaves, kept beside the live tree. Paths are relative to the disk; the empty one is its top.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// A file or folder, whatever it is called at the moment.
#[derive(Clone, Copy)]
pub(super) struct Node(usize);

enum Durable {
    /// The content at the last fsync.
    File { content: Vec<u8>, spoiled: bool },
    /// The names at the last fsync.
    Folder(BTreeMap<OsString, Node>),
}

pub(super) struct Survivors {
    nodes: Vec<Durable>,
    live: BTreeMap<PathBuf, Node>,
}

impl Survivors {
    pub(super) fn new() -> Self {
        let mut survivors = Self { nodes: Vec::new(), live: BTreeMap::new() };
        survivors.create_folder(Path::new(""));
        survivors
    }

    /// What is found on a disk after boot is durable.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let mut survivors = Self::new();
        survivors.read(root, Path::new(""))?;
        Ok(survivors)
    }

    fn read(&mut self, root: &Path, folder: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.create_folder(&path);
                self.read(root, &path)?;
            } else {
                let node = self.create_file(&path);
                self.fsync_file(node, std::fs::read(entry.path())?);
            }
        }
        self.fsync_folder(folder);
        Ok(())
    }

    /// Makes the surviving tree in an empty folder.
    pub(super) fn write_to(&self, root: &Path) -> io::Result<()> {
        self.write(self.live[Path::new("")], root)
    }

    fn write(&self, node: Node, path: &Path) -> io::Result<()> {
        match &self.nodes[node.0] {
            Durable::File { content, .. } => std::fs::write(path, content),
            Durable::Folder(names) => {
                if !path.is_dir() {
                    std::fs::create_dir(path)?;
                }
                names.iter().try_for_each(|(name, &node)| self.write(node, &path.join(name)))
            }
        }
    }

    pub(super) fn node(&self, path: &Path) -> Option<Node> {
        self.live.get(path).copied()
    }

    pub(super) fn create_file(&mut self, path: &Path) -> Node {
        self.create(path, Durable::File { content: Vec::new(), spoiled: false })
    }

    pub(super) fn create_folder(&mut self, path: &Path) {
        self.create(path, Durable::Folder(BTreeMap::new()));
    }

    fn create(&mut self, path: &Path, durable: Durable) -> Node {
        let node = Node(self.nodes.len());
        self.nodes.push(durable);
        self.live.insert(path.to_owned(), node);
        node
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        if let Some(node) = self.live.remove(from) {
            self.live.insert(to.to_owned(), node);
        }
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.live.remove(path);
    }

    pub(super) fn fsync_file(&mut self, node: Node, now: Vec<u8>) {
        if let Durable::File { content, spoiled: false } = &mut self.nodes[node.0] {
            *content = now;
        }
    }

    /// The kernel forgets what it could not write: later syncs of the file say nothing about it.
    pub(super) fn spoil(&mut self, node: Node) {
        if let Durable::File { spoiled, .. } = &mut self.nodes[node.0] {
            *spoiled = true;
        }
    }

    /// A folder outside the disk is none of its business.
    pub(super) fn fsync_folder(&mut self, path: &Path) {
        let Some(folder) = self.node(path) else { return };
        let children = self.live.iter().filter(|(child, _)| child.parent() == Some(path));
        let names = children.filter_map(|(child, &node)| Some((child.file_name()?.to_owned(), node))).collect();
        self.nodes[folder.0] = Durable::Folder(names);
    }

    /// Bytes in the files that are there now, below `root`.
    pub(super) fn used(&self, root: &Path) -> io::Result<u64> {
        let files = self.live.iter().filter(|(_, node)| matches!(self.nodes[node.0], Durable::File { .. }));
        files.map(|(path, _)| Ok(std::fs::metadata(root.join(path))?.len())).sum()
    }
}
