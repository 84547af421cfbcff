//! What happens while an image is carried, told as it happens: bars on a terminal, lines elsewhere, events for programs.
//!
//! Events say how far a part has come, never how much was added: what is sent again after a cut is not counted twice.

use std::sync::Arc;

use serde::Serialize;
use wharf_client::registry::Registry;
use wharf_oci::Digest;

use crate::environment;
use crate::output::{Output, note, printable};

mod bars;
mod events;
mod lines;

use bars::Bars;
use events::Events;
use lines::Lines;

/// What happened. In JSON an object with its name as `event`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// What there is to carry, before anything is. A part that several images share counts once.
    Planned { manifests: usize, parts: usize, bytes: u64 },
    /// A part is on its way, of which so many bytes are read.
    Started {
        #[serde(flatten)]
        part: Part,
        /// The bytes that it was planned with: what is packed anew may be read without compression.
        #[serde(skip)]
        planned: u64,
    },
    /// So many of a part's bytes have been taken from its source.
    Progress { digest: Shown, bytes: u64, size: u64 },
    /// A part is at the destination.
    Finished {
        #[serde(flatten)]
        part: Part,
        how: How,
        /// What it has become, when it was compressed anew.
        #[serde(skip_serializing_if = "Option::is_none")]
        became: Option<Part>,
    },
    /// A manifest is at the destination.
    Manifest { digest: Shown, media_type: String, size: u64, tags: Vec<String> },
    /// A registry did not do what it was asked to; it is asked again after so many seconds.
    Retry { registry: String, problem: String, wait: f64 },
    /// Something that a person should know; the work goes on.
    Note { message: String },
    /// All is at the destination.
    Done { source: String, destination: String, digest: Shown, media_type: String, size: u64, tags: Vec<String> },
}

/// A blob of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    pub(crate) digest: Shown,
    /// Bytes.
    pub(crate) size: u64,
}

/// What a blob is to its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Config,
    Layer,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Layer => "layer",
        }
    }
}

/// How a part got there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    Copied,
    /// It was there already.
    There,
    /// The registry took it from another of its repositories.
    Mounted,
}

impl How {
    fn word(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::There => "there already",
            Self::Mounted => "mounted",
        }
    }
}

/// A digest, in full to programs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shown(pub(crate) Digest);

impl Shown {
    /// Enough to tell the parts of an image apart.
    fn short(&self) -> String {
        let text = self.0.to_string();
        let hex = text.split_once(':').map_or(text.as_str(), |(_, hex)| hex);
        hex.chars().take(12).collect()
    }
}

impl Serialize for Shown {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Where events go.
#[derive(Clone)]
pub(crate) struct Progress(Arc<dyn Renderer>);

/// A way to show events. Called from several threads at once.
trait Renderer: Send + Sync {
    fn tell(&self, event: &Event);

    /// Takes away what is drawn.
    fn clear(&self) {}
}

impl Progress {
    /// As the person asked for: `--json`, `--quiet`, else bars where standard error is a terminal and lines where not.
    pub(crate) fn new(out: Output) -> Self {
        let is_drawn = std::io::IsTerminal::is_terminal(&std::io::stderr()) && environment::can_draw();
        Self(match (out.json, out.quiet) {
            (true, _) => Arc::new(Events::default()),
            (_, true) => Arc::new(Silence),
            _ if is_drawn => Arc::new(Bars::new()),
            _ => Arc::new(Lines::default()),
        })
    }

    /// For commands whose output is something else than what they carry: notes alone, and none with `--quiet`.
    pub(crate) fn aside(out: Output) -> Self {
        Self(if out.quiet { Arc::new(Silence) } else { Arc::new(Notes) })
    }

    pub(crate) fn tell(&self, event: &Event) {
        self.0.tell(event);
    }

    /// Tells of each request to that registry that is sent again, as long as anything is shown.
    pub(crate) fn watches(&self, registry: &Registry) {
        let shown = Arc::downgrade(&self.0);
        registry.watched_by(move |waiting| {
            if let Some(shown) = shown.upgrade() {
                let (registry, problem) = (waiting.server.clone(), waiting.problem.clone());
                let wait = (waiting.wait.as_secs_f64() * 10.0).round() / 10.0;
                shown.tell(&Event::Retry { registry, problem, wait });
            }
        });
    }

    /// Takes away what is drawn when the work ends, in whatever way: threads that have not heard of it yet still hold the
    /// renderer, and would leave a torn bar on the screen.
    pub(crate) fn clear_on_drop(&self) -> impl Drop + use<> {
        Cleared(self.clone())
    }

    pub(crate) fn note(&self, message: impl Into<String>) {
        self.tell(&Event::Note { message: message.into() });
    }
}

struct Cleared(Progress);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.0.clear();
    }
}

/// `--quiet`
struct Silence;

impl Renderer for Silence {
    fn tell(&self, _: &Event) {}
}

/// What a person should know, and nothing of how far it has come.
struct Notes;

impl Renderer for Notes {
    fn tell(&self, event: &Event) {
        if let Event::Note { message } = event {
            note(&printable(message));
        }
    }
}

#[cfg(test)]
mod tests;
