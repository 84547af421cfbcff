use std::path::PathBuf;

use wharf_client::server;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NotSignedIn(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Failed(String),
    #[error("nothing was changed")]
    Declined,
    /// Whoever reads the output wants no more of it.
    #[error("")]
    Enough,
    #[error("interrupted")]
    Interrupted,
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Server(#[from] server::Error),
}

impl Error {
    /// docs/cli.md has the list.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Enough => 0,
            Self::Failed(_) | Self::Declined | Self::File { .. } => 1,
            Self::Usage(_) => 2,
            Self::NotSignedIn(_) => 3,
            Self::NotFound(_) => 4,
            Self::Interrupted => 130,
            Self::Server(error) => match error {
                server::Error::Wire(error) => of_wire(error),
                server::Error::SignInNeeded { .. } => 3,
                server::Error::Refused(refusal) if refusal.status.as_u16() == 404 => 4,
                _ => 1,
            },
        }
    }

    /// For `map_err` of a file operation.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

impl From<server::WireError> for Error {
    fn from(error: server::WireError) -> Self {
        Self::Server(error.into())
    }
}

fn of_wire(error: &server::WireError) -> u8 {
    match error {
        server::WireError::Address { .. } | server::WireError::Certificates { .. } => 2,
        server::WireError::Unreachable { .. } | server::WireError::Busy { .. } => 5,
        server::WireError::Endless { .. } | server::WireError::Moved { .. } => 1,
    }
}
