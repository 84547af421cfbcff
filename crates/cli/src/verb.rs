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
    /// Whether it may wait for a person's answer. Threads of all others get the time to take away what they wrote when they
    /// are interrupted.
    const ASKS: bool = false;

    /// Does it.
    async fn run(self, session: &Session) -> Result<()>;
}
