//! Which tags of a repository are meant.

use globset::{Glob, GlobSet, GlobSetBuilder};
use regex::Regex;

use super::versions::Range;

/// All that is said must hold; nothing said is every tag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// These, which need not be looked for.
    these: Option<Vec<String>>,
    globs: Option<GlobSet>,
    regex: Option<Regex>,
    versions: Option<Range>,
}

impl Filter {
    pub(crate) fn these(these: Vec<String>) -> Self {
        Self { these: Some(these), ..Self::default() }
    }

    pub(crate) fn by_regex(text: &str) -> Result<Self, String> {
        let regex = Regex::new(text).map_err(|error| error.to_string())?;
        Ok(Self { regex: Some(regex), ..Self::default() })
    }

    pub(crate) fn by_versions(versions: Range) -> Self {
        Self { versions: Some(versions), ..Self::default() }
    }

    /// As well, that a tag fits one of these patterns of the shell.
    pub(crate) fn and_globs(self, patterns: &[Glob]) -> Result<Self, String> {
        if patterns.is_empty() {
            return Ok(self);
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(pattern.clone());
        }
        Ok(Self { globs: Some(set.build().map_err(|error| error.to_string())?), ..self })
    }

    pub(crate) fn and(self, regex: Option<Regex>, versions: Option<Range>) -> Self {
        Self { regex: regex.or(self.regex), versions: versions.or(self.versions), ..self }
    }

    /// Tags and digests that are named one by one, if they are.
    pub(crate) fn named(&self) -> Option<&[String]> {
        self.these.as_deref()
    }

    pub(crate) fn has(&self, tag: &str) -> bool {
        self.these.as_ref().is_none_or(|these| these.iter().any(|one| one == tag))
            && self.globs.as_ref().is_none_or(|globs| globs.is_match(tag))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(tag))
            && self.versions.as_ref().is_none_or(|versions| versions.has(tag))
    }
}
