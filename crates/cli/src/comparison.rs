//! In what two images differ, as it is shown.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use wharf_image::layer::{Difference, File};
use wharf_image::tar::Kind;
use wharf_oci::Descriptor;

use crate::output::{lines, printable};
use crate::parse::human;

/// Everything that was compared.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Comparison {
    #[serde(rename = "images")]
    pub(crate) shown: [String; 2],
    pub(crate) config: Vec<ConfigChange>,
    layers: Layers,
    pub(crate) files: Vec<FileChange>,
}

/// A member of a configuration, by its path.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConfigChange {
    name: String,
    before: Option<Value>,
    after: Option<Value>,
}

#[derive(Debug, Default, Serialize)]
struct Layers {
    shared: Vec<Layer>,
    removed: Vec<Layer>,
    added: Vec<Layer>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Layer {
    digest: String,
    size: u64,
}

/// A path of the file system; sizes where it is there, in bytes.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileChange {
    path: String,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind_before: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind_after: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_after: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs_in: Vec<&'static str>,
}

impl From<Difference<'_>> for FileChange {
    fn from(difference: Difference<'_>) -> Self {
        let change = match (difference.before, difference.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let kind = |file: Option<&File>| file.map(|file| kind(&file.kind));
        let size = |file: Option<&File>| file.filter(|file| file.kind == Kind::File).map(|file| file.size);
        Self {
            path: format!("/{}", String::from_utf8_lossy(difference.path.as_bytes())),
            change,
            kind_before: kind(difference.before),
            kind_after: kind(difference.after),
            size_before: size(difference.before),
            size_after: size(difference.after),
            differs_in: difference.facts,
        }
    }
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::File | Kind::HardLink(_) => "file",
        Kind::Directory => "folder",
        Kind::Symlink(_) => "link",
        Kind::Character(..) | Kind::Block(..) => "device",
        Kind::Fifo => "pipe",
    }
}

impl Comparison {
    /// Those that one has and the other has not, each in its order.
    pub(crate) fn of_layers(before: &[Descriptor], after: &[Descriptor]) -> Self {
        let layer = |of: &Descriptor| Layer { digest: of.digest.to_string(), size: of.size };
        let among = |layer: &Descriptor, others: &[Descriptor]| others.iter().any(|other| other.digest == layer.digest);
        let layers = Layers {
            shared: before.iter().filter(|one| among(one, after)).map(layer).collect(),
            removed: before.iter().filter(|one| !among(one, after)).map(layer).collect(),
            added: after.iter().filter(|one| !among(one, before)).map(layer).collect(),
        };
        Self { layers, ..Self::default() }
    }

    /// Whether their files need not be compared.
    pub(crate) fn has_same_layers(&self) -> bool {
        self.layers.added.is_empty() && self.layers.removed.is_empty()
    }

    pub(crate) fn is_same(&self) -> bool {
        self.config.is_empty() && self.files.is_empty() && self.has_same_layers()
    }

    /// A line for each, and a sum in the end.
    pub(crate) fn as_text(&self) -> String {
        let sum = |layers: &[Layer]| human(layers.iter().map(|layer| layer.size).sum());
        let said = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        let config = self.config.iter().map(|change| {
            printable(&format!("config  {}: {} → {}", change.name, said(&change.before), said(&change.after)))
        });
        let Layers { shared, removed, added } = &self.layers;
        let layers = format!(
            "layers  {} shared ({}), {} only in the first ({}), {} only in the second ({})",
            shared.len(),
            sum(shared),
            removed.len(),
            sum(removed),
            added.len(),
            sum(added),
        );
        let files = self.files.iter().map(|change| printable(&change.as_text()));
        lines(config.chain([layers]).chain(files).chain(self.sum()))
    }

    fn sum(&self) -> Option<String> {
        let of = |wanted: &str| self.files.iter().filter(|file| file.change == wanted).count();
        let [added, changed, removed] = ["added", "changed", "removed"].map(of);
        (!self.files.is_empty()).then(|| format!("files   {added} added, {changed} changed, {removed} removed"))
    }
}

impl FileChange {
    fn as_text(&self) -> String {
        let path = &self.path;
        let size = |size: Option<u64>, kind: Option<&'static str>| {
            size.map_or_else(|| kind.unwrap_or("nothing").to_owned(), human)
        };
        let before = size(self.size_before, self.kind_before);
        let after = size(self.size_after, self.kind_after);
        match self.change {
            "added" => format!("+ {path}  {after}"),
            "removed" => format!("- {path}  {before}"),
            _ => {
                let sizes = if before == after { before } else { format!("{before} → {after}") };
                format!("~ {path}  {sizes}  ({})", self.differs_in.join(", "))
            }
        }
    }
}

/// What says when and how an image was built, and what layers it has, is not how it runs.
const LEFT_OUT: [&str; 6] = ["created", "history", "rootfs", "id", "parent", "docker_version"];

/// Members that differ, by their paths; those of objects one by one.
pub(crate) fn configs(before: &Value, after: &Value) -> Vec<ConfigChange> {
    let mut changes = Vec::new();
    collect(&mut changes, "", Some(before), Some(after));
    changes
}

fn collect(changes: &mut Vec<ConfigChange>, name: &str, before: Option<&Value>, after: Option<&Value>) {
    let says_something = |value: &&Value| !matches!(value, Value::Null) && value.as_str() != Some("");
    let (before, after) = (before.filter(says_something), after.filter(says_something));
    if before == after {
        return;
    }
    // What is not there is as an object without members.
    let members = |value: Option<&Value>| value.map_or_else(|| Some(Map::new()), |value| value.as_object().cloned());
    if let (Some(one), Some(other)) = (members(before), members(after))
        && !(one.is_empty() && other.is_empty())
    {
        let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        for member in names {
            if name.is_empty() && LEFT_OUT.contains(&member.as_str()) {
                continue;
            }
            let path = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
            collect(changes, &path, one.get(member), other.get(member));
        }
        return;
    }
    changes.push(ConfigChange { name: name.to_owned(), before: before.cloned(), after: after.cloned() });
}

#[cfg(test)]
mod tests;
