//! Users' accounts as they are: their rows, and whose an address is.

use rusqlite::Row;

use crate::changes::Refusal;
use crate::db::{Tx, signed, statements};
use crate::{Meta, Millis, Result, Window};

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
    SIGNED_IN = "UPDATE users SET signed_in_at = $1 WHERE id = $2";
    OWNER_OF = "SELECT user_id FROM user_emails WHERE email = $1";
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

/// The user whose address it is known to be.
pub(crate) fn owner_of(tx: &Tx<'_>, email: &str) -> Result<Option<i64>> {
    tx.one(OWNER_OF, [email], |row| Ok(row.get(0)?))
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
