//! Where docker's contexts say that its engine is: `docker context use rootless`, Docker Desktop.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wharf_oci::{Algorithm, Digest};

use super::{Error, Host, Result};

/// What stands for no context.
const DEFAULT: &str = "default";

/// `config.json`.
#[derive(Default, Deserialize)]
struct Config {
    #[serde(default, rename = "currentContext")]
    current: String,
}

/// `meta.json` of a context.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    #[serde(default)]
    host: String,
}

impl Host {
    /// Where the engine of a context is. `folder` is docker's own, such as `~/.docker`; `named` a context, else its
    /// current one. `None` where there is no other than the default one.
    pub fn of_context(folder: &Path, named: Option<&str>) -> Result<Option<Self>> {
        let name = match named {
            Some(name) => name.to_owned(),
            None => read::<Config>(&folder.join("config.json"), "config.json")?.unwrap_or_default().current,
        };
        if name.is_empty() || name == DEFAULT {
            return Ok(None);
        }
        let contexts = folder.join("contexts");
        let id = Digest::of(Algorithm::Sha256, name.as_bytes());
        let failed = |problem: &str| Error::Context { name: name.clone(), problem: problem.to_owned() };
        let meta = read::<Meta>(&contexts.join("meta").join(id.hex()).join("meta.json"), &name)?;
        let docker = meta.ok_or_else(|| failed("there is none of that name"))?.endpoints.docker;
        let host = docker.map(|docker| docker.host).filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| failed("it does not say where docker is"))?;
        let certificates = Some(contexts.join("tls").join(id.hex()).join("docker")).filter(|folder| folder.is_dir());
        match Self::parse(&host, certificates) {
            Err(Error::Host(host)) => Err(failed(&format!("it is at '{host}', and {}", Error::EXPECTED))),
            other => other.map(Some),
        }
    }
}

/// `None` if the file is not there.
fn read<T: DeserializeOwned>(file: &Path, name: &str) -> Result<Option<T>> {
    let failed =
        |problem: String| Error::Context { name: name.to_owned(), problem: format!("{}: {problem}", file.display()) };
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.to_string())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
