//! The list of images that `skopeo sync --src yaml` takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wharf_client::Secret;
use wharf_client::credentials::Login;

use super::filter::Filter;
use crate::place::AtRegistry;
use crate::reach::Access;
use crate::{Error, Result};

/// Bytes of a list, at most.
const LONGEST: u64 = 16 << 20;

/// What of one registry is wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Registry {
    /// Tags and digests by repository; none for all tags.
    #[serde(default)]
    images: BTreeMap<String, Option<Vec<String>>>,
    #[serde(default)]
    images_by_tag_regex: BTreeMap<String, String>,
    #[serde(default)]
    images_by_semver: BTreeMap<String, String>,
    credentials: Option<Credentials>,
    tls_verify: Option<bool>,
    cert_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: String,
    password: Secret,
}

/// What a list says of one registry.
pub(crate) struct Listed {
    pub(crate) access: Access,
    /// Its repositories, and what of each.
    pub(crate) repositories: Vec<(AtRegistry, Filter)>,
}

/// Reads a list. `access` is what the command line says of all registries; the list says more of each.
pub(crate) fn read(path: &Path, access: &Access) -> Result<Vec<Listed>> {
    let size = std::fs::metadata(path).map_err(Error::file(path))?.len();
    if size > LONGEST {
        return Err(Error::Usage(format!("{}: {size} bytes are no list of images", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let wrong = |problem: String| Error::Usage(format!("{}: {problem}", path.display()));
    let all: BTreeMap<String, Registry> = serde_saphyr::from_str(&text).map_err(|error| {
        // Its own words could quote a password.
        let place = error.location().map(|at| format!(", line {}", at.line())).unwrap_or_default();
        wrong(format!("this is no list of images by registry{place}; see docs/sync.md"))
    })?;
    if all.is_empty() {
        return Err(wrong("it names no registry; see docs/sync.md".into()));
    }
    let listed = all.iter().map(|(host, registry)| {
        let repositories = registry.repositories(host).map_err(|problem| wrong(format!("{host}: {problem}")))?;
        Ok(Listed { access: registry.access(access), repositories })
    });
    listed.collect()
}

impl Registry {
    fn access(&self, given: &Access) -> Access {
        let login = self.credentials.as_ref().map(|Credentials { username, password }| Login::Password {
            user: username.clone(),
            password: password.clone(),
        });
        Access {
            tls_verify: given.tls_verify.or(self.tls_verify),
            cert_dir: given.cert_dir.clone().or_else(|| self.cert_dir.clone()),
            login,
            ..given.clone()
        }
    }

    fn repositories(&self, host: &str) -> std::result::Result<Vec<(AtRegistry, Filter)>, String> {
        let mut all = vec![];
        for (name, wanted) in &self.images {
            let wanted = wanted.clone().unwrap_or_default();
            all.push((name, if wanted.is_empty() { Filter::default() } else { Filter::these(wanted) }));
        }
        for (name, regex) in &self.images_by_tag_regex {
            all.push((name, Filter::by_regex(regex)?));
        }
        for (name, range) in &self.images_by_semver {
            all.push((name, Filter::by_versions(range.parse()?)));
        }
        let place = |(name, filter)| {
            let at: AtRegistry = format!("docker://{host}/{name}").parse()?;
            at.repository_only()?;
            Ok((at, filter))
        };
        all.into_iter().map(place).collect()
    }
}
