//! On a terminal: a bar for each part on its way, and one for all of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::finished;
use super::{Event, How, Part, Renderer, Shown};

const PART: &str = "{prefix:19} {bar:24} {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>13}  {eta} left";
const TOTAL: &str = "{prefix:19} {bar:24} {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>13}  {eta} left";

pub(super) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    active: HashMap<Shown, Active>,
    /// Bytes of the parts that were carried.
    done: u64,
    /// Bytes of all that is to be carried, as planned.
    length: u64,
}

/// A part on its way.
struct Active {
    bar: ProgressBar,
    /// What it counts in the total, whatever is read of it.
    planned: u64,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(8))
    }

    pub(super) fn on(target: ProgressDrawTarget) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let total = all.add(bar(0, TOTAL, "total".into()));
        Self { all, total, state: Mutex::default() }
    }

    #[cfg(test)]
    pub(super) fn position(&self) -> (u64, u64) {
        (self.total.position(), self.total.length().unwrap_or_default())
    }

    fn start(&self, state: &mut State, part: &Part, planned: u64) {
        let name = format!("{} {}", part.kind.word(), part.digest.short());
        let bar = self.all.insert_before(&self.total, bar(part.size, PART, name));
        bar.enable_steady_tick(Duration::from_millis(500));
        state.active.insert(part.digest.clone(), Active { bar, planned });
    }

    /// What was there already is nothing to carry: it would make a rate that is none.
    fn finish(&self, state: &mut State, part: &Part, how: How) {
        if let Some(active) = state.active.remove(&part.digest) {
            active.bar.finish_and_clear();
        }
        match how {
            How::Copied => state.done += part.size,
            How::There | How::Mounted => state.length = state.length.saturating_sub(part.size),
        }
        self.total.set_length(state.length);
        self.total.set_position(state.position());
    }

    fn say(&self, event: &Event) {
        if let Some(line) = finished(event) {
            // A terminal that is gone changes nothing.
            drop(self.all.println(line));
        }
    }
}

impl State {
    fn position(&self) -> u64 {
        self.active.values().map(Active::position).sum::<u64>() + self.done
    }
}

impl Active {
    /// Of the bytes that were planned, as many as of those that are read.
    fn position(&self) -> u64 {
        let (read, all) = (self.bar.position(), self.bar.length().unwrap_or_default().max(1));
        let share = u128::from(self.planned) * u128::from(read.min(all)) / u128::from(all);
        u64::try_from(share).unwrap_or(self.planned)
    }
}

impl Renderer for Bars {
    fn tell(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Planned { bytes, .. } => {
                state.length = *bytes;
                self.total.set_length(*bytes);
                self.total.enable_steady_tick(Duration::from_millis(500));
            }
            Event::Started { part, planned } => self.start(&mut state, part, *planned),
            Event::Progress { digest, bytes, .. } => {
                if let Some(active) = state.active.get(digest) {
                    active.bar.set_position(*bytes);
                }
                self.total.set_position(state.position());
            }
            Event::Finished { part, how, .. } => {
                self.finish(&mut state, part, *how);
                self.say(event);
            }
            Event::Done { .. } => self.total.finish_and_clear(),
            event => self.say(event),
        }
    }
}

impl Drop for Bars {
    /// What was not finished leaves no torn bar on the screen.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.active.values().for_each(|active| active.bar.finish_and_clear());
        self.total.finish_and_clear();
    }
}

fn bar(length: u64, template: &str, name: String) -> ProgressBar {
    // The templates are ours; one that cannot be read falls back to indicatif's own.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden())
        .with_style(style.progress_chars("=> "))
        .with_prefix(name)
}
