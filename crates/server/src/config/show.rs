//! `wharf config show`: every value, and where it comes from.

use std::fmt::Write as _;

use super::{Loaded, Raw, Setting, settings};

/// A table for people, or with `json` an array of `{"key", "value", "origin"}`. Secrets are masked in both.
pub fn render_show(loaded: &Loaded, json: bool) -> String {
    if json { as_json(loaded) } else { as_table(loaded) }
}

fn value(setting: &Setting, loaded: &Loaded) -> Option<Raw> {
    let shown = (setting.show)(&loaded.config)?;
    Some(if setting.secret { Raw::Text("•••".into()) } else { shown })
}

fn as_table(loaded: &Loaded) -> String {
    let row = |setting: &Setting| {
        let value = match value(setting, loaded) {
            None => "-".into(),
            Some(Raw::Text(text)) => text,
            Some(Raw::List(parts)) if parts.is_empty() => "-".into(),
            Some(Raw::List(parts)) => parts.join(", "),
        };
        // One line each, whatever a value holds.
        [setting.key.into(), value.replace(char::is_control, "\u{fffd}"), loaded.origin(setting.key).to_string()]
    };
    let rows: Vec<[String; 3]> = settings().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (keys, values) = (width(0), width(1));
    let mut table = String::new();
    for [key, value, origin] in &rows {
        let _ = writeln!(table, "{key:keys$}  {value:values$}  {origin}");
    }
    table
}

fn as_json(loaded: &Loaded) -> String {
    let row = |setting: &Setting| {
        let value = match value(setting, loaded) {
            None => serde_json::Value::Null,
            Some(Raw::List(parts)) => parts.into(),
            // Numbers and booleans as such; sizes with a unit are texts.
            Some(Raw::Text(text)) if !setting.quoted => serde_json::from_str(&text).unwrap_or(text.into()),
            Some(Raw::Text(text)) => text.into(),
        };
        serde_json::json!({"key": setting.key, "value": value, "origin": loaded.origin(setting.key).to_string()})
    };
    let rows: Vec<_> = settings().map(row).collect();
    format!("{:#}\n", serde_json::Value::from(rows))
}

#[cfg(test)]
mod tests;
