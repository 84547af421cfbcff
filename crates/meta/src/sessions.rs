//! Clients and browsers that stay signed in: refresh tokens, and how their user sees and ends them.

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Refusal, What};
use crate::db::{Tx, signed, statements};
use crate::identities::{User, is_proved, user};
use crate::{Meta, Millis, Result, accounts};

/// Refresh tokens that one client of one user may have; each more ends the oldest.
const REFRESH_TOKENS: i64 = 100;
/// Refresh tokens that one user may have; each more ends the oldest.
const OF_ONE_USER: i64 = 1000;

/// A refresh token's row. The token itself is never stored.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// Whose it is.
    pub user_id: i64,
    /// What the client called itself.
    pub client_id: String,
    /// When it stops working.
    pub expires_at: Millis,
}

/// A refresh token with whom it stands for, as both were at one moment.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The token's row.
    pub token: RefreshToken,
    /// When it was used last.
    pub used_at: Option<Millis>,
    /// Whose it is.
    pub user: User,
}

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
    KEEP_REFRESH = "INSERT INTO refresh_tokens (hash, user_id, client_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5)";
    REFRESH = "SELECT u.id, u.name, u.password_hash, u.is_admin, u.is_disabled,
              t.hash, t.client_id, t.expires_at, t.used_at
            FROM refresh_tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = $1";
    /// What a user has besides their newest `$3`, at most `$2` of it.
    CAP_USER = "DELETE FROM refresh_tokens WHERE hash IN (
              SELECT hash FROM refresh_tokens WHERE user_id = $1
              ORDER BY created_at DESC, hash DESC LIMIT $2 OFFSET $3)";
    USE_REFRESH = "UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2";
    SWEEP_REFRESH = "DELETE FROM refresh_tokens WHERE expires_at <= $1";
    /// What a client has besides its newest `$4`, at most `$3` of it.
    CAP_REFRESH = "DELETE FROM refresh_tokens WHERE hash IN (
              SELECT hash FROM refresh_tokens WHERE user_id = $1 AND client_id = $2
              ORDER BY created_at DESC, hash DESC LIMIT $3 OFFSET $4)";
    SESSIONS = "SELECT hash, client_id, created_at, used_at, expires_at FROM refresh_tokens
            WHERE user_id = $1 AND hash > $2 AND expires_at > $3 ORDER BY hash LIMIT $4";
    SESSION = "SELECT client_id FROM refresh_tokens WHERE user_id = $1 AND hash = $2";
    END_SESSION = "DELETE FROM refresh_tokens WHERE hash = $1";
    END_ALL = "DELETE FROM refresh_tokens WHERE user_id = $1";
}

impl Meta {
    /// Records a refresh token, and that its user has signed in. Those that have expired go, and the oldest of a client or
    /// user that has too many. `false`, and nothing is recorded, when `proved` is no longer the user's stored password hash
    /// (empty: none).
    pub async fn keep_refresh_token(&self, token: RefreshToken, proved: &str, by: By) -> Result<bool> {
        let now = by.now;
        let proved = proved.to_owned();
        self.db
            .write(move |tx| {
                if !is_proved(tx, token.user_id, &proved)? {
                    return Ok(false);
                }
                tx.run(SWEEP_REFRESH, [now])?;
                accounts::signed_in(tx, token.user_id, now)?;
                tx.run(CAP_REFRESH, (token.user_id, &token.client_id, REFRESH_TOKENS, REFRESH_TOKENS - 1))?;
                tx.run(CAP_USER, (token.user_id, OF_ONE_USER, OF_ONE_USER - 1))?;
                let user = accounts::by_id(tx, token.user_id)?.name;
                let after = json!({ "client": token.client_id, "expires_at": token.expires_at });
                tx.run(KEEP_REFRESH, (token.hash, token.user_id, token.client_id, now, token.expires_at))?;
                by.record(tx, What { action: "session.create", org: None, target: &user }, Value::Null, after)?;
                Ok(true)
            })
            .await
    }

    /// The refresh token with that hash, and its user, in one read: a password set in between belongs to neither.
    pub async fn refresh_token(&self, hash: &[u8]) -> Result<Option<Refreshed>> {
        self.db.read(|tx| {
            tx.one(REFRESH, [hash], |row| {
                let user = user(row)?;
                let (hash, client_id, expires_at) = (row.get(5)?, row.get(6)?, row.get(7)?);
                let token = RefreshToken { hash, user_id: user.id, client_id, expires_at };
                Ok(Refreshed { token, used_at: row.get(8)?, user })
            })
        })
    }

    /// Records when a refresh token was used last.
    pub async fn touch_refresh_token(&self, hash: &[u8], now: Millis) -> Result<()> {
        let hash = hash.to_owned();
        self.db.write(move |tx| tx.run(USE_REFRESH, (now, hash)).map(drop)).await
    }

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
