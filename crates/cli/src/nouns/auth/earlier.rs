//! The sign-in that another takes the place of: never somebody else's unasked.

use crate::contexts::{Kept, Whose};
use crate::session::Session;
use crate::sign_ins::not_ended;
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
            not_ended(&error);
            None
        })
    }
}
