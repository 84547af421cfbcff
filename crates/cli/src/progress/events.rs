//! `--json`: one object a line, on standard output.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Renderer, Shown};
use crate::output::print;

/// Between two lines about how far one part has come, at least.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Events {
    told: Mutex<HashMap<Shown, Instant>>,
}

impl Events {
    /// Whether it is time to tell of this part again.
    fn is_due(&self, digest: &Shown) -> bool {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.entry(digest.clone()).or_insert(now);
        let is_due = now.duration_since(*last) >= PAUSE;
        if is_due {
            *last = now;
        }
        is_due
    }
}

impl Renderer for Events {
    fn tell(&self, event: &Event) {
        match event {
            Event::Progress { digest, .. } if !self.is_due(digest) => {}
            event => {
                // That nobody reads on does not stop what is being carried.
                drop(serde_json::to_string(event).map(|line| print(&format!("{line}\n"))));
            }
        }
    }
}
