//! The audit of what changes nothing itself: sign-ins, and what was refused.
//!
//! Changes are recorded in their own transactions, by `meta`. What is here waits in memory for a second, so that no
//! request waits for it and none fails by it, and so that whoever repeats something a thousand times leaves one row.
//! A crash loses that second of it, and never a change.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use serde_json::json;
use wharf_meta::{Actor, AuditLimits, AuditRow, Event, Meta, Millis, Noted, Order, Outcome};
use wharf_oci::RepoName;

use crate::access::{Caller, Reason, Shown, Source, Tried};
use crate::{Class, Error, Registry, Result};

mod read;
mod refusals;
mod window;

pub use refusals::RefusalCount;
use refusals::Refusals;
use window::Window;

/// A caller who goes on signing in the same way from the same address is recorded this often.
const SIGN_IN: Millis = 60 * 60 * 1000;
/// Callers whose last sign-in is remembered.
const REMEMBERED: usize = 8192;
/// Bytes of a name that somebody typed and that may be one.
const LONGEST_NAME: usize = 2 * RepoName::LONGEST;
/// Characters of a target: the longest name of a repository with a tag or digest fits.
const LONGEST_TARGET: usize = 512;
/// Characters of a reason; it may quote what a stranger sent.
const LONGEST_REASON: usize = 400;
/// How long somebody who reads the audit waits for what is not written yet.
const PATIENCE: Duration = Duration::from_secs(1);
/// Rounds of one sweep.
const ROUNDS: usize = 200;
/// What anybody can cause as often as they like.
const CHEAP: &[&str] = &[
    "sign-in",
    "sign-in.failure",
    "session.create",
    "pull",
    "push",
    "delete",
    "manage",
    "own",
    "administer",
    "manifest.push",
    "repository.create",
    "audit.more",
    "audit.lost",
];

/// What is noted and not yet written, and what is only counted.
pub(crate) struct AuditLog {
    window: Mutex<Window>,
    /// When somebody's sign-in was noted last.
    signed_in: Cache<u64, Millis>,
    hasher: RandomState,
    refusals: Refusals,
    /// Held while writing; whether the last attempt failed.
    writing: tokio::sync::Mutex<bool>,
}

impl AuditLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            window: Mutex::new(Window::new()),
            signed_in: Cache::new(REMEMBERED),
            hasher: RandomState::new(),
            refusals: Refusals::default(),
            writing: tokio::sync::Mutex::new(false),
        })
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        // Counting cannot leave it half done.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fresh(&self, actor: &Actor, now: Millis) -> bool {
        let key = self.hasher.hash_one((&actor.name, &actor.via, actor.address));
        let is_fresh = self.signed_in.get(&key).is_none_or(|last| !(last..last + SIGN_IN).contains(&now));
        if is_fresh {
            self.signed_in.insert(key, now);
        }
        is_fresh
    }

    async fn write(self: Arc<Self>, meta: Meta, now: Millis, is_last: bool) {
        let mut is_failing = self.writing.lock().await;
        let rows = if is_last { self.window().end(now) } else { self.window().take(now) };
        if rows.is_empty() {
            return;
        }
        let outcome = meta.note(rows.clone()).await;
        if let Err(error) = &outcome {
            if !*is_failing {
                tracing::error!(%error, "sign-ins and refusals cannot be recorded; they are kept in memory, within bounds");
            }
            self.window().give_back(rows);
        }
        *is_failing = outcome.is_err();
    }
}

impl Registry {
    /// Notes how a sign-in went. Reading must go on whatever happens here: nothing waits, nothing fails.
    pub(crate) async fn note_sign_in(&self, shown: Option<Shown>, source: &Source, outcome: &Result<Caller>) {
        match (outcome, shown) {
            (Ok(caller), Some(_)) => self.signed_in(caller),
            (Err(error), Some(shown)) if is_failure(error) => {
                let why = if let Error::OutsideToken { why, .. } = error { why.as_deref() } else { None };
                self.failed(shown, source, &error.to_string(), why).await;
            }
            _ => {}
        }
    }

    /// Notes that somebody has signed in: the first time in a while that they do so from there.
    pub(crate) fn signed_in(&self, caller: &Caller) {
        let (actor, now) = (caller.actor(), self.now());
        if actor.via == "none" || !self.audit.is_fresh(&actor, now) {
            return;
        }
        let target = actor.name.clone();
        self.note(actor, Outcome::Done, Event { action: "sign-in", org: None, target, details: json!(null) });
    }

    /// Notes that somebody could not sign in by `how`; `user` is what they typed.
    pub(crate) async fn sign_in_failed(&self, how: &'static str, user: Option<&str>, source: &Source, reason: &str) {
        self.failed(Shown { how, user: user.map(str::to_owned), org: None }, source, reason, None).await;
    }

    /// `why` is more than whoever failed is told: for the org's owners.
    async fn failed(&self, Shown { how, user, org }: Shown, source: &Source, reason: &str, why: Option<&str>) {
        let target = match &user {
            Some(user) => self.typed_name(user).await,
            None => format!("({how})"),
        };
        let org = match org {
            Some(org) if self.meta.org(&org).await.is_ok_and(|org| org.is_some()) => Some(org),
            _ => None,
        };
        tracing::info!(%target, how, "sign-in failed");
        let actor = Actor { via: how.into(), ..Caller::anonymous(source.clone()).actor() };
        let short = |text: &str| text.chars().take(LONGEST_REASON).collect::<String>();
        let mut details = json!({ "reason": short(reason) });
        if let Some(why) = why {
            details["why"] = short(why).into();
        }
        let event = Event { action: "sign-in.failure", org, target, details };
        self.note(actor, Outcome::Refused, event);
    }

