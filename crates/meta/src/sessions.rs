//! Clients that stay signed in by a refresh token, as their user sees them.

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Refusal, What};
use crate::db::{Tx, signed, statements};
use crate::{Meta, Millis, Result, accounts};

/// A client that stays signed in by a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the refresh token: what it is ended by.
    pub hash: Vec<u8>,
    /// What the client called itself.
    pub client: String,
    /// Since when.
    pub created_at: Millis,
    /// When it was used last.
    pub used_at: Option<Millis>,
    /// When it ends by itself.
    pub expires_at: Millis,
}

statements! {
    SESSIONS = "SELECT hash, client_id, created_at, used_at, expires_at FROM refresh_tokens
            WHERE user_id = $1 AND hash > $2 AND expires_at > $3 ORDER BY hash LIMIT $4";
    SESSION = "SELECT client_id FROM refresh_tokens WHERE user_id = $1 AND hash = $2";
    END_SESSION = "DELETE FROM refresh_tokens WHERE hash = $1";
    END_ALL = "DELETE FROM refresh_tokens WHERE user_id = $1";
}

impl Meta {
    /// Sessions of a user that have not expired by `now`, by id after `after`, at most `limit`.
    pub async fn sessions(&self, user: i64, after: &[u8], now: Millis, limit: usize) -> Result<Vec<Session>> {
        self.db.read(|tx| tx.all(SESSIONS, (user, after, now, signed(limit as u64)), session))
    }

    /// Ends a session of a user's.
    pub async fn end_session(&self, user: i64, hash: &[u8], by: By) -> Result<()> {
        let hash = hash.to_owned();
        self.db
            .write(move |tx| {
                let name = accounts::by_id(tx, user)?.name;
                let client: Option<String> = tx.one(SESSION, (user, &hash), |row| Ok(row.get(0)?))?;
                let client = client.ok_or_else(|| Refusal::unknown("this session"))?;
                tx.run(END_SESSION, [&hash])?;
                let what = What { action: "session.end", org: None, target: &name };
                by.record(tx, what, json!({ "client": client }), Value::Null)
            })
            .await
    }
}

/// Ends all sessions of a user; says how many there were.
pub(crate) fn end_all(tx: &Tx<'_>, user: i64) -> Result<usize> {
    tx.run(END_ALL, [user])
}

fn session(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        hash: row.get(0)?,
        client: row.get(1)?,
        created_at: row.get(2)?,
        used_at: row.get(3)?,
        expires_at: row.get(4)?,
    })
}
