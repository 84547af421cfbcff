//! `wharf audit`

use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use wharf_api::{AuditEvent, Name, Outcome, Search, Timestamp, paths};
use wharf_client::server::Call;

use crate::output::{Seen, Show, note, opt, print};
use crate::parse::moment;
use crate::session::Session;
use crate::verb::Verb;
use crate::{Error, Result};

/// Said where nothing was found.
const NOTHING: &str = "nothing of that kind happened";

/// What is recorded; `audit.md` says when.
const ACTIONS: &[&str] = &[
    "administer",
    "audit.lost",
    "audit.more",
    "blob.delete",
    "delete",
    "device.allow",
    "device.refuse",
    "grant.create",
    "grant.delete",
    "grant.keep",
    "grant.update",
    "grant.wake",
    "identity.link",
    "limit.set",
    "limit.unset",
    "manage",
    "manifest.delete",
    "manifest.push",
    "member.add",
    "member.remove",
    "member.update",
    "org.create",
    "org.delete",
    "org.update",
    "own",
    "provider.create",
    "provider.delete",
    "provider.update",
    "pull",
    "push",
    "quota.set",
    "repository.create",
    "repository.delete",
    "repository.update",
    "robot.create",
    "robot.delete",
    "robot.update",
    "session.create",
    "session.end",
    "sign-in",
    "sign-in.failure",
    "tag.delete",
    "team.add",
    "team.create",
    "team.delete",
    "team.remove",
    "team.update",
    "token.create",
    "token.revoke",
    "trust-rule.create",
    "trust-rule.delete",
    "trust-rule.update",
    "user.create",
    "user.delete",
    "user.password",
    "user.update",
];

/// How often `--follow` looks for news.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List what happened, the newest first
    #[command(
        after_help = "Administrators see everything, owners what happened in an org of theirs (--org), everybody else \
        what they did themselves.\n\n\
        Examples:\n  wharf audit list --org team --since 24h\n  wharf audit list --action sign-in.failure --limit 20"
    )]
    List {
        #[command(flatten)]
        filter: Filter,
        /// Entries, at most
        #[arg(long, default_value_t = 100, value_name = "NUMBER")]
        limit: usize,
    },
    /// Print what happened as JSON lines, the oldest first
    #[command(
        after_help = "Example:\n  wharf audit export --since 7d > audit.jsonl\n  wharf audit export --since 0s --follow"
    )]
    Export {
        #[command(flatten)]
        filter: Filter,
        /// Go on with what happens from now on, until Ctrl-C
        #[arg(long, conflicts_with = "until")]
        follow: bool,
    },
}

/// Which events.
#[derive(Clone, Debug, Args)]
pub(crate) struct Filter {
    /// Only those of this org
    #[arg(long)]
    org: Option<Name>,
    /// Only what this user or robot did
    #[arg(long)]
    actor: Option<Search>,
    /// Only this action, as in grant.create
    #[arg(long)]
    action: Option<Search>,
    /// Only what was done to this
    #[arg(long)]
    target: Option<Search>,
    /// Only what was done, or what was refused: done or refused
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Only from then on: a time as in 2026-11-21T03:00:00Z, or how long ago as in 24h
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only before then
    #[arg(long, id = "until", value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
}

impl Filter {
    fn call(&self) -> Call {
        let call = Call::get(paths::audit()).query("org", self.org.as_ref()).query("actor", self.actor.as_ref());
        let call = call.query("action", self.action.as_ref()).query("target", self.target.as_ref());
        let call = call.query("outcome", self.outcome).query("since", self.since);
        call.query("until", self.until)
    }
}

impl Filter {
    /// Told where nothing was found: a newer server may record more than is known here.
    async fn is_sensible(&self, session: &Session) -> Result<()> {
        if let Some(action) = self.action.as_ref().map(ToString::to_string)
            && !ACTIONS.iter().any(|known| known.starts_with(&action))
        {
            return Err(Error::Usage(format!("no action begins with {action}; there are {}", ACTIONS.join(", "))));
        }
        session.org_is_there(self.org.as_ref()).await
    }
}

/// What an event says beyond its columns, in one line: `role=reader→writer user=bob`.
fn details(details: &Value) -> String {
    let mut said = vec![];
    let (before, after) = (&details["before"], &details["after"]);
    let names: BTreeSet<&String> =
        [before, after].into_iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
    for name in names {
        let (old, new) = (text(&before[name]), text(&after[name]));
        match (before.is_object(), after.is_object()) {
            (true, true) if old == new => said.push(format!("{name}={new}")),
            (true, true) => said.push(format!("{name}={old}→{new}")),
            (true, false) => said.push(format!("{name}={old}")),
            (false, _) => said.push(format!("{name}={new}")),
        }
    }
    for (name, value) in details.as_object().into_iter().flatten() {
        match name.as_str() {
            "before" | "after" => {}
            "reason" => said.push(text(value)),
            _ => said.push(format!("{name}={}", text(value))),
        }
    }
    said.join(" ")
}

/// A text without its quotes.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Show for AuditEvent {
    const COLUMNS: usize = 8;

    fn show(&self) -> Vec<(&'static str, String)> {
        let times = if self.times > 1 { format!(" x{}", self.times) } else { String::new() };
        vec![
            ("at", self.at.to_string()),
            ("actor", self.actor.clone()),
            ("via", self.via.clone()),
            ("address", opt(self.address.as_ref())),
            ("action", self.action.clone()),
            ("outcome", format!("{}{times}", self.outcome)),
            ("target", self.target.clone()),
            ("details", self.details.as_ref().map(details).unwrap_or_default()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { filter, limit } => {
                let mut pages = session.server().await?.list(filter.call().query("limit", Some(limit.clamp(1, 1000))));
                let mut events: Vec<Seen<AuditEvent>> = vec![];
                while events.len() < limit
                    && let Some(page) = pages.next().await?
                {
                    events.extend(page);
                }
                events.truncate(limit);
                if events.is_empty() {
                    filter.is_sensible(session).await?;
                }
                session.out.list(&events, NOTHING)
            }
            Self::Export { filter, follow } => export(session, &filter, follow).await,
        }
    }
}

async fn export(session: &Session, filter: &Filter, follow: bool) -> Result<()> {
    let mut lines = session.server().await?.lines(filter.call()).await?;
    let mut newest = 0;
    while let Some(line) = lines.next().await? {
        newest = newest.max(id_of(&line));
        print(&format!("{line}\n"))?;
    }
    if newest == 0 {
        filter.is_sensible(session).await?;
        note(NOTHING);
    }
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(LOOK).await;
        newest = news(session, filter, newest).await?;
    }
}

/// Prints what is newer than `newest`, the oldest first, and says what is newest now.
async fn news(session: &Session, filter: &Filter, newest: u64) -> Result<u64> {
    let mut pages = session.server().await?.list::<Seen<AuditEvent>>(filter.call().query("limit", Some(100)));
    let mut found = vec![];
    while let Some(page) = pages.next().await? {
        let (of_page, before) = (page.len(), found.len());
        found.extend(page.into_iter().filter(|event| event.item.id > newest));
        if found.len() - before < of_page {
            break;
        }
    }
    for event in found.iter().rev() {
        print(&format!("{}\n", event.raw))?;
    }
    Ok(found.first().map_or(newest, |event| event.item.id.max(newest)))
}

fn id_of(line: &str) -> u64 {
    serde_json::from_str::<AuditEvent>(line).map_or(0, |event| event.id)
}

#[cfg(test)]
mod tests;
