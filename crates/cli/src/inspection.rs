//! One image, looked at: what its manifest and its configuration say, for people and in skopeo's words.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;
use wharf_oci::{Digest, ImageConfig, Manifest, MediaType};

use crate::output::{block, lines, printable};
use crate::parse::{count, human};
use crate::{Error, Result};

mod containerfile;

/// What there is to show of an image.
pub(crate) struct Image {
    /// As people call it.
    pub(crate) shown: String,
    /// Its repository with the registry, empty where it lies at none.
    pub(crate) repository: String,
    /// Of what its name stands for, which may be an index.
    pub(crate) root: Digest,
    /// Of the image itself.
    pub(crate) digest: Digest,
    pub(crate) manifest: Manifest,
    /// The configuration's bytes as JSON; null where they are none.
    pub(crate) raw: Value,
    /// Of an image that is run; artifacts have none.
    pub(crate) config: Option<ImageConfig>,
    /// All tags of the repository.
    pub(crate) tags: Vec<String>,
}

/// `skopeo inspect`'s answer, member by member and in its order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AsSkopeo {
    name: String,
    digest: String,
    repo_tags: Vec<String>,
    created: Option<String>,
    docker_version: String,
    labels: Value,
    architecture: String,
    os: String,
    layers: Vec<String>,
    layers_data: Vec<LayerData>,
    env: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LayerData {
    #[serde(rename = "MIMEType")]
    mime_type: String,
    digest: String,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
}

impl Image {
    pub(crate) fn as_skopeo(&self) -> AsSkopeo {
        let text = |name: &str| self.raw[name].as_str().unwrap_or_default().to_owned();
        let data = |layer: &wharf_oci::Descriptor| LayerData {
            mime_type: layer.media_type.clone(),
            digest: layer.digest.to_string(),
            size: layer.size,
            annotations: Some(layer.annotations.clone()).filter(|all| !all.is_empty()),
        };
        AsSkopeo {
            name: self.repository.clone(),
            digest: self.root.to_string(),
            repo_tags: self.tags.clone(),
            created: self.created(),
            docker_version: text("docker_version"),
            labels: self.raw["config"]["Labels"].clone(),
            architecture: text("architecture"),
            os: text("os"),
            layers: self.manifest.layers.iter().map(|layer| layer.digest.to_string()).collect(),
            layers_data: self.manifest.layers.iter().map(data).collect(),
            env: self.raw["config"]["Env"].clone(),
        }
    }

    /// As Go writes times: no zeros at a fraction's end, `Z` for UTC. Docker's own images always have one.
    fn created(&self) -> Option<String> {
        let Some(text) = self.raw["created"].as_str() else {
            return self.manifest.media_type.is_docker().then(|| "0001-01-01T00:00:00Z".into());
        };
        let at = text
            .char_indices()
            .skip(19)
            .find(|(_, c)| !c.is_ascii_digit() && *c != '.')
            .map_or(text.len(), |(at, _)| at);
        let (time, zone) = text.split_at(at);
        let time = if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time };
        Some(format!("{time}{}", if zone == "+00:00" { "Z" } else { zone }))
    }

    /// For people.
    pub(crate) fn as_text(&self) -> String {
        let mut text = block(&self.fields());
        text += &self.layers();
        let Some(config) = self.config.as_ref().filter(|config| !config.history.is_empty()) else { return text };
        text += "\nhistory, as a Containerfile\n";
        let steps = containerfile::instructions(&config.history);
        text + &lines(steps.iter().map(|step| format!("  {}", printable(step))))
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let size: u64 = self.manifest.layers.iter().map(|layer| layer.size).sum();
        let parts = count(self.manifest.layers.len(), "layer");
        let mut fields = vec![("name", self.shown.clone()), ("digest", self.digest.to_string())];
        if self.root != self.digest {
            fields.push(("of index", self.root.to_string()));
        }
        fields.push(("kind", self.kind()));
        fields.push(("size", format!("{} in {parts}", human(size))));
        let annotations =
            self.manifest.annotations.iter().map(|(name, value)| ("annotation", format!("{name}={value}")));
        match &self.config {
            Some(config) => fields.extend(of_config(config)),
            None => fields.extend(self.manifest.artifact_type.iter().map(|kind| ("artifact type", kind.clone()))),
        }
        fields.extend(annotations);
        fields
    }

    fn kind(&self) -> String {
        match self.manifest.media_type.as_str() {
            MediaType::OCI_MANIFEST if self.config.is_none() => "OCI artifact".into(),
            MediaType::OCI_MANIFEST => "OCI image".into(),
            MediaType::DOCKER_MANIFEST => "Docker image".into(),
            other => other.to_owned(),
        }
    }

    fn layers(&self) -> String {
        if self.manifest.layers.is_empty() {
            return String::new();
        }
        let line = |layer: &wharf_oci::Descriptor| {
            let title = layer.annotations.get("org.opencontainers.image.title");
            let title = title.map(|title| format!("  {}", printable(title))).unwrap_or_default();
            format!("  {}  {:>10}  {}{title}", layer.digest, human(layer.size), printable(&layer.media_type))
        };
        format!("\nlayers\n{}", lines(self.manifest.layers.iter().map(line)))
    }
}

