//! Browsers that somebody is signed in with. Each is a row like a refresh token's: listed, ended by its owner, by a
//! new password and with the account.

use std::time::Duration;

use wharf_meta::RefreshToken;

use crate::access::{Credentials, Identity, Source, Via};
use crate::{Caller, Error, Registry, Result, Secret};

/// What a browser's row is told by. No client calls itself so: see `client_name`.
pub(crate) const BROWSER: &str = "browser";
/// Characters of what a client calls itself.
const CLIENT: usize = 100;
/// How long somebody stays signed in with a browser.
const LIFETIME: Duration = Duration::from_hours(12);

/// What a client calls itself, as it is kept and shown: short, without what moves a cursor, and never what a browser's
/// row is told by.
pub(crate) fn client_name(said: &str) -> String {
    let name: String = said.chars().filter(|c| !c.is_control()).take(CLIENT).collect();
    if name == BROWSER { "browser (client)".into() } else { name }
}

impl Registry {
    /// Something unguessable for a browser that nobody is signed in with yet.
    pub fn unknown_browser(&self) -> Result<Secret> {
        Secret::unguessable()
    }

    /// Signs somebody in by name and password. The result is what their browser shows from then on.
    pub async fn sign_in_browser(&self, user: &str, password: Secret, source: Source) -> Result<Secret> {
        // Tokens are for programs: they bound rights, and a browser's session would not.
        let caller = self.authenticate(Credentials::Basic { user: user.into(), password }, source).await?;
        match (caller.identity(), caller.via()) {
            (Identity::User { id, .. }, Via::Password) => self.start_session(*id, &caller).await,
            _ => Err(Error::BadCredentials),
        }
    }

    /// A session of who has just proved who they are. A password set meanwhile belongs to another: then it is none.
    pub(super) async fn start_session(&self, user_id: i64, caller: &Caller) -> Result<Secret> {
        let token = Secret::unguessable()?;
        let (client_id, expires_at) = (BROWSER.to_owned(), self.after(LIFETIME));
        let row = RefreshToken { hash: token.sha256().to_vec(), user_id, client_id, expires_at };
        let is_kept = self.meta.keep_refresh_token(row, caller.proof().expose(), self.by(caller)).await?;
        if is_kept { Ok(token) } else { Err(Error::BadCredentials) }
    }

    /// Who is signed in with a browser that shows this; `None` when nobody is, or not any more.
    pub async fn browser_caller(&self, session: &Secret, source: Source) -> Result<Option<Caller>> {
        let found = self.meta.refresh_token(&session.sha256()).await?;
        let found = found.filter(|found| found.token.client_id == BROWSER && found.token.expires_at > self.now());
        let found = found.filter(|found| !found.user.is_disabled);
        Ok(found.map(|found| Caller::of_account(found.user, Via::Session, source)))
    }

    /// Signs out whoever is signed in with that browser.
    pub async fn sign_out_browser(&self, session: &Secret, caller: &Caller) -> Result<()> {
        let Identity::User { id, .. } = caller.identity() else { return Ok(()) };
        Ok(self.meta.end_session(*id, &session.sha256(), self.by(caller)).await?)
    }
}
