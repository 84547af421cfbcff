//! Users' accounts as administrators keep them. Each has an org of its own name; an enabled administrator is always
//! left; an address belongs to at most one, who gets what was granted to it.

use std::fmt;

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Made, Refusal, What, check_version};
use crate::db::{Tx, parsed, signed, statements};
use crate::grants::{self, GrantsOf};
use crate::{Meta, Millis, Principal, Result, Window, members, orgs};

/// An account, without what proves whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its row.
    pub id: i64,
    /// The name they sign in with.
    pub name: String,
    /// In lower case.
    pub email: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// May do nothing.
    pub is_disabled: bool,
    /// Whether they can sign in by a password here.
    pub has_password: bool,
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
    /// When somebody signed in with it last.
    pub signed_in_at: Option<Millis>,
}

/// An account that is to be.
#[derive(Clone, Default)]
pub struct NewUser {
    /// The name they sign in with.
    pub name: String,
    /// An address that is known to be theirs.
    pub email: Option<String>,
    /// PHC string of their password.
    pub password_hash: Option<String>,
    /// May do everything.
    pub is_admin: bool,
}

/// Without the hash: passwords can be guessed from it.
impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("name", &self.name).field("is_admin", &self.is_admin).finish_non_exhaustive()
    }
}

/// What is to change of an account; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// An address that is known to be theirs, or none.
    pub email: Option<Option<String>>,
    /// May do everything.
    pub is_admin: Option<bool>,
    /// May do nothing.
    pub is_disabled: Option<bool>,
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

