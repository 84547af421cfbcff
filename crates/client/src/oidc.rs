//! Issuers of identities: people's providers and CI systems alike (OpenID Connect Core and Discovery 1.0).
//!
//! A token is verified against keys that its issuer publishes, fetched once and kept, whoever asks first. What a
//! token is good for is not decided here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use serde_json::{Map, Value};

mod error;
mod flow;
mod keys;
mod metadata;
mod shelf;
mod token;

pub use error::{Error, Invalid};
pub use flow::{Ceremony, Client};
use metadata::Known;
use shelf::Shelf;
pub use token::{Expected, audiences, expires_at, issued_at, unverified_issuer};

use crate::outgoing::{self, Outgoing};

/// Milliseconds since 1970 UTC.
pub type Millis = i64;
/// What a token says.
pub type Claims = Map<String, Value>;

/// How often a token with an unknown key makes the issuer be asked again.
const UNKNOWN_KEY: Duration = Duration::from_mins(1);
/// How long an issuer that failed is not asked again.
const FAILED: Duration = Duration::from_secs(10);
/// How long keys are believed that their issuer could not confirm.
const STALE: Duration = Duration::from_hours(24);

/// Verifies what issuers signed. Cheap to clone; clones share what is known.
#[derive(Clone)]
pub struct Issuers {
    outgoing: Outgoing,
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Issuer {
    known: RwLock<Option<Arc<Known>>>,
    /// Held while the issuer is asked: whoever comes meanwhile waits, and takes what came.
    asking: tokio::sync::Mutex<LastAsked>,
}

#[derive(Default)]
struct LastAsked {
    at: Option<Millis>,
    failure: Option<Error>,
}

impl Issuers {
    /// Knows nobody yet.
    pub fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, shelf: Arc::default() }
    }

    /// Whether the issuer might be asked, as far as its URL says so itself.
    pub fn may_ask(&self, issuer: &str) -> Result<(), outgoing::Error> {
        self.outgoing.may_ask(issuer)
    }

    /// The claims of a token that `expected.issuer` signed for one of those audiences and that is good at `now`.
    pub async fn verify(&self, token: &str, expected: Expected<'_>, now: Millis) -> Result<Claims, Error> {
        let header = token::Header::of(token)?;
        let mut known = self.known(expected.issuer, now).await?;
        let key = header.key.as_deref();
        if known.keys.fitting(key, header.algorithm).next().is_none() {
            known = self.after_unknown_key(expected.issuer, &known, now).await;
        }
        let mut fitting = known.keys.fitting(key, header.algorithm).peekable();
        if fitting.peek().is_none() {
            return Err(Invalid::UnknownKey(key.unwrap_or_default().chars().take(100).collect()).into());
        }
        let claims = fitting.find_map(|key| token::claims(token, header.algorithm, key));
        let claims = claims.ok_or(Invalid::Signature)?;
        expected.check(&claims, now)?;
        Ok(claims)
    }

    /// Notes that a token of that issuer's was of use to `user`: the issuer is remembered better then, and counts against
    /// what else that user has remembered.
    pub fn was_of_use(&self, issuer: &str, user: &str) {
        self.shelf().used(issuer, user);
    }

    /// Asks the issuer now whether it is one, so that a mistake shows when it is made.
    pub async fn check(&self, issuer: &str, now: Millis) -> Result<(), Error> {
        self.known(issuer, now).await.map(drop)
    }

    /// What is known of the issuer, fresh if it can be had.
    async fn known(&self, url: &str, now: Millis) -> Result<Arc<Known>, Error> {
        let issuer = self.issuer(url);
        if let Some(known) = issuer.known().filter(|known| now < known.fresh_until) {
            return Ok(known);
        }
        let mut last = issuer.asking.lock().await;
        let known = issuer.known();
        if let Some(known) = known.clone().filter(|known| now < known.fresh_until) {
            return Ok(known);
        }
        let asked = if last.failed_within(FAILED, now) { last.failure.clone() } else { None };
        let failure = match asked {
            Some(failure) => failure,
            None => match self.ask(url, &issuer, &mut last, now).await {
                Ok(known) => return Ok(known),
                Err(failure) => failure,
            },
        };
        // Down for a while: what it said last still holds.
        known.filter(|known| now < known.fetched_at.saturating_add(millis(STALE))).ok_or(failure)
    }

    /// A key may be newer than what is known: asks again, unless that was just done.
    async fn after_unknown_key(&self, url: &str, seen: &Arc<Known>, now: Millis) -> Arc<Known> {
        let issuer = self.issuer(url);
        let mut last = issuer.asking.lock().await;
        match issuer.known() {
            // Somebody else asked meanwhile.
            Some(known) if !Arc::ptr_eq(&known, seen) => known,
            _ if last.at.is_some_and(|at| now < at.saturating_add(millis(UNKNOWN_KEY))) => Arc::clone(seen),
            _ => self.ask(url, &issuer, &mut last, now).await.unwrap_or_else(|_| Arc::clone(seen)),
        }
    }

    async fn ask(&self, url: &str, issuer: &Issuer, last: &mut LastAsked, now: Millis) -> Result<Arc<Known>, Error> {
        last.at = Some(now);
        match metadata::fetch(&self.outgoing, url, now).await {
            Ok(known) => {
                let known = Arc::new(known);
                *issuer.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
                last.failure = None;
                Ok(known)
            }
            Err(error) => {
                tracing::warn!(issuer = url, %error, "an issuer of identities gave no keys");
                last.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    fn issuer(&self, url: &str) -> Arc<Issuer> {
        self.shelf().get(url)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issuer {
    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LastAsked {
    fn failed_within(&self, time: Duration, now: Millis) -> bool {
        self.failure.is_some() && self.at.is_some_and(|at| now < at.saturating_add(millis(time)))
    }
}

fn millis(duration: Duration) -> Millis {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
