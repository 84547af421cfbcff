//! Where podman, buildah and CRI-O keep images: storage.conf(5), read as they read it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Error, Result};

/// What decides which storage is somebody's: who they are, and their environment.
pub struct Surroundings {
    /// Their user's id; 0 has the machine's storage.
    pub uid: u32,
    /// Those of [`Surroundings::VARIABLES`] that are set and not empty.
    pub variables: BTreeMap<&'static str, String>,
    /// The folder that the system's files are in: `/`.
    pub system: PathBuf,
}

impl Surroundings {
    /// The variables of the environment that count.
    pub const VARIABLES: [&str; 6] =
        ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER", "USER"];

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The folder that `variable` names, else `default` in the home folder.
    fn folder(&self, variable: &str, default: &str) -> Option<PathBuf> {
        let given = self.variable(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        given.or_else(|| Some(Path::new(self.variable("HOME")?).join(default)))
    }

    /// `$HOME/storage`, filled in.
    fn expand(&self, text: &str) -> PathBuf {
        let mut path = text.to_owned();
        let uid = self.uid.to_string();
        for (name, value) in self.variables.iter().map(|(name, value)| (*name, value)).chain([("UID", &uid)]) {
            path = path.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
        }
        path.into()
    }
}

/// The folders of one storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Such as `overlay`: how layers are kept, and what the names of folders begin with.
    pub driver: String,
    /// Images and their layers are looked for in these, in order: an image store of its own, the storage, and additional
    /// stores, which are only ever read.
    pub roots: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    storage: Section,
}

#[derive(Default, Deserialize)]
struct Section {
    driver: Option<String>,
    graphroot: Option<String>,
    imagestore: Option<String>,
    rootless_storage_path: Option<String>,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
struct Options {
    /// Paths; from podman 6 on also a table that says how to add to those of another file.
    #[serde(default)]
    additionalimagestores: Vec<toml::Value>,
}

impl Section {
    fn read(file: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", file)(error)),
        };
        let parsed: File = toml::from_str(&text).map_err(|error| Error::Damaged {
            place: file.display().to_string(),
            reason: error.message().to_owned(),
        })?;
        Ok(Some(parsed.storage))
    }

    /// What is said here counts, and what is not is as it was.
    fn over(self, below: Self) -> Self {
        let mut additional = self.options.additionalimagestores;
        if additional.is_empty() {
            additional = below.options.additionalimagestores;
        }
        Self {
            driver: self.driver.or(below.driver),
            graphroot: self.graphroot.or(below.graphroot),
            imagestore: self.imagestore.or(below.imagestore),
            rootless_storage_path: self.rootless_storage_path.or(below.rootless_storage_path),
            options: Options { additionalimagestores: additional },
        }
    }
}

impl Places {
    /// Finds them; none when there is no home folder to find a user's in. That a folder is named does not mean that it
    /// is there.
    pub fn find(around: &Surroundings) -> Result<Option<Self>> {
        let conf = configured(around)?;
        let expanded = |path: Option<&String>| path.filter(|path| !path.is_empty()).map(|path| around.expand(path));
        let for_users = if around.uid == 0 { None } else { conf.rootless_storage_path.as_ref() };
        let Some(graph) = expanded(conf.graphroot.as_ref()).or_else(|| expanded(for_users)).or_else(|| default(around))
        else {
            return Ok(None);
        };
        let asked = around.variable("STORAGE_DRIVER").or(conf.driver.as_deref());
        let image_store = expanded(conf.imagestore.as_ref());
        let additional = conf.options.additionalimagestores.iter().filter_map(toml::Value::as_str);
        let additional: Vec<_> = additional.map(|path| around.expand(path)).collect();
        let roots: Vec<_> = image_store.into_iter().chain([graph]).chain(additional).collect();
        Ok(Some(Self { driver: driver(asked, &roots), roots }))
    }

    /// The storage in one folder, as `podman --root FOLDER` has it.
    pub fn at(root: PathBuf) -> Self {
        let roots = vec![root];
        Self { driver: driver(None, &roots), roots }
    }
}

/// The file of `CONTAINERS_STORAGE_CONF` alone; else the user's over the system's. Where images are is not taken from
/// the system's file for a user: it is the machine's own storage that it speaks of.
fn configured(around: &Surroundings) -> Result<Section> {
    if let Some(file) = around.variable("CONTAINERS_STORAGE_CONF").map(Path::new) {
        let missing = || Error::io("read", file)(std::io::ErrorKind::NotFound.into());
        return Section::read(file)?.ok_or_else(missing);
    }
    let mut system = None;
    for file in ["etc/containers/storage.conf", "usr/share/containers/storage.conf"] {
        if system.is_none() {
            system = Section::read(&around.system.join(file))?;
        }
    }
    let mut system = system.unwrap_or_default();
    if around.uid == 0 {
        return Ok(system);
    }
    (system.graphroot, system.imagestore) = (None, None);
    let folder = around.folder("XDG_CONFIG_HOME", ".config");
    let own = folder.map(|folder| Section::read(&folder.join("containers/storage.conf"))).transpose()?.flatten();
    Ok(own.unwrap_or_default().over(system))
}

fn default(around: &Surroundings) -> Option<PathBuf> {
    if around.uid == 0 {
        return Some(around.system.join("var/lib/containers/storage"));
    }
    Some(around.folder("XDG_DATA_HOME", ".local/share")?.join("containers/storage"))
}

/// What was asked for, unless there are images only of another, which was chosen when the storage was made.
fn driver(asked: Option<&str>, roots: &[PathBuf]) -> String {
    let asked = asked.map(|driver| if driver == "overlay2" { "overlay" } else { driver });
    let is_there = |driver: &&str| roots.iter().any(|root| root.join(format!("{driver}-images/images.json")).is_file());
    let known = asked.into_iter().chain(["overlay", "vfs", "btrfs", "zfs"]);
    known.clone().find(is_there).or(asked).unwrap_or("overlay").to_owned()
}

#[cfg(test)]
mod tests;
