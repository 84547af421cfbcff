//! Lines of a Containerfile that change how an image runs: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `LABEL`, `STOPSIGNAL`,
//! `USER`, `VOLUME` and `WORKDIR`. Those that podman import takes, written as there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
/// Written as an object of empty objects, as Go writes sets.
type Set = BTreeSet<String>;

fn as_object<S: Serializer>(set: &Set, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(set.iter().map(|name| (name, serde_json::Map::new())))
}

/// What an image is to run as: the member `config` of its configuration (image-spec, config.md).
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Changes {
    #[serde(skip_serializing_if = "String::is_empty")]
    user: String,
    #[serde(skip_serializing_if = "Set::is_empty", serialize_with = "as_object")]
    exposed_ports: Set,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entrypoint: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cmd: Vec<String>,
    #[serde(skip_serializing_if = "Set::is_empty", serialize_with = "as_object")]
    volumes: Set,
    #[serde(skip_serializing_if = "String::is_empty")]
    working_dir: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    stop_signal: String,
}

impl Changes {
    /// Reads lines such as `CMD /bin/sh`, in their order; a later one wins. The error is a sentence.
    pub fn parse(lines: &[String]) -> Result<Self, String> {
        let mut changes = Self::default();
        for line in lines {
            changes.apply(line).map_err(|reason| format!("the change {line:?} is none: {reason}"))?;
        }
        Ok(changes)
    }

    fn apply(&mut self, change: &str) -> Result<(), String> {
        let (word, rest) = change.trim().split_once([' ', '\t']).unwrap_or((change.trim(), ""));
        let rest = rest.trim();
        if rest.is_empty() {
            return Err("it says nothing; expected such as CMD /bin/sh".to_owned());
        }
        match word.to_ascii_uppercase().as_str() {
            "CMD" => self.cmd = command(rest)?,
            "ENTRYPOINT" => self.entrypoint = command(rest)?,
            "ENV" => {
                for (name, value) in pairs(rest)? {
                    self.env.retain(|known| known.split('=').next() != Some(name.as_str()));
                    self.env.push(format!("{name}={value}"));
                }
            }
            "LABEL" => self.labels.extend(pairs(rest)?),
            "EXPOSE" => {
                for port in rest.split_whitespace() {
                    let port = if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") };
                    self.exposed_ports.insert(port);
                }
            }
            "VOLUME" => {
                let words = || rest.split_whitespace().map(str::to_owned).collect();
                self.volumes.extend(list(rest).transpose()?.unwrap_or_else(words));
            }
            "USER" => rest.clone_into(&mut self.user),
            "WORKDIR" => rest.clone_into(&mut self.working_dir),
            "STOPSIGNAL" => rest.clone_into(&mut self.stop_signal),
            _ => {
                return Err("its word is unknown; there are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, \
                            VOLUME and WORKDIR"
                    .to_owned());
            }
        }
        Ok(())
    }
}

/// A JSON list, or words for a shell.
fn command(text: &str) -> Result<Vec<String>, String> {
    list(text).unwrap_or_else(|| Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]))
}

fn list(text: &str) -> Option<Result<Vec<String>, String>> {
    let is_list = text.starts_with('[');
    is_list.then(|| serde_json::from_str(text).map_err(|error| format!("it is no list of texts: {error}")))
}

/// `A=1 B="two words"`; or `A all of the line`, which Docker's first versions had.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let words = words(text)?;
    if words.first().is_some_and(|word| !word.contains('=')) {
        let (name, value) = text.split_once([' ', '\t']).ok_or("it has no value; expected NAME=VALUE")?;
        return Ok(vec![(name.to_owned(), value.trim().to_owned())]);
    }
    let pair = |word: &String| {
        let (name, value) = word.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some((name.to_owned(), value.to_owned()))
    };
    words.iter().map(|word| pair(word).ok_or_else(|| format!("{word:?} is not of the form NAME=VALUE"))).collect()
}

/// Parted by blanks, but for those in quotes or after a backslash.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = vec![];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (_, Some(open)) if char == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (_, None) if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    if quote.is_some() {
        return Err("a quotation mark in it is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}
