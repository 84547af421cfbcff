//! The seam to SQLite: one writer that commits in groups, readers that answer inline.
//!
//! A point read costs 2–5 µs, less than handing it to another thread; a durable commit costs a disk sync, so
//! every write that waits while one is under way goes into the next, together.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags, Params, Row};

use crate::{Error, Result, migrations};

mod writer;

use writer::Writer;

/// Readers kept open: more than the worker threads of any machine this runs embedded on.
const READERS: usize = 8;

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The disk has it: survives power loss. What a registry runs with.
    Synced,
    /// The operating system has it: for tests, where syncing only costs time.
    Buffered,
}

/// Declares a module's statements, so that one test can prepare them all.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

#[derive(Debug)]
pub(crate) struct Db {
    file: PathBuf,
    writer: Writer,
    readers: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

/// A transaction, or for reads a consistent view. All SQL goes through it.
pub(crate) struct Tx<'c>(&'c Connection);

impl Tx<'_> {
    /// The first row, if any.
    pub(crate) fn one<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(map).transpose()
    }

    /// Every row; the statement limits how many.
    pub(crate) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(map(row)?);
        }
        Ok(found)
    }

    /// Runs a statement for its effect; says how many rows it touched.
    pub(crate) fn run(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }
}

impl Db {
    pub(crate) fn open(file: &Path, durability: Durability) -> Result<Self> {
        make_private(file)?;
        let connection = Connection::open(file)?;
        configure(&connection, durability)?;
        migrations::migrate(&connection)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = || -> Result<_> {
            let connection = Connection::open_with_flags(file, flags)?;
            tune(&connection)?;
            Ok(Mutex::new(connection))
        };
        let readers = (0..READERS).map(|_| reader()).collect::<Result<_>>()?;
        let (file, writer) = (file.to_owned(), Writer::start(connection)?);
        Ok(Self { file, writer, readers, next: AtomicUsize::new(0) })
    }

    /// Waits for nobody: what a reader still needs of the log stays in it.
    pub(crate) fn fold_log(&self) -> Result<()> {
        let connection = Connection::open(&self.file)?;
        Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Runs `work` inline on a free reader. Only for look-ups that an index answers.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let nth = |n: usize| &self.readers[(start + n) % READERS];
        let free = (0..READERS).find_map(|n| nth(n).try_lock().ok());
        // A poisoned reader has only lost its statement cache's last use: the connection itself is sound.
        let connection = free.unwrap_or_else(|| nth(0).lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let view = connection.unchecked_transaction()?;
        work(&Tx(&view))
    }

    /// Runs `work` in a transaction; durable when this returns `Ok`. An `Err` from `work` undoes it.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(work).await
    }
}

/// Password hashes and signing keys are in it: for its owner only. SQLite gives the log files the same mode.
fn make_private(file: &Path) -> Result<()> {
    let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file);
    made.map(drop).map_err(|error| Error::Open { file: file.to_owned(), error: Arc::new(error) })
}

fn configure(connection: &Connection, durability: Durability) -> Result<()> {
    let synchronous = match durability {
        Durability::Synced => "FULL",
        Durability::Buffered => "OFF",
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    tune(connection)
}

fn tune(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "mmap_size", 256 * 1024 * 1024)?;
    // Bytes of a manifest are read in one go; a page cache of 8 MiB a connection holds the inner nodes.
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    Ok(())
}

/// Bytes of database pages in use.
pub(crate) fn size(tx: &Tx<'_>) -> Result<u64> {
    const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let bytes: Option<i64> = tx.one(SIZE, [], |row| Ok(row.get(0)?))?;
    Ok(bytes.unwrap_or(0).unsigned_abs())
}

/// Reads column `index` as a value that has a text form, such as a digest.
pub(crate) fn parsed<T: std::str::FromStr>(row: &Row<'_>, index: usize) -> Result<T> {
    let text = row.get_ref(index)?.as_str().map_err(|error| Error::Damaged(error.to_string()))?;
    text.parse().map_err(|_| Error::Damaged(format!("{text:?}")))
}

/// As [`parsed`], for a column that may be NULL.
pub(crate) fn parsed_or_null<T: std::str::FromStr>(row: &Row<'_>, index: usize) -> Result<Option<T>> {
    if row.get_ref(index)? == rusqlite::types::ValueRef::Null { Ok(None) } else { parsed(row, index).map(Some) }
}

/// A count or size, which the schema keeps from being negative.
pub(crate) fn unsigned(row: &Row<'_>, index: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(index)?.unsigned_abs())
}

/// A size as SQLite stores it. Nothing stored here comes near 2⁶³.
pub(crate) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