    /// A name that a stranger typed. People type passwords and tokens into the wrong field: a name that nobody has is
    /// not repeated. What stands for it tells one from another until the next start, and cannot be turned back.
    async fn typed_name(&self, user: &str) -> String {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+._-".contains(&byte);
        if user.is_empty() || user.len() > LONGEST_NAME || !user.bytes().all(legal) {
            return "(not a user name)".into();
        }
        if self.is_known(user).await {
            return user.to_owned();
        }
        format!("(unknown {:08x})", self.audit.hasher.hash_one(user) >> 32)
    }

    async fn is_known(&self, name: &str) -> bool {
        let Some((org, robot)) = name.split_once('+') else {
            return self.meta.user_by_name(name).await.is_ok_and(|user| user.is_some());
        };
        let Ok(Some(org)) = self.meta.org(org).await else { return false };
        self.meta.robot(org.id, robot).await.is_ok_and(|robot| robot.is_some())
    }

    /// Counts a decision against a caller; one that would have changed something is noted.
    pub(crate) fn note_refusal(&self, caller: &Caller, reason: Reason, tried: &Tried<'_>) {
        let Tried { action, at, .. } = *tried;
        self.audit.refusals.count(action, reason);
        match reason {
            Reason::NoRight => self.note_refused(caller, tried, "not granted"),
            Reason::TokenTooNarrow if caller.is_held_from(action) => {
                self.note_refused(caller, tried, "more than the credential gives");
            }
            // What clients ask before they sign in or fetch the right access token, and what is not there for them: only
            // now and then worth a line.
            _ if self.audit.refusals.is_sampled(self.now()) => {
                tracing::info!(by = caller.name(), action = action.verb(), target = at.target(), ?reason, "refused");
            }
            _ => {}
        }
    }

    /// Notes that something which would have changed something was refused, and why.
    pub(crate) fn note_refused(&self, caller: &Caller, tried: &Tried<'_>, reason: &str) {
        let Tried { action, at, doing } = *tried;
        let details = json!({ "tried": doing, "reason": reason });
        let (org, target) = (at.org().map(str::to_owned), at.target().to_owned());
        self.note(caller.actor(), Outcome::Refused, Event { action: action.verb(), org, target, details });
    }

    fn note(&self, actor: Actor, outcome: Outcome, mut event: Event) {
        // Of what is not there, the name is the caller's text.
        if let Some((end, _)) = event.target.char_indices().nth(LONGEST_TARGET) {
            event.target.truncate(end);
        }
        let now = self.now();
        self.audit.window().note(Noted { at: now, actor, event, outcome, times: 1, until: now });
    }

    /// Writes what has been noted. A failing disk keeps it in memory, within bounds.
    pub async fn flush_audit(&self) {
        self.write_audit(false).await;
    }

    /// Writes what has been noted, when nothing more will be.
    pub(crate) async fn end_audit(&self) {
        self.write_audit(true).await;
    }

    /// In a task of its own: whoever waits may go away, and what it took would be lost.
    async fn write_audit(&self, is_last: bool) {
        let work = Arc::clone(&self.audit).write(self.meta.clone(), self.now(), is_last);
        if let Err(error) = tokio::spawn(work).await {
            tracing::error!(%error, "recording sign-ins and refusals ended early");
        }
    }

    /// Removes what is older, or takes more room, than is kept; says how many rows.
    pub async fn sweep_audit(&self) -> Result<usize> {
        let keep = i64::try_from(self.settings.audit_keep.as_millis()).unwrap_or(i64::MAX);
        let since = self.now().saturating_sub(keep);
        let limits = AuditLimits { since, bytes: self.settings.audit_size, cheap: CHEAP };
        let mut removed = 0;
        for _ in 0..ROUNDS {
            let swept = self.meta.sweep_audit(limits).await?;
            removed += swept.removed;
            if !swept.more {
                break;
            }
        }
        Ok(removed)
    }

    /// Rows after `after`, oldest first, for what passes them on outside of any request.
    pub async fn audit_feed(&self, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
        let page = self.meta.audit(&wharf_meta::AuditFilter::default(), Order::OldestFirst, Some(after), limit).await?;
        Ok(page.rows)
    }

    /// Up to which row `reader` has passed it on. One that never has begins at the newest.
    pub async fn audit_cursor(&self, reader: &str) -> Result<i64> {
        if let Some(cursor) = self.meta.audit_cursor(reader).await? {
            return Ok(cursor);
        }
        let newest = self.meta.newest_audit().await?;
        self.meta.keep_audit_cursor(reader, newest).await?;
        Ok(newest)
    }

    /// Remembers it.
    pub async fn keep_audit_cursor(&self, reader: &str, id: i64) -> Result<()> {
        Ok(self.meta.keep_audit_cursor(reader, id).await?)
    }

    /// How often each kind of decision was a no, since the start.
    pub fn refusals(&self) -> Vec<RefusalCount> {
        self.audit.refusals.counts()
    }
}

/// What was shown is wrong, or too much that was wrong has been shown.
fn is_failure(error: &Error) -> bool {
    let is_wrong = |error: &Error| {
        matches!(
            error,
            Error::BadCredentials
                | Error::BadToken
                | Error::BadRefreshToken
                | Error::OutsideToken { .. }
                | Error::IssuerSilent { .. }
        )
    };
    is_wrong(error) || matches!(error, Error::RateLimited { class: Class::SignIns, .. })
}
