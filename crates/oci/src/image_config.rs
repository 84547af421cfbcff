//! A view of an image's configuration (image-spec, config.md; Docker's is the same but for members of its own).
//!
//! Lenient, since builders are: `null` counts as absent, and unknown members are passed over. The bytes stay as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::digest::shorten;
use crate::{Digest, Platform};

/// What is known of an image apart from its layers' content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    /// When it was built, RFC 3339, as written.
    pub created: Option<String>,
    /// Who answers for it.
    pub author: Option<String>,
    /// What it runs on; empty texts where it does not say.
    pub platform: Platform,
    /// How it runs.
    pub run: RunConfig,
    /// The layers' digests, uncompressed, the lowest first.
    pub diff_ids: Vec<Digest>,
    /// How it was built, the first step first.
    pub history: Vec<HistoryEntry>,
}

/// The member `config`: defaults of a container that runs the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RunConfig {
    /// `user[:group]`, by name or number.
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    /// Such as `8080/tcp`.
    #[serde(deserialize_with = "keys")]
    pub exposed_ports: Vec<String>,
    /// `NAME=value` each.
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// What is always run.
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    /// Its arguments, or what is run where there is no entry point.
    #[serde(deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    /// Folders whose content outlives the container.
    #[serde(deserialize_with = "keys")]
    pub volumes: Vec<String>,
    /// Where it starts.
    #[serde(deserialize_with = "or_default")]
    pub working_dir: String,
    /// What its builder says of it.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// Such as `SIGTERM`.
    #[serde(deserialize_with = "or_default")]
    pub stop_signal: String,
}

/// One step of the build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HistoryEntry {
    /// RFC 3339, as written.
    pub created: Option<String>,
    /// The command that made the step.
    #[serde(deserialize_with = "or_default")]
    pub created_by: String,
    /// Who made it.
    #[serde(deserialize_with = "or_default")]
    pub author: String,
    /// What its builder says of it.
    #[serde(deserialize_with = "or_default")]
    pub comment: String,
    /// Whether it made no layer.
    #[serde(deserialize_with = "or_default")]
    pub empty_layer: bool,
}

/// Bytes that are not an image's configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ImageConfigError {
    /// Not JSON, or a member is not of its type.
    #[error("this is not an image's configuration: {0}")]
    Malformed(String),
    /// A layer's digest cannot be held.
    #[error("this is not an image's configuration: rootfs.diff_ids[{at}]: {source}")]
    DiffId {
        /// Counted from 0.
        at: usize,
        /// What is wrong with it.
        source: crate::DigestError,
    },
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    architecture: String,
    #[serde(default, deserialize_with = "or_default")]
    os: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default, rename = "os.version")]
    os_version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    config: RunConfig,
    #[serde(default, deserialize_with = "or_default")]
    rootfs: RootFs,
    #[serde(default, deserialize_with = "or_default")]
    history: Vec<HistoryEntry>,
}

#[derive(Default, Deserialize)]
struct RootFs {
    #[serde(default, deserialize_with = "or_default")]
    diff_ids: Vec<String>,
}

impl ImageConfig {
    /// Reads the bytes of a configuration, OCI's or Docker's.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageConfigError> {
        // serde reads an array as a struct's members in order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(ImageConfigError::Malformed("expected a JSON object".to_owned()));
        }
        let body: Body =
            serde_json::from_slice(bytes).map_err(|error| ImageConfigError::Malformed(shorten(&error.to_string())))?;
        let read =
            |(at, text): (usize, &String)| text.parse().map_err(|source| ImageConfigError::DiffId { at, source });
        Ok(Self {
            created: body.created,
            author: body.author.filter(|text| !text.is_empty()),
            platform: Platform {
                os: body.os,
                architecture: body.architecture,
                variant: body.variant.filter(|text| !text.is_empty()),
                os_version: body.os_version.filter(|text| !text.is_empty()),
            },
            run: body.config,
            diff_ids: body.rootfs.diff_ids.iter().enumerate().map(read).collect::<Result<_, _>>()?,
            history: body.history,
        })
    }
}

/// `null` is the default.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Go's way to write a set: an object whose values mean nothing.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let set = Option::<BTreeMap<String, serde_json::Value>>::deserialize(deserializer)?;
    Ok(set.unwrap_or_default().into_keys().collect())
}

#[cfg(test)]
mod tests;
