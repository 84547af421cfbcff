//! Who is asking, and may they.

use wharf_meta::User;

use crate::{Registry, Result, Secret, federation};

mod api_tokens;
mod authorize;
mod caller;
mod decide;
mod door;
mod passwords;
mod shown;
mod signing;
mod tokens;

pub(crate) use api_tokens::{is_api_token, mint};
pub(crate) use authorize::{Readable, api_scope};
pub use caller::{Caller, Cap, Credentials, Identity, Source, Via};
pub use decide::{Action, Anonymous, Because, Decision, Facts, Power, Reason, decide};
pub(crate) use door::{At, Tried};
pub(crate) use passwords::Passwords;
pub(crate) use shown::Shown;
pub(crate) use signing::Tokens;
pub use tokens::{Grant, IssuedToken, TokenRequest};

impl Registry {
    /// Who these credentials are of. Wrong ones are an error, none are [`Identity::Anonymous`].
    pub async fn authenticate(&self, credentials: Credentials, source: Source) -> Result<Caller> {
        let shown = Shown::of(&credentials);
        let outcome = self.recognize(credentials, source.clone()).await;
        self.note_sign_in(shown, &source, &outcome).await;
        outcome
    }

    async fn recognize(&self, credentials: Credentials, source: Source) -> Result<Caller> {
        match credentials {
            Credentials::None => Ok(Caller::anonymous(source)),
            Credentials::Basic { user, password } if user.is_empty() && password.is_empty() => {
                Ok(Caller::anonymous(source))
            }
            Credentials::Basic { user, password } => self.caller_by_password(&user, password, source).await,
            Credentials::Bearer(token) if api_tokens::is_api_token(&token) => {
                // A bad one is a bad token: the client must not ask for a password.
                self.caller_by_api_token(None, &token, source).await.map_err(tokens::as_bad_token)
            }
            Credentials::Bearer(token) => self.caller_by_token(&token, source).await,
        }
    }

    /// What stands in a password's place is known by its shape: no password check is spent on a token.
    async fn caller_by_password(&self, user: &str, password: Secret, source: Source) -> Result<Caller> {
        if api_tokens::is_api_token(&password) {
            return self.caller_by_api_token(Some(user), &password, source).await;
        }
        if federation::is_outside_token(&password) {
            return self.caller_by_outside_token(&password, federation::Meant::robot(user), source).await;
        }
        Ok(Caller::of_account(self.sign_in(user, password, &source).await?, Via::Password, source))
    }

    /// The account, unless it is disabled.
    pub(crate) async fn account(&self, id: i64) -> Result<Option<User>> {
        Ok(self.meta.user_by_id(id).await?.filter(|user| !user.is_disabled))
    }
}
