//! The files: read leniently, written with everything that was in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wharf_oci::hub;

use super::helper::Helper;
use super::{Error, Login, Result, host_of_url, keys};
use crate::Secret;

/// One entry of `auths`.
#[derive(Deserialize)]
pub(super) struct Entry {
    /// Base64 of `user:password`.
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    identitytoken: Option<String>,
    #[serde(default)]
    registrytoken: Option<String>,
}

impl Entry {
    /// `None` for an entry that only marks that a helper has it.
    fn login(self) -> std::result::Result<Option<Login>, String> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let both = match given(self.auth) {
            Some(auth) => Some(decoded(&auth)?),
            None => given(self.username).zip(given(self.password)),
        };
        let user = both.as_ref().map(|(user, _)| user.clone()).unwrap_or_default();
        if let Some(token) = given(self.identitytoken) {
            return Ok(Some(Login::IdentityToken { user, token: Secret::new(token) }));
        }
        if let Some(token) = given(self.registrytoken) {
            return Ok(Some(Login::AccessToken(Secret::new(token))));
        }
        Ok(both.map(|(user, password)| Login::Password { user, password: Secret::new(password) }))
    }
}

/// docker once padded with NUL bytes, and readers cut them.
fn decoded(auth: &str) -> std::result::Result<(String, String), String> {
    let bytes = BASE64_STANDARD.decode(auth.trim()).map_err(|_| "an auth is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "an auth is not UTF-8")?;
    let (user, password) = text.split_once(':').ok_or("an auth is not user:password")?;
    Ok((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

/// A file's members; those that are not known stay.
pub(super) struct Contents(Map<String, Value>);

impl Contents {
    pub(super) fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        // A file that was made by touch has nothing, and is no mistake.
        if text.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        // Its own words could quote a secret.
        serde_json::from_slice(text).map(Self).map_err(|error| format!("no JSON object, line {}", error.line()))
    }

    pub(super) fn legacy(text: &[u8]) -> std::result::Result<Self, String> {
        let Self(hosts) = Self::parse(text)?;
        Ok(Self(Map::from_iter([("auths".to_owned(), Value::Object(hosts))])))
    }

    fn members(&self, of: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.0.get(of).and_then(Value::as_object).into_iter().flatten()
    }

    /// The helper of one host, and the key it stands under.
    pub(super) fn helper(&self, host: &str) -> Option<(&str, &str)> {
        let named = |(key, value): (&'_ String, &'_ Value)| is_for(key, host) && value.is_string();
        let (key, name) = self.members("credHelpers").find(|entry| named(*entry))?;
        Some((key, name.as_str()?)).filter(|(_, name)| !name.is_empty()).map(|(key, name)| (key.as_str(), name))
    }

    /// The helper of all hosts.
    pub(super) fn store(&self) -> Option<&str> {
        self.0.get("credsStore").and_then(Value::as_str).filter(|name| !name.is_empty())
    }

    /// What is in the file itself: by the longest key that names the repository, then by URLs of the host.
    pub(super) fn login(&self, host: &str, repository: &str) -> std::result::Result<Option<Login>, String> {
        let exact = keys(host, repository).into_iter().filter_map(|wanted| self.entry(|key| key == wanted));
        let by_url = self.entry(|key| host_of_url(key).is_some_and(|named| named == host));
        let by_alias = self.entry(|key| !key.contains('/') && hub::name_of(key) == host);
        for (key, entry) in exact.chain(by_url).chain(by_alias) {
            let entry = Entry::deserialize(entry).map_err(|_| format!("the entry of {key}"))?;
            if let Some(login) = entry.login().map_err(|problem| format!("{problem}, in the entry of {key}"))? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }

    fn entry(&self, wanted: impl Fn(&str) -> bool) -> Option<(&String, &Value)> {
        self.members("auths").find(|(key, _)| wanted(key))
    }

    /// Sets a member of a member, and whatever else there is stays.
    fn set(&mut self, of: &str, key: &str, value: Value) {
        let mut members = match self.0.remove(of) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        members.insert(key.into(), value);
        self.0.insert(of.into(), Value::Object(members));
    }

    /// Takes away what `goes` says, and says whether there was any.
    fn unset(&mut self, of: &str, goes: impl Fn(&str, &Value) -> bool) -> bool {
        let Some(members) = self.0.get_mut(of).and_then(Value::as_object_mut) else { return false };
        let before = members.len();
        members.retain(|key, value| !goes(key, value));
        let after = members.len();
        if after == 0 {
            self.0.remove(of);
        }
        after < before
    }

    /// As it was indented before, by a tab if nobody says.
    fn written(&self, before: &[u8]) -> Vec<u8> {
        let line = before.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        let spaces = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let indent = if spaces == 0 { b"\t" } else { &line[..spaces] };
        let mut text = vec![];
        let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        // Strings and numbers in memory: it cannot fail.
        let _ = self.0.serialize(&mut serializer);
        text.extend(before.ends_with(b"\n").then_some(b'\n'));
        text
    }
}

fn is_for(key: &str, host: &str) -> bool {
    hub::host_of(key) == host
}

/// The bytes of a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(Error::File { path: path.to_owned(), source }),
    }
}

/// A file that sign-ins are written to.
#[derive(Clone, Debug)]
pub struct AuthFile {
    path: PathBuf,
    is_docker: bool,
    programs: Option<PathBuf>,
}

impl AuthFile {
    /// podman's `auth.json`.
    pub fn containers(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_docker: false, programs: None }
    }

    /// docker's `config.json`.
    pub fn docker(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_docker: true, programs: None }
    }

    /// Looks for helpers in that folder only, instead of where programs usually are.
    #[must_use]
    pub fn with_helpers_in(self, folder: impl Into<PathBuf>) -> Self {
        Self { programs: Some(folder.into()), ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a sign-in: with the helper that the file names for the host, else in the file itself. `key` is a host, or
    /// `host/namespace` in podman's file.
    pub fn store(&self, key: &str, login: &Login) -> Result<()> {
        let key = self.key(key);
        let helper = self.change(|contents| {
            let helper = self.helper_for(contents, &key);
            let entry = if helper.is_none() { Some(entry_of(login)) } else { self.is_docker.then(|| json!({})) };
            if let Some(entry) = entry {
                contents.set("auths", &key, entry);
            }
            helper
        })?;
        match helper {
            Some((key, name)) => Helper::new(&name, self.programs.as_deref())?.store(&key, login),
            None => Ok(()),
        }
    }

    /// Forgets the sign-in to a host, also where a helper has it. Says whether there was one.
    pub fn erase(&self, key: &str) -> Result<bool> {
        if read(&self.path)?.is_none() {
            return Ok(false);
        }
        let key = self.key(key);
        let (helper, was_in_file) = self.change(|contents| {
            let helper = self.helper_for(contents, &key);
            let host = hub::host_of(&key);
            let goes = |known: &str, _: &Value| known == key || host_of_url(known).is_some_and(|named| named == host);
            (helper, contents.unset("auths", goes))
        })?;
        let Some((key, name)) = helper else { return Ok(was_in_file) };
        let helper = Helper::new(&name, self.programs.as_deref())?;
        let was_there = helper.get(&key)?.is_some();
        if was_there {
            helper.erase(&key)?;
        }
        Ok(was_there || was_in_file)
    }

    /// The helper that the file names for a host, or for all.
    pub fn helper(&self, host: &str) -> Result<Option<String>> {
        let text = read(&self.path)?.unwrap_or_default();
        let place = self.path.display().to_string();
        let contents = Contents::parse(&text).map_err(|problem| Error::Malformed { place, problem })?;
        Ok(self.helper_for(&contents, &self.key(host)).map(|(_, name)| name))
    }

    /// Names a helper for a host: `wharf` for `docker-credential-wharf`. What the file itself has for the host goes.
    pub fn set_helper(&self, host: &str, name: &str) -> Result<()> {
        let key = self.key(host);
        self.change(|contents| {
            contents.set("credHelpers", &key, json!(name));
            contents.unset("auths", |known, _| known == key);
        })
    }

    /// Takes a host from a helper, if it is that one's. Says whether it was.
    pub fn unset_helper(&self, host: &str, name: &str) -> Result<bool> {
        if read(&self.path)?.is_none() {
            return Ok(false);
        }
        let key = self.key(host);
        self.change(|contents| contents.unset("credHelpers", |known, value| known == key && value == name))
    }

    fn key(&self, key: &str) -> String {
        let host = hub::host_of(key);
        if self.is_docker && host == hub::NAME { hub::KEY.into() } else { host.into() }
    }

    fn helper_for(&self, contents: &Contents, key: &str) -> Option<(String, String)> {
        let host = host_of_url(key).unwrap_or(key);
        let of_host = contents.helper(host).map(|(key, name)| (key.to_owned(), name.to_owned()));
        let store = contents.store().filter(|_| self.is_docker);
        of_host.or_else(|| store.map(|name| (key.to_owned(), name.to_owned())))
    }

    /// Under a lock of the folder, so that two of us lose nothing. Where a link is, what it points at is replaced.
    fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> Result<T> {
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let wrong = |source| Error::File { path: path.clone(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrong)?;
        let folder = File::open(folder).map_err(wrong)?;
        folder.lock().map_err(wrong)?;
        let before = read(&path)?.unwrap_or_default();
        let place = path.display().to_string();
        let mut contents = Contents::parse(&before).map_err(|problem| Error::Malformed { place, problem })?;
        let outcome = change(&mut contents);
        let after = contents.written(&before);
        if after != before {
            replace(&path, &after, &folder).map_err(wrong)?;
        }
        Ok(outcome)
    }
}

fn entry_of(login: &Login) -> Value {
    // They leave for the file they are kept in.
    let auth = |user: &str, password: &str| BASE64_STANDARD.encode(format!("{user}:{password}"));
    match login {
        Login::Password { user, password } => json!({ "auth": auth(user, password.expose()) }),
        Login::IdentityToken { user, token } if user.is_empty() => json!({ "identitytoken": token.expose() }),
        Login::IdentityToken { user, token } => json!({ "auth": auth(user, ""), "identitytoken": token.expose() }),
        Login::AccessToken(token) => json!({ "registrytoken": token.expose() }),
    }
}

/// Durably: the old or the new is there, whatever happens.
fn replace(path: &Path, text: &[u8], folder: &File) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.wharf-new"));
    let write = || {
        // Under the lock there is one writer, so what is there was left by one that was cut.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        folder.sync_all()
    };
    let outcome = write();
    if outcome.is_err() {
        // It was not taken into use: what is left of it is nobody's.
        drop(fs::remove_file(&new));
    }
    outcome
}
