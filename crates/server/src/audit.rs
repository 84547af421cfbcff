//! What happens to the audit without a request: it is written, kept within bounds, and passed on to syslog.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use wharf_client::syslog::{Message, Severity, Syslog, Target};
use wharf_registry::{AuditRow, Outcome, Registry};

/// What has been noted is written this soon, and what is written is passed on.
const TICK: Duration = Duration::from_secs(1);
/// How often what is too old is looked for.
const SWEEP: Duration = Duration::from_mins(1);
/// Rows passed on at once.
const BATCH: usize = 100;
/// Longest wait for a receiver that is down.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// The name that the place in the audit is remembered under.
const READER: &str = "syslog";

/// Writes what requests have noted, and removes what is no longer kept, until it is told to stop.
pub(crate) async fn tend(registry: Arc<Registry>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_sweep = Instant::now();
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = ticks.tick() => registry.flush_audit().await,
        }
        if Instant::now() < next_sweep {
            continue;
        }
        next_sweep = Instant::now() + SWEEP;
        match registry.sweep_audit().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "removed what the audit no longer keeps"),
            Err(error) => tracing::error!(%error, "could not remove what the audit no longer keeps"),
        }
    }
}

/// Passes every row on, each at least once, until it is told to stop. The next start goes on where this one was.
pub(crate) async fn forward(registry: Arc<Registry>, target: Target, mut stop: watch::Receiver<bool>) {
    let mut forwarder = Forwarder { registry, syslog: Syslog::new(target), host: host(), cursor: None, is_down: false };
    let mut wait = TICK;
    loop {
        wait = if forwarder.catch_up().await { TICK } else { (wait * 2).min(LONGEST_WAIT) };
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

struct Forwarder {
    registry: Arc<Registry>,
    syslog: Syslog,
    host: String,
    /// The row passed on last.
    cursor: Option<i64>,
    is_down: bool,
}

impl Forwarder {
    /// Passes on all there is; says whether that went well.
    async fn catch_up(&mut self) -> bool {
        loop {
            match self.pass_on().await {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    if !self.is_down {
                        let target = self.syslog.target();
                        tracing::warn!(%error, %target, "the audit cannot be passed on; it is tried again, and nothing is skipped");
                    }
                    self.is_down = true;
                    return false;
                }
            }
        }
    }

    async fn pass_on(&mut self) -> anyhow::Result<usize> {
        let cursor = match self.cursor {
            Some(cursor) => cursor,
            None => self.registry.audit_cursor(READER).await?,
        };
        self.cursor = Some(cursor);
        let rows = self.registry.audit_feed(cursor, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(0) };
        let messages: Vec<String> = rows.iter().map(|row| render(row, &self.host)).collect();
        self.syslog.send(&messages).await?;
        self.cursor = Some(last.id);
        if self.is_down {
            self.is_down = false;
            tracing::info!(target = %self.syslog.target(), "the audit is passed on again");
        }
        // Not remembered, it is passed on again after a restart: that may be.
        self.registry.keep_audit_cursor(READER, last.id).await?;
        Ok(rows.len())
    }
}

fn render(row: &AuditRow, host: &str) -> String {
    let (id, times) = (row.id.to_string(), row.times.to_string());
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let (address, request, org) = (some(&row.address), some(&row.request), some(&row.org));
    let data = [
        ("id", id.as_str()),
        ("actor", &row.actor),
        ("via", &row.via),
        ("address", &address),
        ("request", &request),
        ("action", &row.action),
        ("outcome", row.outcome.as_str()),
        ("org", &org),
        ("target", &row.target),
        ("times", &times),
    ];
    let data: Vec<_> = data.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.at) * 1_000_000);
    let time = time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "-".into());
    let text = if row.details.is_null() { String::new() } else { row.details.to_string() };
    let severity = if row.outcome == Outcome::Refused { Severity::Warning } else { Severity::Notice };
    let (kind, process) = (row.action.as_str(), std::process::id());
    Message { severity, time: &time, host, process, kind, data: &data, text: &text }.render()
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
