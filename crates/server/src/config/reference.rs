//! The reference page and the example file, written from the table of settings.

use std::fmt::Write as _;

use super::{Config, Raw, SECTIONS, Section, Setting};

const PREAMBLE: &str = "\
<!-- Written from crates/server/src/config: change it there; a test says how to renew this page. -->

# Configuration of `wharf serve`

A setting is taken from the first of these that has it:

1. a flag: `--listen :5000`, or for every setting `--set limits.drain=30s`
2. the environment: `WHARF_LIMITS_DRAIN=30s`
3. the configuration file: `--config FILE`, else the file that `WHARF_CONFIG` names, else `/etc/wharf/wharf.toml` for
   root and `$XDG_CONFIG_HOME/wharf/wharf.toml` (`~/.config/wharf/wharf.toml`) for others, if it is there
4. its default

`wharf config show` prints every value and where it comes from. `wharf config check` finds mistakes without starting the
server. Names that do not exist are refused, in the file and among `WHARF_*`. An [example file](wharf.example.toml) has
every setting with its default.

**Values.** Sizes are `B`, `KiB`, `MiB`, `GiB` or `TiB`; a number alone is bytes. Durations are `ms`, `s`, `m`, `h` or
`d`. A list is an array in the file, and its parts are separated by commas in flags and environment. An empty text takes
a setting back where the default is none. Relative paths start at the folder in which the server is started.

**The administrator's first password** is no setting. `WHARF_ADMIN_PASSWORD`, or the file that
`WHARF_ADMIN_PASSWORD_FILE` names, is used once, when the account `admin` is made.
";

/// The page `docs/reference/configuration.md`.
pub fn reference_markdown() -> String {
    let mut page = PREAMBLE.to_owned();
    let defaults = Config::default();
    for section in SECTIONS {
        let title =
            if section.name.is_empty() { "The top of the file".into() } else { format!("`[{}]`", section.name) };
        let _ = write!(page, "\n## {title}\n\n{}\n", wrap(section.about, ""));
        for setting in section.settings {
            entry(&mut page, setting, &defaults);
        }
    }
    page
}

fn entry(page: &mut String, setting: &Setting, defaults: &Config) {
    let _ = write!(page, "\n### `{}`\n\n{}\n\n", setting.key, wrap(setting.doc, ""));
    let _ = writeln!(page, "- Value: {}", (setting.kind)());
    let _ = writeln!(page, "- Default: {}", default_words(setting, defaults));
    let _ = writeln!(page, "- Environment: `{}`", setting.env());
    if let Some(flag) = setting.flag {
        let _ = writeln!(page, "- Flag: `{flag}`");
    }
    if setting.secret {
        let _ = writeln!(page, "- Secret: never printed");
    }
}

fn default_words(setting: &Setting, defaults: &Config) -> String {
    match (setting.computed, (setting.show)(defaults)) {
        (Some(computed), _) => computed.words.into(),
        (None, None) => "none".into(),
        (None, Some(Raw::List(parts))) if parts.is_empty() => "none".into(),
        (None, Some(Raw::List(parts))) => format!("`{}`", parts.join(",")),
        (None, Some(Raw::Text(text))) => format!("`{text}`"),
    }
}

/// The file `docs/reference/wharf.example.toml`: every setting with its default, all commented out.
pub fn example_toml() -> String {
    let mut file =
        "# Configuration of `wharf serve`: every setting with its default. docs/reference/configuration.md has more.\n\
                    # Take the `#` from a line to change it.\n"
            .to_owned();
    let defaults = Config::default();
    for section in SECTIONS {
        let _ = match section {
            Section { name: "", .. } => Ok(()),
            Section { name, about, .. } => write!(file, "\n\n{}\n[{name}]\n", wrap(about, "# ")),
        };
        for setting in section.settings {
            let name = setting.key.rsplit('.').next().unwrap_or(setting.key);
            let _ = write!(file, "\n{}\n#{name} = {}\n", wrap(setting.doc, "# "), toml_value(setting, &defaults));
        }
    }
    file
}

fn toml_value(setting: &Setting, defaults: &Config) -> String {
    let one = |text: String| {
        let bare = !setting.quoted && (text.parse::<u64>().is_ok() || text.parse::<bool>().is_ok());
        if bare { text } else { toml::Value::String(text).to_string() }
    };
    match (setting.show)(defaults) {
        None => "\"\"".into(),
        Some(Raw::Text(text)) => one(text),
        Some(Raw::List(parts)) => format!("[{}]", parts.into_iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// Lines of at most 120 characters, each with `prefix`.
fn wrap(text: &str, prefix: &str) -> String {
    let mut lines = vec![prefix.to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if last == prefix => last.push_str(word),
            Some(last) if line + 1 + word.chars().count() <= 120 => *last = format!("{last} {word}"),
            _ => lines.push(format!("{prefix}{word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
