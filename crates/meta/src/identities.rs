//! Who there is, and what proves it: users, robots, refresh tokens, signing keys.

use std::fmt;

use serde_json::{Value, json};

use crate::changes::{By, What};
use crate::db::{Tx, statements, unsigned};
use crate::{Meta, Millis, OrgId, Result, accounts, users};

/// Refresh tokens that one client of one user may have; each more ends the oldest.
pub(crate) const REFRESH_TOKENS: i64 = 100;
/// Refresh tokens that one user may have; each more ends the oldest.
const OF_ONE_USER: i64 = 1000;

/// A person's account.
#[derive(Clone)]
pub struct User {
    /// Its row.
    pub id: i64,
    /// The name they sign in with.
    pub name: String,
    /// PHC string of their password; `None` when they have none.
    pub password_hash: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// May do nothing.
    pub is_disabled: bool,
}

/// A machine's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Robot {
    /// Its row.
    pub id: i64,
    /// The org it belongs to.
    pub org: OrgId,
    /// `team+ci`
    pub name: String,
    /// May do nothing.
    pub is_disabled: bool,
}

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

/// A key that signs access tokens.
#[derive(Clone)]
pub struct SigningKey {
    /// The `kid` of tokens signed by it.
    pub id: String,
    /// PKCS#8.
    pub secret: Vec<u8>,
}

/// Without the hash: passwords can be guessed from it.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, password_hash: _, is_admin, is_disabled } = self;
        let mut shown = f.debug_struct("User");
        shown.field("id", id).field("name", name).field("is_admin", is_admin).field("is_disabled", is_disabled);
        shown.finish_non_exhaustive()
    }
}

/// Without the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

statements! {
    BY_NAME = "SELECT id, name, password_hash, is_admin, is_disabled FROM users WHERE name = $1";
    BY_ID = "SELECT id, name, password_hash, is_admin, is_disabled FROM users WHERE id = $1";
    ROBOT_BY_ID = "SELECT r.id, r.org_id, o.name || '+' || r.name, r.is_disabled
            FROM robots r JOIN orgs o ON o.id = r.org_id WHERE r.id = $1";
    USERS = "SELECT count(*) FROM users";
    KEEP_REFRESH = "INSERT INTO refresh_tokens (hash, user_id, client_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5)";
    REFRESH = "SELECT u.id, u.name, u.password_hash, u.is_admin, u.is_disabled,
              t.hash, t.client_id, t.expires_at, t.used_at
            FROM refresh_tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = $1";
    IS_PROVED = "SELECT 1 FROM users WHERE id = $1 AND is_disabled = 0 AND coalesce(password_hash, '') = $2";
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
    KEYS = "SELECT id, secret FROM keys WHERE purpose = $1 ORDER BY created_at DESC, id DESC";
    KEEP_KEY = "INSERT INTO keys (id, purpose, secret, created_at) VALUES ($1, $2, $3, $4)";
}

impl Meta {
    /// The user of that name.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>> {
        self.db.read(|tx| tx.one(BY_NAME, [name], user))
    }

    /// The user of that row.
    pub async fn user_by_id(&self, id: i64) -> Result<Option<User>> {
        self.db.read(|tx| tx.one(BY_ID, [id], user))
    }

    /// The robot of that row.
    pub async fn robot_by_id(&self, id: i64) -> Result<Option<Robot>> {
        self.db.read(|tx| {
            tx.one(ROBOT_BY_ID, [id], |row| {
                Ok(Robot { id: row.get(0)?, org: OrgId(row.get(1)?), name: row.get(2)?, is_disabled: row.get(3)? })
            })
        })
    }

    /// How many users there are.
    pub async fn count_users(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(USERS, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }

    /// Records a refresh token, and that its user has signed in. Those that have expired by `now` go, and the oldest of a client or user that has too many.
    /// `false`, and nothing is recorded, when `proved` is no longer the user's stored password hash (empty: none).
    pub async fn keep_refresh_token(&self, token: RefreshToken, proved: &str, by: By) -> Result<bool> {
        let now = by.now;
        let proved = proved.to_owned();
        self.db
            .write(move |tx| {
                if !is_proved(tx, token.user_id, &proved)? {
                    return Ok(false);
                }
                tx.run(SWEEP_REFRESH, [now])?;
                users::signed_in(tx, token.user_id, now)?;
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

    /// Token signing keys, newest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        self.db.read(|tx| tx.all(KEYS, ["token"], |row| Ok(SigningKey { id: row.get(0)?, secret: row.get(1)? })))
    }

    /// Adds a token signing key.
    pub async fn keep_signing_key(&self, key: SigningKey, now: Millis) -> Result<()> {
        self.db.write(move |tx| tx.run(KEEP_KEY, (key.id, "token", key.secret, now)).map(drop)).await
    }
}

/// Whether that is still the user's stored password hash (empty: none), and they are not disabled.
pub(crate) fn is_proved(tx: &Tx<'_>, user: i64, hash: &str) -> Result<bool> {
    Ok(tx.one(IS_PROVED, (user, hash), |_| Ok(()))?.is_some())
}

fn user(row: &rusqlite::Row<'_>) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        is_admin: row.get(3)?,
        is_disabled: row.get(4)?,
    })
}
