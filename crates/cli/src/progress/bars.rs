//! On a terminal: a bar for each part on its way, and one for all of them.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::style::ProgressTracker;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::lines::finished;
use super::{Event, How, Part, Renderer, Shown};
use crate::parse::{human, roughly};

/// As wide as the terminal, and told in the words of finished lines.
const BAR: &str = "{prefix:19} {wide_bar} {read:>10} of {all:<10} {rate:>12}  {left:>9}";

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
        let total = all.add(bar(0, "total".into()));
        Self { all, total, state: Mutex::default() }
    }

    #[cfg(test)]
    pub(super) fn position(&self) -> (u64, u64) {
        (self.total.position(), self.total.length().unwrap_or_default())
    }

    fn start(&self, state: &mut State, part: &Part, planned: u64) {
        let name = format!("{} {}", part.kind.word(), part.digest.short());
        let bar = self.all.insert_before(&self.total, bar(part.size, name));
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

    fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.active.drain().for_each(|(_, active)| active.bar.finish_and_clear());
        self.total.finish_and_clear();
    }
}

fn bar(length: u64, name: String) -> ProgressBar {
    // The template is ours; one that cannot be read falls back to indicatif's own.
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState| {
        let (moved, millis) = (u128::from(state.pos()), state.elapsed().as_millis().max(1));
        format!("{}/s", human(u64::try_from(moved * 1000 / millis).unwrap_or(u64::MAX)))
    };
    // Before anything has moved nobody knows.
    let left = |state: &ProgressState| match state.pos() {
        0 => String::new(),
        _ => format!("{} left", roughly(state.eta().as_secs())),
    };
    let style = style
        .with_key("read", said(|state| human(state.pos())))
        .with_key("all", said(|state| human(state.len().unwrap_or_default())))
        .with_key("rate", said(rate))
        .with_key("left", said(left));
    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden())
        .with_style(style.progress_chars("=> "))
        .with_prefix(name)
}

/// A member of the template.
fn said(text: impl Fn(&ProgressState) -> String + Clone + Send + Sync + 'static) -> impl ProgressTracker + 'static {
    move |state: &ProgressState, out: &mut dyn Write| {
        // What is written to is a text in memory.
        let _ = out.write_str(&text(state));
    }
}
