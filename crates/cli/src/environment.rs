//! What the commands take from outside: the one place that looks at the environment and at the clock.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::{Error, Result};

/// The folder of contexts and credentials: `$WHARF_CONFIG_HOME`, else `wharf` in `$XDG_CONFIG_HOME` or `~/.config`.
pub(crate) fn config_folder() -> Result<PathBuf> {
    // The XDG Base Directory Specification wants relative paths ignored; ours does what it says.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(folder) = variable("WHARF_CONFIG_HOME") {
        return Ok(folder.into());
    }
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    let folder = base.map(|base| base.join("wharf"));
    folder.ok_or_else(|| Error::Failed("there is no folder for sign-ins: set HOME or WHARF_CONFIG_HOME".into()))
}

/// The context to use when `--context` is not given.
pub(crate) fn context() -> Option<String> {
    variable("WHARF_CONTEXT")
}

/// An empty one is as good as none: that is how compose files leave a variable out.
#[expect(clippy::disallowed_methods, reason = "the commands' own place for it, as server::config is the server's")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a person says '2 hours ago' and means their own clock")]
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
