//! Lists of which only some entries are asked for: a look at one is bounded by what it looks at, not by what it finds.

use std::ops::ControlFlow::Continue;

use rusqlite::{Params, Row};

use crate::Result;
use crate::db::Tx;

/// What a look at a stretch of a list found.
#[derive(Clone, Debug)]
pub struct Window<T> {
    /// What was asked for, by name.
    pub entries: Vec<T>,
    /// The name at which the stretch ends; `None` when that is the end of all.
    pub last: Option<String>,
}

impl<T> Window<T> {
    /// Looks at the rows of `sql`, at most `size` by its LIMIT. `read` says a row's name, and the entry if it is asked for.
    pub(crate) fn look(
        tx: &Tx<'_>,
        sql: &'static str,
        params: impl Params,
        size: usize,
        mut read: impl FnMut(&Row<'_>) -> Result<(String, Option<T>)>,
    ) -> Result<Self> {
        let (mut looked_at, mut found) = (0, Self { entries: Vec::new(), last: None });
        tx.walk(sql, params, |row| {
            let (name, entry) = read(row)?;
            looked_at += 1;
            found.last = Some(name).filter(|_| looked_at == size);
            found.entries.extend(entry);
            Ok(Continue(()))
        })?;
        Ok(found)
    }
}
