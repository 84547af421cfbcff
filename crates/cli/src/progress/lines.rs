//! Without a terminal: a line when something is done, and now and then one for what takes long.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Renderer, Shown};
use crate::output::{note, printable};
use crate::parse::{count, human};

/// Between two lines about one part.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Lines {
    told: Mutex<HashMap<Shown, Instant>>,
}

impl Lines {
    pub(super) fn line(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Planned { manifests, parts, bytes } => {
                let (manifests, parts) = (count(*manifests, "manifest"), count(*parts, "part"));
                format!("{manifests}, {parts}, {}", human(*bytes))
            }
            Event::Started { part, .. } => {
                self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(part.digest.clone(), Instant::now());
                return None;
            }
            Event::Progress { digest, bytes, size } => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                let last = told.get_mut(digest).filter(|last| last.elapsed() >= PAUSE)?;
                *last = Instant::now();
                format!("{} {} of {}", digest.short(), human(*bytes), human(*size))
            }
            event => finished(event)?,
        })
    }
}

/// What is said of what is done, here and above the bars.
pub(super) fn finished(event: &Event) -> Option<String> {
    Some(match event {
        Event::Finished { part, how, became } => {
            let what = format!("{} {} {}", part.kind.word(), part.digest.short(), human(part.size));
            let became = became.as_ref();
            let became = became.map(|new| format!(", now {} {}", new.digest.short(), human(new.size)));
            format!("{what} {}{}", how.word(), became.unwrap_or_default())
        }
        Event::Manifest { digest, tags, .. } if tags.is_empty() => format!("manifest {}", digest.short()),
        Event::Manifest { digest, tags, .. } => format!("manifest {} as {}", digest.short(), tags.join(", ")),
        Event::Retry { registry, problem, wait } => {
            printable(&format!("{registry}: {problem}; asking again in {wait:.1} s"))
        }
        Event::Note { message } => printable(message),
        _ => return None,
    })
}

impl Renderer for Lines {
    fn tell(&self, event: &Event) {
        if let Some(line) = self.line(event) {
            note(&line);
        }
    }
}
