//! The files themselves. Keys that are not known are passed over: other programs have keys of their own there.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Registries;
use crate::{Error, Result};

/// Which files there are to read, in this order; later ones win.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// The first of these that exists, alone.
    pub(crate) main: Vec<PathBuf>,
    /// Folders whose `*.conf` are read in the order of their names.
    pub(crate) drop_ins: Vec<PathBuf>,
    /// Short names that podman's users have chosen.
    pub(crate) chosen: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    unqualified_search_registries: Option<Vec<String>>,
    credential_helpers: Option<Vec<String>>,
    #[serde(default, rename = "registry")]
    registries: Vec<Entry>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    /// Only version 1 has it.
    #[serde(rename = "registries")]
    version_1: Option<toml::Value>,
}

/// `[[registry]]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Entry {
    prefix: Option<String>,
    pub(super) location: Option<String>,
    #[serde(default)]
    pub(super) insecure: bool,
    #[serde(default)]
    pub(super) blocked: bool,
    #[serde(default)]
    pub(super) mirror_by_digest_only: bool,
    #[serde(default, rename = "mirror")]
    pub(super) mirrors: Vec<Mirror>,
}

/// `[[registry.mirror]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Mirror {
    pub(super) location: String,
    #[serde(default)]
    pub(super) insecure: bool,
    #[serde(default, rename = "pull-from-mirror")]
    pub(super) pull_from: Which,
}

/// What a mirror serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Which {
    #[default]
    All,
    DigestOnly,
    TagOnly,
}

impl Files {
    /// Reads them all; a file that is not there says nothing.
    pub(crate) fn read(&self) -> Result<Registries> {
        let mut all = Registries::default();
        for path in &self.main {
            if let Some(text) = text_of(path)? {
                all.add(path, &text)?;
                break;
            }
        }
        for folder in &self.drop_ins {
            for path in conf_files(folder)? {
                if let Some(text) = text_of(&path)? {
                    all.add(&path, &text)?;
                }
            }
        }
        if let Some(path) = &self.chosen
            && let Some(text) = text_of(path)?
        {
            all.add(path, &text)?;
        }
        Ok(all)
    }
}

impl Registries {
    /// Lays one file over what is known.
    pub(super) fn add(&mut self, path: &Path, text: &str) -> Result<()> {
        let wrong =
            |problem: &str| Error::Failed(format!("{}: {problem}; see containers-registries.conf(5)", path.display()));
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().map(|at| text.bytes().take(at.start).filter(|byte| *byte == b'\n').count());
            let line = before.map(|before| format!("line {}: ", before + 1)).unwrap_or_default();
            wrong(&format!("{line}{}", error.message()))
        })?;
        if file.version_1.is_some() {
            return Err(wrong("it is of version 1, which is not read any more; write it as version 2"));
        }
        self.search = file.unqualified_search_registries.unwrap_or_else(|| std::mem::take(&mut self.search));
        self.helpers = file.credential_helpers.unwrap_or_else(|| std::mem::take(&mut self.helpers));
        // An alias to nothing takes one of an earlier file away.
        for (name, full) in file.aliases {
            if full.is_empty() { drop(self.aliases.remove(&name)) } else { drop(self.aliases.insert(name, full)) }
        }
        for entry in file.registries {
            let prefix = entry.prefix.clone().or_else(|| entry.location.clone()).unwrap_or_default();
            let prefix = prefix.trim_end_matches('/').to_owned();
            if prefix.is_empty() || prefix.contains("://") {
                return Err(wrong("a [[registry]] needs a prefix or a location, as host[:port][/path]"));
            }
            self.entries.insert(prefix, entry);
        }
        Ok(())
    }
}

fn text_of(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(path)(error)),
    }
}

fn conf_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(Error::file(folder)(error)),
    };
    let mut found = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>();
    if let Ok(found) = &mut found {
        found.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
        found.sort();
    }
    found.map_err(Error::file(folder))
}
