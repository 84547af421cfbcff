//! Lines of a Containerfile that change how an image runs: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `LABEL`, `STOPSIGNAL`,
//! `USER`, `VOLUME` and `WORKDIR`. Those that podman import takes, written as there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// Written as an object of empty objects, as Go writes sets.
type Set = BTreeSet<String>;

fn as_object<S: Serializer>(set: &Set, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(set.iter().map(|name| (name, serde_json::Map::new())))
}

/// The member `config` of an image's configuration (image-spec, config.md).
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Run {
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

impl Run {
    /// In their order; a later one wins.
    pub(super) fn parse(changes: &[String]) -> Result<Self> {
        let mut run = Self::default();
        for change in changes {
            run.apply(change).map_err(|reason| Error::Damaged { place: format!("the change {change:?}"), reason })?;
        }
        Ok(run)
    }

    fn apply(&mut self, change: &str) -> std::result::Result<(), String> {
        let (word, rest) = change.trim().split_once([' ', '\t']).unwrap_or((change.trim(), ""));
        let rest = rest.trim();
        if rest.is_empty() {
            return Err("it says nothing; expected such as CMD /bin/sh".to_owned());
        }
        match word.to_ascii_uppercase().as_str() {
            "CMD" => self.cmd = command(rest)?,
            "ENTRYPOINT" => self.entrypoint = command(rest)?,
            "ENV" => {
                let (name, value) = pair(rest)?;
                self.env.retain(|known| known.split('=').next() != Some(name));
                self.env.push(format!("{name}={value}"));
            }
            "LABEL" => {
                let (name, value) = pair(rest)?;
                self.labels.insert(name.to_owned(), value.to_owned());
            }
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
fn command(text: &str) -> std::result::Result<Vec<String>, String> {
    list(text).unwrap_or_else(|| Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]))
}

fn list(text: &str) -> Option<std::result::Result<Vec<String>, String>> {
    let is_list = text.starts_with('[');
    is_list.then(|| serde_json::from_str(text).map_err(|error| format!("it is no list of texts: {error}")))
}

fn pair(text: &str) -> std::result::Result<(&str, &str), String> {
    let (name, value) = text.split_once('=').or_else(|| text.split_once(' ')).unwrap_or((text, ""));
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if name.is_empty() { Err("it has no name; expected NAME=VALUE".to_owned()) } else { Ok((name, value)) }
}
