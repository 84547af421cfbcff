use crate::changes::Refusal;
use crate::quotas::OverQuota;

/// What the database says.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the database could not. Of a write, every error but [`Error::Uncertain`] means that nothing of it happened,
/// now or after a restart.
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
    /// A setting that durability rests on did not take: what the database answers for could be lost.
    #[error("the database's {setting} is {found} and must be {wanted}: put it on another file system")]
    NotDurable {
        /// SQLite's name for it.
        setting: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// The disk with the database is full; nothing of the write happened.
    #[error("no space left for the database")]
    Full,
    /// The commit itself failed, after the disk may have got it: the write may be there or not, and a restart may
    /// bring it back. What it would have named must be kept.
    #[error("database, in doubt whether this was written: {0}")]
    Uncertain(std::sync::Arc<rusqlite::Error>),
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
    /// Something stands against the change: see there.
    #[error(transparent)]
    Refused(Refusal),
    /// What an org may keep is used up.
    #[error("the quota of {} is used up", .0.org)]
    OverQuota(Box<OverQuota>),
    /// The writer has stopped; only a restart helps.
    #[error("the database writer has stopped")]
    Stopped,
    /// Anything else SQLite reports.
    #[error("database: {0}")]
    Sqlite(std::sync::Arc<rusqlite::Error>),
}

impl Error {
    /// What a failing COMMIT means. Out of space, it stopped at a write, and the mark that makes a commit of log
    /// frames is in the last of them (sqlite3WalFrames): nothing happened. A sync that fails comes after that mark.
    pub(crate) fn of_commit(error: rusqlite::Error) -> Self {
        match Self::from(error) {
            Self::Sqlite(error) => Self::Uncertain(error),
            full => full,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(std::sync::Arc::new(error)),
        }
    }
}
