/// What the database says.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the database could not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The file cannot be made or opened.
    #[error("cannot open the database {}: {error}", file.display())]
    Open {
        /// The file.
        file: std::path::PathBuf,
        /// Why.
        error: std::sync::Arc<std::io::Error>,
    },
    /// The disk with the database is full; nothing of the write happened.
    #[error("no space left for the database")]
    Full,
    /// A stored value is not what only this program could have written.
    #[error("the database holds {0}, which is not valid there")]
    Damaged(String),
    /// Written by a later version of this program.
    #[error("the database has schema {found}, this program knows up to {known}: run the newer version")]
    TooNew {
        /// Schema of the file.
        found: u32,
        /// Latest schema known here.
        known: u32,
    },
    /// The writer has stopped; only a restart helps.
    #[error("the database writer has stopped")]
    Stopped,
    /// Anything else SQLite reports.
    #[error("database: {0}")]
    Sqlite(std::sync::Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(std::sync::Arc::new(error)),
        }
    }
}
