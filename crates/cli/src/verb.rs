//! What commands are made of.

use clap::{Args, Subcommand};

use crate::Result;
use crate::session::Session;

/// What can be done with a noun.
pub(crate) trait Verb: Subcommand {
    /// Does it.
    async fn run(self, session: &Session) -> Result<()>;
}

/// What a command of one word does.
pub(crate) trait Act: Args {
    /// Whether threads write files, which they take away again when they are interrupted.
    const WRITES_FILES: bool = false;

    /// Does it.
    async fn run(self, session: &Session) -> Result<()>;
}
