//! A database looked at from outside, without opening it for work.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::{DatabaseStatus, Error, Result, SchemaStatus, migrations};

/// Reads the schema and changes nothing, on disk or beside it. Takes no lock: nothing else may be writing.
pub(crate) fn status_of(file: &Path) -> Result<DatabaseStatus> {
    let bytes = size(file)?;
    let connection = look(file)?;
    let applied = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(DatabaseStatus { schema: SchemaStatus { applied, known: migrations::known() }, bytes })
}

/// Even a read-only connection makes a log and its index where there are none, and read locks need the index. Without
/// a log there is nothing beside the file to read; with one, the index of a connection that is alone is in memory
/// (<https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory>).
fn look(file: &Path) -> Result<Connection> {
    let how = if length(&log_of(file))? == 0 { "immutable=1" } else { "vfs=unix-none" };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(file, how), flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    Ok(connection)
}

fn uri(file: &Path, parameter: &str) -> String {
    let encode = |byte: &u8| match byte {
        b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let path: String = file.as_os_str().as_bytes().iter().map(encode).collect();
    format!("file:{path}?{parameter}")
}

/// Bytes of the file and of its log. The file must be there.
pub(super) fn size(file: &Path) -> Result<u64> {
    let of_file = std::fs::metadata(file).map_err(|error| unopened(file, error))?.len();
    Ok(of_file + length(&log_of(file))?)
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn length(file: &Path) -> Result<u64> {
    match std::fs::metadata(file) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(unopened(file, error)),
    }
}

fn unopened(file: &Path, error: std::io::Error) -> Error {
    Error::Open { file: file.to_owned(), error: Arc::new(error) }
}
