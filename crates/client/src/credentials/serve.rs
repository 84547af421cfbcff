//! Being a credential helper: one action, asked on standard input, answered on standard output.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::{Login, TOKEN_USER};
use crate::Secret;

/// What docker, podman and their like look for in a failure: it is no failure then.
pub(super) const UNKNOWN: &str = "credentials not found in native keychain";
const NO_URL: &str = "no credentials server URL";
const NO_USER: &str = "no credentials username";
/// Bytes that may be asked with.
const LARGEST: u64 = 1024 * 1024;

/// A sign-in on the wire.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(rename = "ServerURL", default)]
    pub(super) url: String,
    #[serde(rename = "Username", default)]
    pub(super) username: String,
    #[serde(rename = "Secret", default)]
    pub(super) secret: String,
}

/// What keeps sign-ins, for others to ask for. Errors are sentences without secrets: they are printed.
pub trait Keeper {
    /// The sign-in that is kept for `url`: a host, or a URL of one.
    fn get(&mut self, url: &str) -> Result<Option<Login>, String>;
    /// Keeps one.
    fn store(&mut self, url: &str, login: Login) -> Result<(), String>;
    /// Forgets one; there may be none.
    fn erase(&mut self, url: &str) -> Result<(), String>;
    /// User names by `url`.
    fn list(&mut self) -> Result<BTreeMap<String, String>, String>;
}

/// Does what `action` says: `get`, `store`, `erase`, `list` or `version`. Says whether it did; what went wrong is on
/// `output`, where the protocol has it. Fails only when that cannot be read or written.
pub fn serve(action: &str, keeper: &mut dyn Keeper, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<bool> {
    let answer = match action {
        "get" => get(keeper, input),
        "store" => store(keeper, input),
        "erase" => asked(input).and_then(|url| keeper.erase(&url).map(|()| String::new())),
        "list" => keeper.list().map(|users| serde_json::json!(users).to_string()),
        "version" => Ok(format!("docker-credential-wharf (wharf) {}", env!("CARGO_PKG_VERSION"))),
        other => Err(format!("unknown action '{other}': it is one of get, store, erase, list, version")),
    };
    let (is_done, text) = match answer {
        Ok(text) => (true, text),
        Err(problem) => (false, problem),
    };
    if !text.is_empty() {
        writeln!(output, "{text}")?;
    }
    output.flush()?;
    Ok(is_done)
}

fn text(input: &mut dyn Read) -> Result<String, String> {
    let mut text = String::new();
    input.take(LARGEST).read_to_string(&mut text).map_err(|error| format!("nothing to read: {error}"))?;
    Ok(text)
}

fn asked(input: &mut dyn Read) -> Result<String, String> {
    let url = text(input)?.trim().to_owned();
    if url.is_empty() { Err(NO_URL.into()) } else { Ok(url) }
}

fn get(keeper: &mut dyn Keeper, input: &mut dyn Read) -> Result<String, String> {
    let url = asked(input)?;
    // They leave for whoever runs this: that is what it is for.
    let (username, secret) = match keeper.get(&url)?.ok_or(UNKNOWN)? {
        Login::Password { user, password } => (user, password.expose().to_owned()),
        Login::IdentityToken { token, .. } => (TOKEN_USER.to_owned(), token.expose().to_owned()),
        Login::AccessToken(_) => return Err(UNKNOWN.into()),
    };
    serde_json::to_string(&Stored { url, username, secret }).map_err(|error| error.to_string())
}

fn store(keeper: &mut dyn Keeper, input: &mut dyn Read) -> Result<String, String> {
    let stored: Stored = serde_json::from_str(&text(input)?).map_err(|error| {
        format!("what to store is no JSON object with ServerURL, Username and Secret (line {})", error.line())
    })?;
    if stored.url.trim().is_empty() {
        return Err(NO_URL.into());
    }
    if stored.username.is_empty() {
        return Err(NO_USER.into());
    }
    let secret = Secret::new(stored.secret);
    let login = match stored.username.as_str() {
        TOKEN_USER => Login::IdentityToken { user: String::new(), token: secret },
        _ => Login::Password { user: stored.username, password: secret },
    };
    keeper.store(stored.url.trim(), login).map(|()| String::new())
}
