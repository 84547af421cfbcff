//! Clients that stay signed in, by refresh tokens.

use wharf_meta::{Millis, Session as Row};

use super::{and_one, page};
use crate::access::Caller;
use crate::{Error, Page, Registry, Result, Secret};

/// Somewhere a user is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it is ended by; no secret.
    pub id: String,
    /// What the client calls itself.
    pub client: String,
    /// Since when.
    pub created_at: Millis,
    /// When it was used last.
    pub used_at: Option<Millis>,
    /// When it ends by itself.
    pub expires_at: Millis,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        let Row { hash, client, created_at, used_at, expires_at } = row;
        Self { id: digits(&hash), client, created_at, used_at, expires_at }
    }
}

impl Session {
    /// Whether it is the one of the browser that shows this.
    pub fn is_of(&self, browser: &Secret) -> bool {
        self.id == digits(&browser.sha256())
    }
}

impl Registry {
    /// Where the caller is signed in, by id after the id `after`.
    pub async fn own_sessions(&self, caller: &Caller, after: Option<&str>, limit: usize) -> Result<Page<Session>> {
        let (id, _) = self.in_person(caller, "list sessions")?;
        self.sessions_of(id, after, limit).await
    }

    /// Ends one of the caller's sessions.
    pub async fn end_own_session(&self, caller: &Caller, id: &str) -> Result<()> {
        let (user, _) = self.in_person(caller, "end sessions")?;
        self.end_session_of(caller, user, id).await
    }

    /// Where a user is signed in, by id after the id `after`. For administrators.
    pub async fn user_sessions(
        &self,
        caller: &Caller,
        user: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Session>> {
        let user = self.account_to_keep(caller, user).await?;
        self.sessions_of(user.id, after, limit).await
    }

    /// Ends one of a user's sessions. For administrators.
    pub async fn end_user_session(&self, caller: &Caller, user: &str, id: &str) -> Result<()> {
        let user = self.account_to_keep(caller, user).await?;
        self.end_session_of(caller, user.id, id).await
    }

    async fn sessions_of(&self, user: i64, after: Option<&str>, limit: usize) -> Result<Page<Session>> {
        let after = after.map_or(Some(vec![]), hash).ok_or_else(|| Error::Invalid {
            field: "after",
            message: "the id of the last session before is expected".into(),
        })?;
        let found = self.meta.sessions(user, &after, self.now(), and_one(limit)).await?;
        Ok(page(found, limit, Session::from))
    }

    async fn end_session_of(&self, caller: &Caller, user: i64, id: &str) -> Result<()> {
        let hash = hash(id).ok_or_else(|| Error::NotFound { what: "this session".into() })?;
        Ok(self.meta.end_session(user, &hash, self.by(caller)).await?)
    }
}

/// As hexadecimal digits.
fn digits(hash: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Hexadecimal digits as bytes.
fn hash(id: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = id.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