/// With `more` columns behind those of an account.
macro_rules! columns {
    ($($more:literal)?) => {
        concat!("SELECT id, name, email, is_admin, is_disabled, password_hash IS NOT NULL, version, created_at,
           signed_in_at", $($more,)? " FROM users ")
    };
}

statements! {
    BY_NAME = concat!(columns!(), "WHERE name = $1");
    BY_ID = concat!(columns!(), "WHERE id = $1");
    /// Each with whether it is asked for: in a column, so that LIMIT bounds what is looked at, not what is found.
    WINDOW = concat!(columns!(", instr(name, $1) > 0 OR instr(coalesce(email, ''), $1) > 0"),
            "WHERE name > $2 ORDER BY name LIMIT $3");
    LAST_ID = "SELECT max(id) FROM users";
    LAST_GONE = "SELECT value FROM settings WHERE key = 'last_deleted_user'";
    KEEP_GONE = "INSERT INTO settings (key, value) VALUES ('last_deleted_user', $1)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    MAKE = "INSERT INTO users (id, name, email, password_hash, is_admin, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    CHANGE = "UPDATE users SET email = $1, is_admin = $2, is_disabled = $3, version = version + 1 WHERE id = $4";
    SIGNED_IN = "UPDATE users SET signed_in_at = $1 WHERE id = $2";
    DELETE = "DELETE FROM users WHERE id = $1";
    ANOTHER_ADMIN = "SELECT 1 FROM users WHERE is_admin = 1 AND is_disabled = 0 AND id <> $1 LIMIT 1";
    SET_PASSWORD = "UPDATE users SET password_hash = $1 WHERE id = $2";
    SIGN_OUT = "DELETE FROM refresh_tokens WHERE user_id = $1";
    SESSIONS = "SELECT hash, client_id, created_at, used_at, expires_at FROM refresh_tokens
            WHERE user_id = $1 AND hash > $2 AND expires_at > $3 ORDER BY hash LIMIT $4";
    SESSION = "SELECT client_id FROM refresh_tokens WHERE user_id = $1 AND hash = $2";
    END_SESSION = "DELETE FROM refresh_tokens WHERE hash = $1";
    OWNER_OF = "SELECT user_id FROM user_emails WHERE email = $1";
    VOUCH = "INSERT INTO user_emails (email, user_id) VALUES ($1, $2)";
    FORGET = "DELETE FROM user_emails WHERE email = $1 AND user_id = $2";
}

impl Meta {
    /// The account of that name.
    pub async fn account(&self, name: &str) -> Result<Option<Account>> {
        self.db.read(|tx| find(tx, name))
    }

    /// Looks at `window` accounts by name after `after` for those with `part` in their name or address.
    pub async fn account_window(&self, part: &str, after: &str, window: usize) -> Result<Window<Account>> {
        self.db.read(|tx| {
            Window::look(tx, WINDOW, (part, after, signed(window as u64)), window, |row| {
                Ok((row.get(1)?, row.get::<_, bool>(9)?.then(|| account(row)).transpose()?))
            })
        })
    }

    /// Makes an account and the org of its name. One that is there must be alike; its password is not looked at.
    pub async fn make_user(&self, new: NewUser, by: By) -> Result<Made<Account>> {
        self.db
            .write(move |tx| match find(tx, &new.name)? {
                Some(known) => same(known, &new),
                None => make(tx, &new, &by).map(Made::new),
            })
            .await
    }

    /// Makes an administrator unless the name is taken; says whether it did. What nobody did is in no audit.
    pub async fn make_admin(&self, name: &str, password_hash: &str, now: Millis) -> Result<bool> {
        let new = NewUser { name: name.into(), password_hash: Some(password_hash.into()), is_admin: true, email: None };
        self.db
            .write(move |tx| {
                let is_free = find(tx, &new.name)?.is_none();
                if is_free {
                    add(tx, &new, now)?;
                }
                Ok(is_free)
            })
            .await
    }

    /// Changes an account. Disabled, it can do nothing from the next request on, and its sessions are ended.
    pub async fn change_user(&self, id: i64, change: UserChange, expected: Option<i64>, by: By) -> Result<Account> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                let wanted = Account {
                    email: change.email.unwrap_or_else(|| before.email.clone()),
                    is_admin: change.is_admin.unwrap_or(before.is_admin),
                    is_disabled: change.is_disabled.unwrap_or(before.is_disabled),
                    ..before.clone()
                };
                if wanted == before { Ok(before) } else { apply(tx, &before, &wanted, &by) }
            })
            .await
    }

    /// Gives a user another password and ends their sessions.
    pub async fn change_password(&self, id: i64, hash: &str, by: By) -> Result<()> {
        let hash = hash.to_owned();
        self.db
            .write(move |tx| {
                let user = by_id(tx, id)?;
                tx.run(SET_PASSWORD, (&hash, id))?;
                let ended = tx.run(SIGN_OUT, [id])?;
                by.record(tx, what("user.password", &user), Value::Null, json!({ "sessions_ended": ended }))
            })
            .await
    }

    /// Records that somebody has signed in with an account.
    pub async fn touch_user(&self, id: i64, now: Millis) -> Result<()> {
        self.db.write(move |tx| signed_in(tx, id, now)).await
    }

    /// Deletes an account with its own org, memberships, grants and tokens, unless a repository is in that org, or an
    /// org or the registry would be left without anybody in charge.
    pub async fn delete_user(&self, id: i64, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                keep_an_admin(tx, &before)?;
                members::leaves_nobody_alone(tx, &before)?;
                let own = orgs::find(tx, &before.name)?;
                if let Some(own) = own.filter(|own| own.personal_of.as_ref() == Some(&before.name)) {
                    orgs::remove(tx, &own)?;
                }
                let grants = grants::shown_of(tx, GrantsOf::Principal(Principal::User(id)))?;
                let last = last_id(tx)?;
                tx.run(KEEP_GONE, [last.to_string()])?;
                tx.run(DELETE, [id])?;
                let was = json!({ "email": before.email, "admin": before.is_admin, "grants": grants });
                by.record(tx, what("user.delete", &before), was, Value::Null)
            })
            .await
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
                let user = by_id(tx, user)?;
                let client: Option<String> = tx.one(SESSION, (user.id, &hash), |row| Ok(row.get(0)?))?;
                let client = client.ok_or_else(|| Refusal::unknown("this session"))?;
                tx.run(END_SESSION, [&hash])?;
                by.record(tx, what("session.end", &user), json!({ "client": client }), Value::Null)
            })
            .await
    }
}

pub(crate) fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Account>> {
    tx.one(BY_NAME, [name], account)
}

/// The account of that name, or the refusal that says there is none.
pub(crate) fn must_find(tx: &Tx<'_>, name: &str) -> Result<Account> {
    find(tx, name)?.ok_or_else(|| Refusal::unknown(format!("user {name}")))
}

pub(crate) fn by_id(tx: &Tx<'_>, id: i64) -> Result<Account> {
    tx.one(BY_ID, [id], account)?.ok_or_else(|| Refusal::unknown("this user"))
}

