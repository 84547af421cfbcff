//! Numbered, forward-only. `PRAGMA user_version` says how many have run.

use rusqlite::Connection;

use crate::{Error, Result};

const MIGRATIONS: &[&str] =
    &[include_str!("../migrations/sqlite/0001_init.sql"), include_str!("../migrations/sqlite/0002_people.sql")];

/// Which schema the database has and which this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaStatus {
    /// Migrations applied.
    pub applied: u32,
    /// Migrations this program has.
    pub known: u32,
}

/// How many migrations this program has.
pub(crate) fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Runs what is missing, each migration in a transaction of its own together with its number.
pub(crate) fn migrate(connection: &Connection) -> Result<()> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known() {
        return Err(Error::TooNew { found, known: known() });
    }
    for (number, sql) in (1_u32..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= found) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
