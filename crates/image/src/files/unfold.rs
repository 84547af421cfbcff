//! A folder's layer into a folder that is empty and nobody else's.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use wharf_oci::{Algorithm, Digest};

use super::moving;
use crate::compress::Unpacked;
use crate::error::{Error, Mismatch, Result};
use crate::hashed::Hashed;
use crate::tar::{Entry, Kind, Limits, Reader, TreePath};
use crate::verified;

/// What a layer made, and is to have as its permissions.
pub(super) type FolderModes = Vec<(TreePath, u32)>;

/// Unpacks `content` into `root`, leaving `title` away, by which all names in it begin. `tar_digest` is compared if it is
/// given. After an error `root` is to be removed.
pub(super) fn unfold(
    content: &mut dyn Read,
    place: &str,
    limits: Limits,
    title: &TreePath,
    tar_digest: Option<&Digest>,
    root: &Path,
) -> Result<FolderModes> {
    let unpacked = Unpacked::new(content, limits.bytes).map_err(|error| at(place, error))?;
    let algorithm = tar_digest.map_or(Algorithm::Sha256, Digest::algorithm);
    let mut hashed = Hashed::new(unpacked, algorithm);
    let mut reader = Reader::new(&mut hashed, place, limits);
    let mut unfolding = Unfolding { root, place, title, made: BTreeMap::new() };
    while let Some(entry) = reader.next()? {
        unfolding.put(&entry, &mut reader)?;
    }
    let found = hashed.digest();
    if let Some(expected) = tar_digest.filter(|expected| **expected != found) {
        let what = Mismatch::Digest { expected: expected.clone(), found };
        return Err(Error::Content { place: format!("{place}, uncompressed"), what });
    }
    Ok(unfolding.folder_modes())
}

fn at(place: &str, error: io::Error) -> Error {
    match Error::incoming(error) {
        Error::Incoming(error) => Error::Damaged { place: place.to_owned(), reason: error.to_string() },
        ours => ours,
    }
}

struct Unfolding<'a> {
    root: &'a Path,
    place: &'a str,
    title: &'a TreePath,
    /// By path below the root: permissions of folders, nothing of others.
    made: BTreeMap<TreePath, Option<u32>>,
}

impl Unfolding<'_> {
    fn put(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<()> {
        let path = self.below(entry, &entry.path)?;
        // What strangers set for other users is not taken over: set-user, set-group, sticky.
        let mode = entry.attributes.mode & 0o777;
        if entry.kind == Kind::Directory && matches!(self.made.get(&path), None | Some(Some(_))) {
            return self.folder(entry, &path, mode);
        }
        if path.is_root() || self.made.contains_key(&path) {
            return Err(self.refuse(entry, "it is in there twice, or once as a folder"));
        }
        self.parents(entry, &path)?;
        let to = self.root.join(path.as_path());
        match &entry.kind {
            Kind::File => {
                let mut options = OpenOptions::new();
                let file = options.write(true).create_new(true).mode(0o600).open(&to);
                let mut file = file.map_err(Error::io("write", &to))?;
                verified::copy_all(content, &mut file, &to)?;
                file.set_permissions(Permissions::from_mode(mode)).map_err(Error::io("write", &to))?;
            }
            Kind::Symlink(target) => {
                moving::check_link(&path, target).map_err(|reason| self.refuse(entry, &reason))?;
                let target = Path::new(std::ffi::OsStr::from_bytes(target));
                std::os::unix::fs::symlink(target, &to).map_err(Error::io("write", &to))?;
            }
            Kind::HardLink(target) => {
                let target = self.below(entry, target)?;
                if self.made.get(&target) != Some(&None) {
                    return Err(self.refuse(entry, "it is another name of a file that is not there"));
                }
                fs::hard_link(self.root.join(target.as_path()), &to).map_err(Error::io("write", &to))?;
            }
            _ => return Err(self.refuse(entry, "it is a device or a pipe, and only files are unpacked")),
        }
        self.made.insert(path, None);
        Ok(())
    }

    fn below(&self, entry: &Entry, path: &TreePath) -> Result<TreePath> {
        let reason = || format!("{path} does not lie in {}, which the layer is said to hold", self.title);
        path.below(self.title).ok_or_else(|| self.refuse(entry, &reason()))
    }

    fn folder(&mut self, entry: &Entry, path: &TreePath, mode: u32) -> Result<()> {
        self.parents(entry, path)?;
        self.make(path)?;
        self.made.insert(path.clone(), Some(mode));
        Ok(())
    }

    /// Folders that no entry made.
    fn parents(&mut self, entry: &Entry, path: &TreePath) -> Result<()> {
        let mut parent = TreePath::default();
        for name in path.parent().names() {
            parent = parent.child(name);
            match self.made.get(&parent) {
                Some(Some(_)) => {}
                Some(None) => return Err(self.refuse(entry, &format!("{parent} is no folder"))),
                None => {
                    self.make(&parent)?;
                    self.made.insert(parent.clone(), Some(0o755));
                }
            }
        }
        Ok(())
    }

    fn make(&self, path: &TreePath) -> Result<()> {
        if path.is_root() || self.made.contains_key(path) {
            return Ok(());
        }
        let to = self.root.join(path.as_path());
        fs::create_dir(&to).map_err(Error::io("make folder", &to))
    }

    fn refuse(&self, entry: &Entry, reason: &str) -> Error {
        Error::Damaged { place: format!("{}: entry {}", self.place, entry.path), reason: reason.to_owned() }
    }

    fn folder_modes(self) -> FolderModes {
        self.made.into_iter().filter_map(|(path, mode)| Some((path, mode?))).collect()
    }
}