fn of_config(config: &ImageConfig) -> Vec<(&'static str, String)> {
    let run = &config.run;
    let words = |list: &[String]| if list.is_empty() { String::new() } else { format!("{list:?}") };
    let one = [
        ("platform", platform(config).unwrap_or_default()),
        ("created", created(config).unwrap_or_default()),
        ("author", config.author.clone().unwrap_or_default()),
        ("user", run.user.clone()),
        ("entrypoint", words(&run.entrypoint)),
        ("command", words(&run.cmd)),
        ("working dir", run.working_dir.clone()),
        ("stop signal", run.stop_signal.clone()),
        ("ports", run.exposed_ports.join(", ")),
        ("volumes", run.volumes.join(", ")),
    ];
    let mut fields: Vec<_> = one.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    fields.extend(run.env.iter().map(|variable| ("env", variable.clone())));
    fields.extend(run.labels.iter().map(|(name, value)| ("label", format!("{name}={value}"))));
    fields
}

/// What it runs on, if it says so.
pub(crate) fn platform(config: &ImageConfig) -> Option<String> {
    let is_said = !config.platform.os.is_empty() || !config.platform.architecture.is_empty();
    is_said.then(|| config.platform.to_string())
}

/// When it was built, unless it only says Go's zero, as what builds reproducibly does.
pub(crate) fn created(config: &ImageConfig) -> Option<String> {
    config.created.clone().filter(|time| !time.starts_with("0001-"))
}

/// An index: one line for each of its images.
pub(crate) fn index_as_text(shown: &str, root: &Digest, index: &Manifest) -> String {
    let mut fields = vec![("name", shown.to_owned()), ("digest", root.to_string())];
    let kind = if index.media_type.is_docker() { "Docker manifest list" } else { "OCI index" };
    fields.push(("kind", format!("{kind} of {}", index.children.len())));
    fields.extend(index.artifact_type.iter().map(|kind| ("artifact type", kind.clone())));
    fields.extend(index.annotations.iter().map(|(name, value)| ("annotation", format!("{name}={value}"))));
    let line = |child: &wharf_oci::Descriptor| {
        let platform = child.platform.as_ref().map_or_else(|| child.media_type.clone(), ToString::to_string);
        format!("  {}  {}", child.digest, printable(&platform))
    };
    format!("{}\nimages\n{}", block(&fields), lines(index.children.iter().map(line)))
}

/// What a template may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    /// What there is always, and anything in labels and annotations, whose names images choose.
    Known,
    /// Anything: what an image does not say is nothing.
    Any,
}

/// Fills in a Go template (text/template); `json` is a function there as in docker and podman, and alone a template.
pub(crate) fn filled_in(template: &str, data: &impl Serialize, members: Members) -> Result<String> {
    let wrong = |error: &dyn Display| Error::Usage(format!("--format: {error}"));
    let data = serde_json::to_value(data).map_err(|error| wrong(&error))?;
    // Backslashes stand for what they do in a shell's $'…', as in podman.
    let text =
        if template == "json" { "{{json .}}".into() } else { template.replace("\\n", "\n").replace("\\t", "\t") };
    let json = |arguments: &[gotmpl::Value]| {
        let value = arguments.first().map(|value| json_of(value).to_string());
        Ok(value.map_or(gotmpl::Value::Nil, gotmpl::Value::from))
    };
    let parsed = gotmpl::Template::new("format").func("json", json).parse(&text).map_err(|error| wrong(&error))?;
    let fill = |template: &gotmpl::Template, data: &Value| template.execute_to_string(&gotmpl::to_value(data)?);
    let filled = fill(&parsed, &data).map_err(|error| wrong(&error))?;
    let strict = parsed.missing_key(gotmpl::MissingKey::Error);
    if members == Members::Known
        && let Err(gotmpl::TemplateError::MissingKey { key }) = fill(&strict, &without_free(data))
    {
        return Err(wrong(&format!("there is no {key} in it; --json prints what there is")));
    }
    Ok(if filled.ends_with('\n') { filled } else { filled + "\n" })
}

/// Without what has names of an image's own: in nothing, a template finds nothing and misses nothing.
fn without_free(mut data: Value) -> Value {
    data["Labels"] = Value::Null;
    for layer in data["LayersData"].as_array_mut().into_iter().flatten() {
        layer["Annotations"] = Value::Null;
    }
    data
}

fn json_of(value: &gotmpl::Value) -> Value {
    use gotmpl::Value as Go;
    match value {
        Go::Bool(value) => Value::from(*value),
        Go::Int(value) => Value::from(*value),
        Go::Uint(value) => Value::from(*value),
        Go::Float(value) => Value::from(*value),
        Go::String(value) => Value::from(value.as_ref()),
        Go::List(values) => values.iter().map(json_of).collect(),
        Go::Map(values) => values.iter().map(|(name, value)| (name.to_string(), json_of(value))).collect(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests;
