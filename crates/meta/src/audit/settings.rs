//! Numbers that belong to the audit and must outlive the process, in `settings`.

use crate::db::{Tx, statements};
use crate::{Meta, Result};

statements! {
    KEPT = "SELECT value FROM settings WHERE key = $1";
    KEEP = "INSERT INTO settings (key, value) VALUES ($1, $2)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
}

pub(super) fn kept(tx: &Tx<'_>, key: &str) -> Result<Option<String>> {
    tx.one(KEPT, [key], |row| Ok(row.get(0)?))
}

pub(super) fn keep(tx: &Tx<'_>, key: &str, value: &str) -> Result<()> {
    tx.run(KEEP, (key, value)).map(drop)
}

impl Meta {
    /// Up to which row `reader` has taken the audit; `None` when it never has.
    pub async fn audit_cursor(&self, reader: &str) -> Result<Option<i64>> {
        let key = format!("audit.cursor.{reader}");
        Ok(self.db.read(|tx| kept(tx, &key))?.and_then(|value| value.parse().ok()))
    }

    /// Remembers it.
    pub async fn keep_audit_cursor(&self, reader: &str, id: i64) -> Result<()> {
        let key = format!("audit.cursor.{reader}");
        self.db.write(move |tx| keep(tx, &key, &id.to_string())).await
    }
}
