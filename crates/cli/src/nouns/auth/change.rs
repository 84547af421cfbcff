//! `wharf auth change-password`

use clap::Args;
use wharf_api::{NewPassword, PasswordChange, Secret, paths};
use wharf_client::server::Call;

use crate::contexts::{Kept, Whose};
use crate::session::{Session, open};
use crate::{Error, Result, ask, sign_ins};

/// Where the passwords come from.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Change {
    /// Read the current password and then the new one from standard input, a line each
    #[arg(long)]
    password_stdin: bool,
}

impl Change {
    /// The new password ends this sign-in with all others, so it is followed by another.
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let contexts = session.store.contexts()?;
        let name = contexts.meant(session.asked.as_deref())?;
        let server = session.server().await?;
        let (current, new) = self.passwords().await?;
        let body = PasswordChange { current, new: NewPassword::new(new.expose()) };
        server.call::<serde_json::Value>(Call::put(paths::own_password()).body(&body)).await?;
        let user = session.store.users()?[0].remove(&name).unwrap_or_default();
        let door = sign_ins::door(server).await?;
        let (_, kept) = sign_ins::by_password(open(&contexts, &name)?, &door, user.clone(), new).await?;
        session.store.renew(Whose::Context(&name), Kept { user: user.clone(), ..kept })?;
        session.out.done(None, &format!("the password of {user} is changed; every other sign-in has ended"))
    }

    async fn passwords(self) -> Result<(Secret, Secret)> {
        if self.password_stdin {
            let both = ask::secret_from_stdin("password")?;
            let (current, new) = both.expose().split_once('\n').ok_or_else(two_lines)?;
            return Ok((Secret::new(current.trim_end_matches('\r')), Secret::new(new)));
        }
        if !ask::is_possible() {
            return Err(two_lines());
        }
        let current = ask::secret("Current password: ").await?;
        let new = ask::secret("New password: ").await?;
        if new != ask::secret("New password again: ").await? {
            return Err(Error::Failed("the two are not the same; nothing was changed".into()));
        }
        Ok((current, new))
    }
}

fn two_lines() -> Error {
    Error::Usage("give the current password and the new one by --password-stdin, a line each".into())
}