/// Records that somebody has signed in with an account.
pub(crate) fn signed_in(tx: &Tx<'_>, id: i64, now: Millis) -> Result<()> {
    tx.run(SIGNED_IN, (now, id)).map(drop)
}

/// Makes an account whose name is free, the org of its name, and what was granted to its address.
pub(crate) fn make(tx: &Tx<'_>, new: &NewUser, by: &By) -> Result<Account> {
    orgs::not_reserved(&new.name)?;
    let made = add(tx, new, by.now)?;
    by.record(tx, what("user.create", &made), Value::Null, shown(&made))?;
    if let Some(email) = &made.email {
        vouch(tx, &made, email, by)?;
    }
    Ok(made)
}

fn add(tx: &Tx<'_>, new: &NewUser, now: Millis) -> Result<Account> {
    let id = last_id(tx)? + 1;
    tx.run(MAKE, (id, &new.name, &new.email, &new.password_hash, new.is_admin, now))?;
    orgs::make_personal(tx, id, &new.name, now)?;
    by_id(tx, id)
}

/// Takes an address as the user's, as an administrator or a trusted provider says, and gives them what was granted
/// to it.
pub(crate) fn vouch(tx: &Tx<'_>, user: &Account, email: &str, by: &By) -> Result<()> {
    match owner_of(tx, email)? {
        Some(owner) if owner == user.id => return Ok(()),
        Some(_) => return Err(Refusal::exists("email", format!("{email} is another user's address"))),
        None => tx.run(VOUCH, (email, user.id))?,
    };
    grants::wake(tx, user, email, by)
}

/// The user whose address it is known to be.
pub(crate) fn owner_of(tx: &Tx<'_>, email: &str) -> Result<Option<i64>> {
    tx.one(OWNER_OF, [email], |row| Ok(row.get(0)?))
}

/// A number that was a user's is nobody else's later: tokens that are still out say it.
fn last_id(tx: &Tx<'_>) -> Result<i64> {
    let here = tx.one(LAST_ID, [], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten();
    let gone: Option<i64> = tx.one(LAST_GONE, [], |row| parsed(row, 0))?;
    Ok(here.max(gone).unwrap_or(0))
}

fn apply(tx: &Tx<'_>, before: &Account, wanted: &Account, by: &By) -> Result<Account> {
    if before.is_admin && (!wanted.is_admin || wanted.is_disabled) {
        keep_an_admin(tx, before)?;
    }
    tx.run(CHANGE, (&wanted.email, wanted.is_admin, wanted.is_disabled, before.id))?;
    if wanted.is_disabled {
        tx.run(SIGN_OUT, [before.id])?;
    }
    let after = by_id(tx, before.id)?;
    by.record(tx, what("user.update", &after), shown(before), shown(&after))?;
    if before.email != after.email {
        if let Some(old) = &before.email {
            tx.run(FORGET, (old, before.id))?;
            grants::keep(tx, before, old, by)?;
        }
        if let Some(new) = &after.email {
            vouch(tx, &after, new, by)?;
        }
    }
    Ok(after)
}

fn keep_an_admin(tx: &Tx<'_>, user: &Account) -> Result<()> {
    let is_needed = user.is_admin && !user.is_disabled;
    if is_needed && tx.one(ANOTHER_ADMIN, [user.id], |_| Ok(()))?.is_none() {
        let name = &user.name;
        return Err(Refusal::kept(
            "is_admin",
            format!("{name} is the only enabled administrator: make somebody else one first"),
        ));
    }
    Ok(())
}

fn same(known: Account, new: &NewUser) -> Result<Made<Account>> {
    let name = &known.name;
    if known.email != new.email {
        return Err(Refusal::exists("email", format!("there is a user {name} with another address")));
    }
    if known.is_admin != new.is_admin {
        let message =
            format!("there is a user {name} who {} an administrator", if known.is_admin { "is" } else { "is not" });
        return Err(Refusal::exists("is_admin", message));
    }
    Ok(Made::known(known))
}

fn what<'a>(action: &'static str, user: &'a Account) -> What<'a> {
    What { action, org: None, target: &user.name }
}

fn shown(user: &Account) -> Value {
    json!({ "email": user.email, "admin": user.is_admin, "disabled": user.is_disabled })
}

fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        is_admin: row.get(3)?,
        is_disabled: row.get(4)?,
        has_password: row.get(5)?,
        version: row.get(6)?,
        created_at: row.get(7)?,
        signed_in_at: row.get(8)?,
    })
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
