//! Who there is, and what proves it: users, robots, signing keys.

use std::fmt;

use crate::db::{Tx, statements, unsigned};
use crate::{Meta, Millis, OrgId, Result};

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
    IS_PROVED = "SELECT 1 FROM users WHERE id = $1 AND is_disabled = 0 AND coalesce(password_hash, '') = $2";
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

/// Of a row that begins with the user's columns.
pub(crate) fn user(row: &rusqlite::Row<'_>) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        is_admin: row.get(3)?,
        is_disabled: row.get(4)?,
    })
}
