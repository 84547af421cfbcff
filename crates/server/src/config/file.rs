//! Settings from the TOML file, each with its line.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::given::Given;
use super::suggest::{nearest, with_hint};
use super::{Origin, Problem, Raw, SECTIONS, Section, Setting, settings};

pub(super) fn read(path: &Path, text: &str, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut file = File { path, text, problems, given: vec![] };
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        file.top(table.get_ref());
    } else {
        // What could be saved of a broken file would be complained about wrongly.
        file.refuse_syntax(&errors);
    }
    file.given
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
    given: Vec<Given>,
}

impl File<'_> {
    /// The first error of each line: the others follow from it.
    fn refuse_syntax(&mut self, errors: &[toml::de::Error]) {
        let mut errors: Vec<_> =
            errors.iter().map(|error| (error.span().map_or(0, |span| span.start), error.message())).collect();
        errors.sort_by_key(|(at, _)| *at);
        errors.dedup_by_key(|(at, _)| self.line(*at));
        for (at, message) in errors {
            self.refuse(at, "", message);
        }
    }

    fn top(&mut self, table: &DeTable<'_>) {
        for (name, value) in in_order(table) {
            let section = SECTIONS.iter().find(|section| section.name == name.get_ref() && !section.name.is_empty());
            match (section, value.get_ref()) {
                (Some(section), DeValue::Table(table)) => self.section(section, table),
                (Some(_), _) => {
                    self.refuse(name.span().start, name.get_ref(), format!("is a section: write [{}]", name.get_ref()));
                }
                (None, DeValue::Table(_)) if setting(name.get_ref()).is_none() => self.unknown_section(name),
                (None, _) => self.entry(name.get_ref(), name.span().start, value.get_ref()),
            }
        }
    }

    fn section(&mut self, section: &Section, table: &DeTable<'_>) {
        for (name, value) in in_order(table) {
            self.entry(&format!("{}.{}", section.name, name.get_ref()), name.span().start, value.get_ref());
        }
    }

    fn unknown_section(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>) {
        let sections = SECTIONS.iter().map(|section| section.name).filter(|name| !name.is_empty());
        let hint = nearest(name.get_ref(), sections.map(String::from)).map(|name| format!("[{name}]"));
        self.refuse(name.span().start, &format!("[{}]", name.get_ref()), with_hint("there is no such section", hint));
    }

    fn entry(&mut self, key: &str, at: usize, value: &DeValue<'_>) {
        let Some(setting) = setting(key) else {
            let hint = nearest(key, settings().map(|setting| setting.key.into()));
            return self.refuse(at, key, with_hint("there is no such setting", hint));
        };
        let origin = Origin::File { path: self.path.into(), line: self.line(at) };
        self.given.push(Given { setting, raw: raw(value, setting), origin });
    }

    fn refuse(&mut self, at: usize, key: &str, message: impl Into<String>) {
        let place = Origin::File { path: self.path.into(), line: self.line(at) }.place(key);
        self.problems.push(Problem::new(place.trim_end_matches(": "), message));
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|b| *b == b'\n').count()
    }
}

/// By place in the file, so that problems come in the order in which a reader meets them.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn setting(key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.key == key)
}

fn raw(value: &DeValue<'_>, setting: &Setting) -> Result<Raw, String> {
    match value {
        DeValue::Array(parts) => {
            Ok(Raw::List(parts.iter().map(|part| text(part.get_ref(), setting)).collect::<Result<_, _>>()?))
        }
        value => Ok(Raw::Text(text(value, setting)?)),
    }
}

fn text(value: &DeValue<'_>, setting: &Setting) -> Result<String, String> {
    let bare = match value {
        DeValue::String(text) => return Ok(text.clone().into_owned()),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| format!("{number} is not a number that can be used here"))?
            .to_string(),
        value => return Err(format!("is a TOML {}: expected {}", value.type_str(), (setting.kind)())),
    };
    if setting.quoted { Err(format!("expected {}, in quotes", (setting.kind)())) } else { Ok(bare) }
}
