//! What is printed: tables and blocks for people, JSON for programs, on standard output; all else on standard error.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Error, Result};

/// Something of the API's that people look at.
pub(crate) trait Show: DeserializeOwned {
    /// Columns of a table; what [`Show::show`] has beyond them is seen when one is looked at.
    const COLUMNS: usize;

    /// Its fields, names in lower case, the first of which is what it is called by.
    fn show(&self) -> Vec<(&'static str, String)>;
}

/// An object as it was read, and as it came: what a newer server says beyond what is known here stays.
#[derive(Clone, Debug)]
pub(crate) struct Seen<T> {
    pub(crate) item: T,
    pub(crate) raw: Value,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Seen<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let item = T::deserialize(&raw).map_err(D::Error::custom)?;
        Ok(Self { item, raw })
    }
}

/// Something of ours, to be shown as what comes from the API is.
pub(crate) fn seen<T: serde::Serialize>(item: T) -> Result<Seen<T>> {
    let raw = serde_json::to_value(&item).map_err(|error| Error::Failed(error.to_string()))?;
    Ok(Seen { item, raw })
}

/// How to print.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

impl Output {
    /// A list: `nothing` says on standard error that it is empty.
    pub(crate) fn list<T: Show>(self, items: &[Seen<T>], nothing: &str) -> Result<()> {
        if self.json {
            return print_json(&items.iter().map(|seen| &seen.raw).collect::<Vec<_>>());
        }
        let rows: Vec<_> = items.iter().map(|seen| seen.item.show()).collect();
        if self.quiet {
            let names = rows.iter().filter_map(|row| row.first());
            return print(&lines(names.map(|(_, name)| printable(name))));
        }
        if rows.is_empty() {
            note(nothing);
            return Ok(());
        }
        print(&table(&rows, T::COLUMNS))
    }

    /// One object.
    pub(crate) fn one<T: Show>(self, seen: &Seen<T>) -> Result<()> {
        let fields = seen.item.show();
        match fields.first() {
            _ if self.json => print_json(&seen.raw),
            Some((_, name)) if self.quiet => print(&format!("{}\n", printable(name))),
            _ => print(&block(&fields)),
        }
    }

    /// Says that something was done; `raw` is what it is now, if it is.
    pub(crate) fn done(self, raw: Option<&Value>, sentence: &str) -> Result<()> {
        match raw {
            Some(raw) if self.json => print_json(raw),
            _ if self.json || self.quiet => Ok(()),
            _ => print(&format!("{}\n", printable(sentence))),
        }
    }
}

fn table(rows: &[Vec<(&'static str, String)>], columns: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let names = rows.first().into_iter().flatten().take(columns);
    table.set_header(names.map(|(name, _)| name.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().take(columns).map(|(_, value)| or_dash(&printable(value))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    lines(table.lines().map(|line| line.trim_end().to_owned()))
}

/// `name   value`, one field a line.
pub(crate) fn block(fields: &[(&'static str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    lines(fields.iter().map(|(name, value)| format!("{name:width$}  {}", or_dash(&printable(value)))))
}

/// Each with its end.
pub(crate) fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().flat_map(|line| [line, "\n".into()]).collect()
}

/// An empty field would leave a hole that `awk` takes for no field.
fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".into() } else { text.into() }
}

/// Without what a terminal would obey: names come from other people.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// To standard output. Whoever reads it may have enough, as `head` does: then the command ends, and well.
pub(crate) fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

/// As they are, without an end of line of ours.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Error::Enough),
        Err(error) => Err(Error::Failed(format!("cannot write the output: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Indented, keys by the alphabet.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Failed(error.to_string()))?;
    print(&format!("{text}\n"))
}

/// To standard error, for people. That nobody reads it changes nothing.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// `yes` or `no`.
pub(crate) fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.into()
}

/// The text of what is there, or nothing.
pub(crate) fn opt(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
