//! Users' accounts as administrators keep them. Each has an org of its own name; an enabled administrator is always
//! left; an address belongs to at most one, who gets what was granted to it.

use std::fmt;

use serde_json::{Value, json};

use crate::accounts::{self, Account};
use crate::changes::{By, Made, Refusal, What, check_version};
use crate::db::{Tx, parsed, statements};
use crate::grants::{self, GrantsOf};
use crate::{Meta, Millis, Principal, Result, members, orgs, sessions};

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

statements! {
    LAST_ID = "SELECT max(id) FROM users";
    LAST_GONE = "SELECT value FROM settings WHERE key = 'last_deleted_user'";
    KEEP_GONE = "INSERT INTO settings (key, value) VALUES ('last_deleted_user', $1)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    MAKE = "INSERT INTO users (id, name, email, password_hash, is_admin, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    CHANGE = "UPDATE users SET email = $1, is_admin = $2, is_disabled = $3, version = version + 1 WHERE id = $4";
    DELETE = "DELETE FROM users WHERE id = $1";
    ANOTHER_ADMIN = "SELECT 1 FROM users WHERE is_admin = 1 AND is_disabled = 0 AND id <> $1 LIMIT 1";
    SET_PASSWORD = "UPDATE users SET password_hash = $1 WHERE id = $2";
    VOUCH = "INSERT INTO user_emails (email, user_id) VALUES ($1, $2)";
    FORGET = "DELETE FROM user_emails WHERE email = $1 AND user_id = $2";
}

impl Meta {
    /// Makes an account and the org of its name. One that is there must be alike; its password is not looked at.
    pub async fn make_user(&self, new: NewUser, by: By) -> Result<Made<Account>> {
        self.db
            .write(move |tx| match accounts::find(tx, &new.name)? {
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
                let is_free = accounts::find(tx, &new.name)?.is_none();
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
                let before = accounts::by_id(tx, id)?;
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
                let user = accounts::by_id(tx, id)?;
                tx.run(SET_PASSWORD, (&hash, id))?;
                let ended = sessions::end_all(tx, id)?;
                by.record(tx, what("user.password", &user), Value::Null, json!({ "sessions_ended": ended }))
            })
            .await
    }

    /// Records that somebody has signed in with an account.
    pub async fn touch_user(&self, id: i64, now: Millis) -> Result<()> {
        self.db.write(move |tx| accounts::signed_in(tx, id, now)).await
    }

    /// Deletes an account with its own org, memberships, grants and tokens, unless a repository is in that org, or an
    /// org or the registry would be left without anybody in charge.
    pub async fn delete_user(&self, id: i64, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = accounts::by_id(tx, id)?;
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
    accounts::by_id(tx, id)
}

/// Takes an address as the user's, as an administrator or a trusted provider says, and gives them what was granted
/// to it.
pub(crate) fn vouch(tx: &Tx<'_>, user: &Account, email: &str, by: &By) -> Result<()> {
    match accounts::owner_of(tx, email)? {
        Some(owner) if owner == user.id => return Ok(()),
        Some(_) => return Err(Refusal::exists("email", format!("{email} is another user's address"))),
        None => tx.run(VOUCH, (email, user.id))?,
    };
    grants::wake(tx, (user.id, &user.name), email, by)
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
        sessions::end_all(tx, before.id)?;
    }
    let after = accounts::by_id(tx, before.id)?;
    by.record(tx, what("user.update", &after), shown(before), shown(&after))?;
    if before.email != after.email {
        if let Some(old) = &before.email {
            tx.run(FORGET, (old, before.id))?;
            grants::keep(tx, before.id, old, by)?;
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
