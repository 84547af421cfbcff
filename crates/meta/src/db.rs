//! The seam to SQLite: one writer that commits in groups, readers that answer inline.
//!
//! A point read costs 2–5 µs, less than handing it to another thread; a durable commit costs a disk sync, so
//! every write that waits while one is under way goes into the next, together.

use std::fs::OpenOptions;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Params, Row};

use crate::{Error, Result, migrations};

mod status;
mod writer;

pub(crate) use status::status_of;
use writer::Writer;

/// Fewest and most readers. Between them there is one for each core: reads run inline, and tokio has a worker thread
/// for each core, so only on a machine beyond the most one may wait for another.
const READERS: (usize, usize) = (4, 64);
/// KiB of pages that all readers together keep.
const READ_CACHE: usize = 64 * 1024;
/// KiB of pages that the writer keeps.
const WRITE_CACHE: usize = 8 * 1024;
/// Bytes of log file that stay once it is folded in; one big write grows it beyond them for a while.
const LOG_KEPT: u64 = 64 * 1024 * 1024;
/// How long folding the log in waits for a reader that still needs it.
const FOLD_PATIENCE: Duration = Duration::from_secs(1);

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
        let mut found = Vec::new();
        self.walk(sql, params, |row| {
            found.push(map(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Row by row, until `each` has enough.
    pub(crate) fn walk(
        &self,
        sql: &'static str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if each(row)?.is_break() {
                break;
            }
        }
        Ok(())
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
        let count = std::thread::available_parallelism().map_or(1, usize::from).clamp(READERS.0, READERS.1);
        let reader = || -> Result<_> {
            let connection = Connection::open_with_flags(file, flags)?;
            tune(&connection, READ_CACHE / count)?;
            Ok(Mutex::new(connection))
        };
        let readers = (0..count).map(|_| reader()).collect::<Result<_>>()?;
        let (file, writer) = (file.to_owned(), Writer::start(connection, durability)?);
        Ok(Self { file, writer, readers, next: AtomicUsize::new(0) })
    }

    /// Folds the log into the file; `false` when something still needs it, and some of it stays.
    pub(crate) fn fold_log(&self) -> Result<bool> {
        let connection = Connection::open(&self.file)?;
        connection.busy_timeout(FOLD_PATIENCE)?;
        let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(!busy)
    }

    /// Bytes on disk, log included.
    pub(crate) fn size(&self) -> Result<u64> {
        status::size(&self.file)
    }

    /// Runs `work` inline on a free reader. Only for look-ups that an index answers.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let nth = |n: usize| &self.readers[start.wrapping_add(n) % self.readers.len()];
        let free = (0..self.readers.len()).find_map(|n| take(nth(n)));
        let connection = free.unwrap_or_else(|| nth(0).lock().unwrap_or_else(PoisonError::into_inner));
        let view = connection.unchecked_transaction()?;
        work(&Tx(&view))
    }

    /// Runs `work` in a transaction; durable when this returns `Ok`. An `Err` from `work` undoes it.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(Durability::Synced, work).await
    }

    /// As [`Db::write`], for what is no promise beyond this boot of the machine: it survives the end of the process, and
    /// waits for no disk.
    pub(crate) async fn note<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(Durability::Buffered, work).await
    }
}

/// The reader unless it is busy. A panic has taken nothing from it: unwinding ended its transaction.
fn take(reader: &Mutex<Connection>) -> Option<MutexGuard<'_, Connection>> {
    match reader.try_lock() {
        Ok(free) => Some(free),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Password hashes and signing keys are in it: for its owner only. SQLite gives the log files the same mode.
fn make_private(file: &Path) -> Result<()> {
    let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file);
    made.map(drop).map_err(|error| Error::Open { file: file.to_owned(), error: Arc::new(error) })
}

fn configure(connection: &Connection, durability: Durability) -> Result<()> {
    let (synchronous, number) = match durability {
        Durability::Synced => ("FULL", "2"),
        Durability::Buffered => ("OFF", "0"),
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    // SQLite keeps silent when it cannot: the log needs shared memory, which not every file system has.
    must_be(connection, "journal_mode", "wal")?;
    must_be(connection, "synchronous", number)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", signed(LOG_KEPT))?;
    tune(connection, WRITE_CACHE)
}

fn must_be(connection: &Connection, setting: &'static str, wanted: &'static str) -> Result<()> {
    let found = connection.pragma_query_value(None, setting, |row| {
        Ok(match row.get(0)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    })?;
    if found == wanted { Ok(()) } else { Err(Error::NotDurable { setting, wanted, found }) }
}

fn tune(connection: &Connection, cache_kib: usize) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    // Never mapped: a page of a mapping that the disk cannot read is SIGBUS, the end of the process, where a read is
    // an error that one request gets.
    connection.pragma_update(None, "mmap_size", 0)?;
    // Negative means KiB. Bytes of a manifest are read in one go; what pays to keep is the inner nodes.
    connection.pragma_update(None, "cache_size", -signed(cache_kib as u64))?;
    Ok(())
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

#[cfg(test)]
mod tests;
