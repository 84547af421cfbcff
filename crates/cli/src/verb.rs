use clap::Subcommand;

use crate::Result;
use crate::session::Session;

/// What can be done with a noun.
pub(crate) trait Verb: Subcommand {
    /// Does it.
    async fn run(self, session: &Session) -> Result<()>;
}
