//! What came of each image: told as it happens, and counted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, json};
use wharf_oci::Digest;

use crate::output::{Output, note, print, printable};
use crate::{Error, Result};

/// What came of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Copied,
    /// It was there.
    Unchanged,
    WouldCopy,
    Pruned,
    WouldPrune,
    Failed,
}

impl What {
    const ALL: [(Self, &str, &str); 6] = [
        (Self::Copied, "copied", "copied"),
        (Self::Unchanged, "unchanged", "there already"),
        (Self::WouldCopy, "would_copy", "to copy"),
        (Self::Pruned, "pruned", "deleted"),
        (Self::WouldPrune, "would_prune", "to delete"),
        (Self::Failed, "failed", "failed"),
    ];
}

/// An image, or a place whose images could not be found out.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<String>,
    pub(crate) what: What,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Line {
    pub(crate) fn new(source: Option<String>, destination: Option<String>, what: What) -> Self {
        Self { source, destination, what, digest: None, error: None }
    }

    pub(crate) fn with(self, digest: &Digest) -> Self {
        Self { digest: Some(digest.to_string()), ..self }
    }

    fn said(&self) -> Option<String> {
        let source = self.source.as_deref().unwrap_or_default();
        let destination = self.destination.as_deref().unwrap_or_default();
        Some(match self.what {
            What::Copied => format!("{source} is at {destination}"),
            What::Unchanged => format!("{source} was at {destination}"),
            What::WouldCopy => format!("{source} would go to {destination}"),
            What::Pruned => format!("{destination} is deleted"),
            What::WouldPrune => format!("{destination} would be deleted"),
            What::Failed => return None,
        })
    }
}

/// Tells it, and knows in the end how it went.
pub(crate) struct Report {
    pub(crate) out: Output,
    /// The first failure ends it.
    stops: bool,
    counts: BTreeMap<What, usize>,
    /// Repositories of the destination that are not as they should be.
    failed: BTreeSet<String>,
}

impl Report {
    pub(crate) fn new(out: Output, stops: bool) -> Self {
        Self { out, stops, counts: BTreeMap::new(), failed: BTreeSet::new() }
    }

    /// One line, as it happens. Whoever reads it may have enough: the images go on.
    pub(crate) fn tell(&mut self, line: &Line) {
        *self.counts.entry(line.what).or_default() += 1;
        if self.out.json {
            let mut event = json!(line);
            event["event"] = json!("synced");
            drop(print(&format!("{event}\n")));
        } else if let Some(said) = line.said().filter(|_| !self.out.quiet) {
            drop(print(&format!("{}\n", printable(&said))));
        }
    }

    /// What failed, of that repository of the destination. Errors with it if that is the end.
    pub(crate) fn failed(&mut self, repository: &str, mut line: Line, error: Error) -> Result<()> {
        self.failed.insert(repository.to_owned());
        line.what = What::Failed;
        line.error = Some(error.to_string());
        self.tell(&line);
        if self.stops {
            return Err(error);
        }
        let place = line.source.or(line.destination).unwrap_or_default();
        note(&format!("wharf: {}: {}", printable(&place), printable(&error.to_string())));
        Ok(())
    }

    /// A source whose images could not be found out.
    pub(crate) fn unknown(&mut self, repository: &str, at: &impl ToString, error: Error) -> Result<()> {
        self.failed(repository, Line::new(Some(at.to_string()), None, What::Failed), error)
    }

    /// Whether anything of that repository failed.
    pub(crate) fn has_failed(&self, repository: &str) -> bool {
        self.failed.contains(repository)
    }

    /// Says how it went; an error if anything failed.
    pub(crate) fn end(&self) -> Result<()> {
        let number = |what: What| self.counts.get(&what).copied().unwrap_or(0);
        if self.out.json {
            let counts: Map<_, _> =
                What::ALL.iter().map(|(what, key, _)| ((*key).into(), number(*what).into())).collect();
            let mut event = json!(counts);
            event["event"] = json!("summary");
            drop(print(&format!("{event}\n")));
        } else if !self.out.quiet {
            let counted = What::ALL.iter().filter(|(what, ..)| number(*what) > 0);
            let said: Vec<String> = counted.map(|(what, _, word)| format!("{} {word}", number(*what))).collect();
            note(&if said.is_empty() { "there is no image to carry".into() } else { said.join(", ") });
        }
        match number(What::Failed) {
            0 => Ok(()),
            failed => Err(Error::Failed(format!("{failed} failed; the others are done"))),
        }
    }
}
