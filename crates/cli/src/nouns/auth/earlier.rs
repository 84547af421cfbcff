//! The sign-in that another takes the place of: never somebody else's unasked, and not left alive on the server.

use wharf_client::server::{Error as ServerError, Server};

use super::logout;
use crate::contexts::{Kept, Whose};
use crate::output::note;
use crate::session::Session;
use crate::{Error, Result, ask};

/// What is kept for a context before somebody signs in there.
pub(super) struct Earlier {
    context: String,
    user: Option<String>,
    may_go: bool,
}

impl Earlier {
    /// `may_go`: whoever it is.
    pub(super) fn of(session: &Session, context: &str, may_go: bool) -> Result<Self> {
        let [mut users, _] = session.store.users()?;
        Ok(Self { context: context.into(), user: users.remove(context), may_go })
    }

    /// Asks whether it may go, if it is somebody else's.
    pub(super) async fn yields_to(&mut self, user: &str) -> Result<()> {
        let Some(other) = self.user.as_ref().filter(|other| !self.may_go && *other != user) else { return Ok(()) };
        let there = format!("{other} is signed in there (context {})", self.context);
        if !ask::is_possible() {
            let said = format!("{there}: --replace signs {other} out, --context NAME keeps both");
            return Err(Error::Usage(said));
        }
        ask::confirm(&format!("{there}. Sign {other} out?"), false).await?;
        self.may_go = true;
        Ok(())
    }

    /// Its secret, before another is kept in its place. One that cannot be read is told of, and lives on.
    pub(super) fn take(&self, session: &Session) -> Option<Kept> {
        self.user.as_ref()?;
        session.store.kept(Whose::Context(&self.context)).unwrap_or_else(|error| {
            note(&format!("wharf: the earlier sign-in cannot be ended on the server: {error}"));
            None
        })
    }
}

/// Ends a sign-in on the server, where it may be over already.
pub(super) async fn end(server: Server, kept: &Kept) {
    match logout::end(&server.signed_in(kept.credential()), kept).await {
        Ok(()) | Err(Error::Server(ServerError::SignInNeeded { .. })) => {}
        Err(Error::Server(ServerError::Refused(refusal))) if refusal.status.as_u16() == 404 => {}
        Err(error) => note(&format!("wharf: the earlier sign-in could not be ended on the server: {error}")),
    }
}
