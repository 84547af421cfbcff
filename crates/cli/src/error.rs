use std::io;
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
    /// Content did not come to its end.
    #[error("cannot read {shown}: {source}")]
    Read { shown: String, source: io::Error },
    /// What was read is not what it should be.
    #[error("{0}")]
    Damaged(String),
    /// What was compared is not the same.
    #[error("{0}")]
    Different(String),
    /// What was to be compared could not be.
    #[error(transparent)]
    NotCompared(Box<Error>),
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
        match self.beneath() {
            Beneath::Registry(error) => return of_registry(error),
            Beneath::Image(_) if self.is_not_found() => return 4,
            Beneath::Image(_) => return 1,
            Beneath::Other => {}
        }
        match self {
            Self::Enough => 0,
            Self::Docker(wharf_client::docker::Error::Unreachable { .. }) => 5,
            Self::NotCompared(error) => match error.exit_code() {
                1 => 2,
                code => code,
            },
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => 4,
            Self::Failed(_)
            | Self::Damaged(_)
            | Self::Different(_)
            | Self::Read { .. }
            | Self::Declined
            | Self::File { .. }
            | Self::SignIns(_)
            | Self::Convert(_)
            | Self::Docker(_)
            | Self::Image(_)
            | Self::Registry(_) => 1,
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

    /// What a registry or a file said at the bottom of it: one's words come through the other's reader.
    fn beneath(&self) -> Beneath<'_> {
        match self {
            Self::Registry(error) => at_registry(error),
            Self::Image(error) => in_image(error),
            Self::Read { source, .. } => in_reader(source).unwrap_or(Beneath::Other),
            _ => Beneath::Other,
        }
    }

    /// Whether something was read and is not what it should be, or is missing: trying again would find the same.
    pub(crate) fn is_damage(&self) -> bool {
        use wharf_image::Error as Image;
        match self.beneath() {
            Beneath::Registry(error) => matches!(
                error,
                registry::Error::NotFound { .. }
                    | registry::Error::WrongDigest { .. }
                    | registry::Error::WrongSize { .. }
            ),
            Beneath::Image(error) => matches!(
                error,
                Image::Content { .. } | Image::Missing { .. } | Image::Damaged { .. } | Image::Manifest { .. }
            ),
            Beneath::Other => match self {
                Self::Damaged(_) => true,
                Self::Read { source, .. } => {
                    matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
                }
                _ => false,
            },
        }
    }

    /// Whether it is only that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        use wharf_image::Error as Image;
        match self.beneath() {
            Beneath::Registry(error) => error.is_not_found(),
            Beneath::Image(Image::Missing { .. } | Image::Reference { .. }) => true,
            Beneath::Image(Image::Io { source, .. }) => source.kind() == io::ErrorKind::NotFound,
            Beneath::Image(_) => false,
            Beneath::Other => matches!(self, Self::NotFound(_)),
        }
    }

    /// For `map_err` of a file operation.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

/// See [`Error::beneath`].
enum Beneath<'a> {
    Registry(&'a registry::Error),
    Image(&'a wharf_image::Error),
    Other,
}

fn at_registry(error: &registry::Error) -> Beneath<'_> {
    let source = if let registry::Error::Source { source, .. } = error { in_reader(source) } else { None };
    source.unwrap_or(Beneath::Registry(error))
}

fn in_image(error: &wharf_image::Error) -> Beneath<'_> {
    let source = if let wharf_image::Error::Incoming(source) = error { in_reader(source) } else { None };
    source.unwrap_or(Beneath::Image(error))
}

/// What a reader's error was made of, if it is ours.
fn in_reader(error: &io::Error) -> Option<Beneath<'_>> {
    let inner = error.get_ref()?;
    if let Some(error) = inner.downcast_ref::<registry::Error>() {
        return Some(at_registry(error));
    }
    if let Some(error) = inner.downcast_ref::<wharf_image::Error>() {
        return Some(in_image(error));
    }
    if let Some(error) = inner.downcast_ref::<Error>() {
        return Some(error.beneath());
    }
    in_reader(inner.downcast_ref::<io::Error>()?)
}

fn of_registry(error: &registry::Error) -> u8 {
    match error {
        registry::Error::Wire(error) => of_wire(error),
        registry::Error::SignInNeeded { .. } => 3,
        registry::Error::NotFound { .. } => 4,
        registry::Error::Cut { .. } => 5,
        _ => 1,
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

#[cfg(test)]
mod tests;
