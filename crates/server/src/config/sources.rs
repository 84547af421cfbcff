//! All that is read from outside: the one place that looks at the environment and opens the file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Flag, Problem, Secret, ServeFlags};

const SYSTEM_FILE: &str = "/etc/wharf/wharf.toml";
const SYSTEM_DATA: &str = "/var/lib/wharf";

/// What a configuration is made of. Not `Debug`: files and variables may hold secrets.
#[derive(Clone, Default)]
pub struct Sources {
    /// The configuration file's path and text.
    pub file: Option<(PathBuf, String)>,
    /// `WHARF_*`, `HOME` and the XDG folders; others are of no interest.
    pub env: BTreeMap<String, String>,
    /// Settings given on the command line.
    pub flags: Vec<Flag>,
    /// Whether root runs the server, which then keeps its things in the system's folders.
    pub root: bool,
    /// The administrator's first password, if the environment has it.
    pub admin_password: Option<AdminPassword>,
    /// What could not be read; reported together with the rest.
    pub unread: Vec<Problem>,
}

/// The password with which the administrator's account is made. It acts only then, so a file is opened only then: it
/// may be gone on later starts.
#[derive(Clone, Debug)]
pub enum AdminPassword {
    /// `WHARF_ADMIN_PASSWORD`
    Text(Secret),
    /// `WHARF_ADMIN_PASSWORD_FILE`
    File(PathBuf),
}

impl AdminPassword {
    /// The password; of a file, its text without the line's end. Fails when the file cannot be read or is empty.
    pub fn read(&self) -> io::Result<Secret> {
        let path = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            io::Error::new(error.kind(), format!("WHARF_ADMIN_PASSWORD_FILE: {}: {error}", path.display()))
        })?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(io::Error::other(format!("WHARF_ADMIN_PASSWORD_FILE: {} is empty", path.display()))),
            password => Ok(Secret::new(password)),
        }
    }
}

impl Sources {
    /// Reads the environment and the configuration file: the one that `--config` or `WHARF_CONFIG` names, which must be
    /// there, or `/etc/wharf/wharf.toml` (root), `$XDG_CONFIG_HOME/wharf/wharf.toml` (others) if that is there.
    pub fn collect(flags: &ServeFlags) -> Self {
        let mut sources = Self { flags: flags.given(), root: rustix::process::geteuid().is_root(), ..Self::default() };
        sources.take_env(std::env::vars_os());
        sources.take_admin_password();
        sources.read_file(flags.config.as_deref());
        sources
    }

    fn take_env(&mut self, vars: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>) {
        for (name, value) in vars {
            let Some(name) = name.to_str() else { continue };
            let wanted = name.starts_with("WHARF_") || matches!(name, "HOME" | "XDG_CONFIG_HOME" | "XDG_DATA_HOME");
            match value.into_string() {
                Ok(value) if wanted => drop(self.env.insert(name.into(), value)),
                Err(_) if wanted => self.unread.push(Problem::new(name, "is not UTF-8")),
                _ => {}
            }
        }
    }

    fn take_admin_password(&mut self) {
        // `-e WHARF_ADMIN_PASSWORD=` is how compose files leave a variable out.
        let mut take = |name| self.env.remove(name).filter(|value| !value.is_empty());
        let (text, file) = (take("WHARF_ADMIN_PASSWORD"), take("WHARF_ADMIN_PASSWORD_FILE"));
        self.admin_password = match (text, file) {
            (Some(_), Some(_)) => {
                let both = "is given beside WHARF_ADMIN_PASSWORD: give one of them";
                self.unread.push(Problem::new("WHARF_ADMIN_PASSWORD_FILE", both));
                None
            }
            (Some(text), None) => Some(AdminPassword::Text(Secret::new(text))),
            (None, file) => file.map(|path| AdminPassword::File(path.into())),
        };
    }

    fn read_file(&mut self, flag: Option<&Path>) {
        let named = flag.map(|path| (path.to_owned(), "--config")).or_else(|| {
            let path = self.env.get("WHARF_CONFIG").filter(|path| !path.is_empty())?;
            Some((path.into(), "WHARF_CONFIG"))
        });
        let usual = named.is_none();
        let Some((path, place)) = named.or_else(|| Some((self.usual_file()?, "configuration file"))) else { return };
        match std::fs::read_to_string(&path) {
            Ok(text) => self.file = Some((path, text)),
            Err(error) if usual && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if usual => {
                let message =
                    format!("{}: {error}: check whose HOME this is, or name a file by --config", path.display());
                self.unread.push(Problem::new(place, message));
            }
            Err(error) => self.unread.push(Problem::new(place, format!("{}: {error}", path.display()))),
        }
    }

    fn usual_file(&self) -> Option<PathBuf> {
        if self.root {
            return Some(SYSTEM_FILE.into());
        }
        Some(self.xdg("XDG_CONFIG_HOME", ".config")?.join("wharf/wharf.toml"))
    }

    /// A folder of the XDG Base Directory Specification, which wants relative paths ignored.
    fn xdg(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        let folder = |name| self.env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        folder(name).or_else(|| Some(folder("HOME")?.join(below_home)))
    }
}

/// The default of `data`.
pub(super) fn default_data(sources: &Sources) -> Result<String, String> {
    if sources.root {
        return Ok(SYSTEM_DATA.into());
    }
    let folder = sources.xdg("XDG_DATA_HOME", ".local/share").map(|folder| folder.join("wharf"));
    let folder = folder.and_then(|folder| folder.into_os_string().into_string().ok());
    folder.ok_or_else(|| "has no default, because neither XDG_DATA_HOME nor HOME is set: give --data".into())
}

#[cfg(test)]
mod tests;
