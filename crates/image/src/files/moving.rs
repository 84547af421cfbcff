//! From the staging folder to where things are to be: looked at as a whole first, then moved by renaming.
//!
//! No link is followed on the way down from the folder, and nothing is put in the place of something of another kind.

use std::collections::BTreeSet;
use std::fs::{self, Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::disk;
use crate::error::{Error, Result};
use crate::tar::TreePath;

/// What a link may say that lies at `path` in a packed folder: something in that folder, whatever other links there are.
/// Errors with a reason.
///
/// `..` may only come first. What follows names goes through what may be links themselves, and `..` after such a link
/// would lead to wherever that link leads.
pub(super) fn check_link(path: &TreePath, target: &[u8]) -> std::result::Result<(), String> {
    let shown = || crate::tar::shown(target);
    if target.starts_with(b"/") {
        return Err(format!("it is a link to {}, which is absolute and means another thing elsewhere", shown()));
    }
    let names: Vec<&[u8]> = target.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b".")).collect();
    let up = names.iter().take_while(|name| **name == b"..").count();
    let depth = path.names().count().saturating_sub(1);
    if up > depth {
        return Err(format!("it is a link to {}, which is outside of the folder", shown()));
    }
    if names[up..].contains(&b"..".as_slice()) {
        return Err(format!("it is a link to {}, which goes down and up again", shown()));
    }
    Ok(())
}

/// One staged file or folder, and where it is to be.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) staged: PathBuf,
    pub(super) title: TreePath,
}

/// All that is to be done, in order.
#[derive(Debug, Default)]
pub(super) struct Moves {
    folders: Vec<PathBuf>,
    renames: Vec<(PathBuf, PathBuf)>,
    files: BTreeSet<PathBuf>,
}

impl Moves {
    /// Looks at what is there. Nothing has been changed when this fails.
    pub(super) fn plan(folder: &Path, staged: &[Staged]) -> Result<Self> {
        let moves = Self::wanted(folder, staged)?;
        moves.check_places(folder)?;
        Ok(moves)
    }

    fn wanted(folder: &Path, staged: &[Staged]) -> Result<Self> {
        let mut moves = Self::default();
        for item in staged {
            moves.descend(folder, &item.title.parent())?;
            moves.add(&item.staged, folder.join(item.title.as_path()))?;
        }
        Ok(moves)
    }

    /// Refuses folders that nothing can be moved into, so that not some things are moved and others are not.
    fn check_places(&self, folder: &Path) -> Result<()> {
        let disk = fs::metadata(folder).map_err(Error::io("look at", folder))?.dev();
        let places = self.renames.iter().map(|(_, to)| to).chain(&self.folders).map(|to| disk::parent(to));
        for place in places.collect::<BTreeSet<_>>() {
            let there = match fs::metadata(place) {
                Ok(there) => there,
                // It is made, in one that is there.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io("look at", place)(error)),
            };
            if there.dev() != disk {
                let reason = format!("it is on another disk than {}", folder.display());
                return Err(refuse(place, &reason));
            }
            access(place, Access::WRITE_OK | Access::EXEC_OK)
                .map_err(|error| refuse(place, &format!("it cannot be written to ({error})")))?;
        }
        Ok(())
    }

    /// The folders on the way to something.
    fn descend(&mut self, folder: &Path, path: &TreePath) -> Result<()> {
        let mut at = folder.to_owned();
        for name in path.names() {
            at.push(TreePath::default().child(name).as_path());
            self.folder(&at)?;
        }
        Ok(())
    }

    fn folder(&mut self, path: &Path) -> Result<()> {
        if self.files.contains(path) {
            return Err(refuse(path, "a file and a folder of that name are to be written"));
        }
        match existing(path)? {
            None if self.folders.iter().any(|known| known == path) => {}
            None => self.folders.push(path.to_owned()),
            Some(there) if there.is_dir() => {}
            Some(there) => return Err(refuse(path, &format!("{} is there, where a folder is to be", what(&there)))),
        }
        Ok(())
    }

    fn add(&mut self, staged: &Path, to: PathBuf) -> Result<()> {
        let from = fs::symlink_metadata(staged).map_err(Error::io("read", staged))?;
        if from.is_dir() {
            self.folder(&to)?;
            let entries = fs::read_dir(staged).map_err(Error::io("read", staged))?;
            for entry in entries {
                let entry = entry.map_err(Error::io("read", staged))?;
                self.add(&entry.path(), to.join(entry.file_name()))?;
            }
            return Ok(());
        }
        if let Some(there) = existing(&to)?
            && there.file_type() != from.file_type()
        {
            return Err(refuse(&to, &format!("{} is there, where {} is to be", what(&there), what(&from))));
        }
        if !self.files.insert(to.clone()) {
            return Err(refuse(&to, "two things of that name are to be written"));
        }
        if self.folders.contains(&to) {
            return Err(refuse(&to, "a file and a folder of that name are to be written"));
        }
        self.renames.push((staged.to_owned(), to));
        Ok(())
    }

    /// Moves all, and gives folders their permissions in the end: some may forbid to write into them.
    pub(super) fn carry_out(self, modes: &[(PathBuf, u32)]) -> Result<()> {
        for folder in &self.folders {
            fs::create_dir(folder).map_err(Error::io("make folder", folder))?;
        }
        for (from, to) in &self.renames {
            fs::rename(from, to).map_err(Error::io("write", to))?;
        }
        for (folder, mode) in modes.iter().rev() {
            let permissions = Permissions::from_mode(*mode);
            fs::set_permissions(folder, permissions).map_err(Error::io("set permissions of", folder))?;
        }
        let places: BTreeSet<&Path> = self
            .renames
            .iter()
            .map(|(_, to)| disk::parent(to))
            .chain(self.folders.iter().map(|f| disk::parent(f)))
            .collect();
        places.into_iter().try_for_each(disk::sync_folder)
    }
}

fn existing(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

fn what(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "a folder"
    } else if metadata.is_symlink() {
        "a link"
    } else if metadata.is_file() {
        "a file"
    } else {
        "a device, pipe or socket"
    }
}

fn refuse(path: &Path, reason: &str) -> Error {
    Error::Unsupported { path: path.to_owned(), reason: format!("{reason}; nothing was written") }
}

#[cfg(test)]
mod tests;
