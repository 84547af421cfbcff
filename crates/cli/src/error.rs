use std::path::PathBuf;

use wharf_client::{credentials, registry, server};

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
    /// What a registry said.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// An image cannot be what it is to be.
    #[error(transparent)]
    Convert(#[from] wharf_image::convert::ConvertError),
    /// What podman and docker keep could not be read.
    #[error(transparent)]
    SignIns(#[from] credentials::Error),
    /// What docker said.
    #[error(transparent)]
    Docker(#[from] wharf_client::docker::Error),
    /// What is wrong with an image on this machine.
    #[error(transparent)]
    Image(#[from] wharf_image::Error),
}

impl Error {
    /// docs/cli.md has the list.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Enough => 0,
            Self::Image(_) if self.is_not_found() => 4,
            Self::Docker(wharf_client::docker::Error::Unreachable { .. }) => 5,
            Self::Failed(_)
            | Self::Declined
            | Self::File { .. }
            | Self::SignIns(_)
            | Self::Convert(_)
            | Self::Docker(_)
            | Self::Image(_) => 1,
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
            Self::Registry(error) => match error {
                registry::Error::Wire(error) => of_wire(error),
                registry::Error::SignInNeeded { .. } => 3,
                registry::Error::NotFound { .. } => 4,
                registry::Error::Cut { .. } => 5,
                _ => 1,
            },
        }
    }

    /// Whether it is only that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound(_)
            | Self::Image(wharf_image::Error::Missing { .. } | wharf_image::Error::Reference { .. }) => true,
            Self::Registry(error) => error.is_not_found(),
            Self::Image(wharf_image::Error::Io { source, .. }) => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
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
