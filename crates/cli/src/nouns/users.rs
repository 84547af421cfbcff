//! `wharf users`

use clap::{Args, Subcommand};
use serde_json::Value;
use wharf_api::{Change, Email, Name, NewPassword, NewUser, PasswordReset, Search, User, UserUpdate, paths};
use wharf_client::server::Call;

use super::robots::Disabled;
use crate::output::{Show, note, opt, print, print_json, yes};
use crate::parse::or_none;
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;
use crate::{Error, Result, ask};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List accounts
    List {
        /// Only those with this in their name or address
        #[arg(long, value_name = "TEXT")]
        search: Option<Search>,
    },
    /// Show an account
    Get {
        /// Whose
        user: Name,
    },
    /// Make an account, and print its password unless it is given
    #[command(after_help = "Examples:\n  wharf users create alice --email alice@example.org\n  \
        wharf users create bob --password-stdin < password.txt\n  wharf users create carol --no-password")]
    Create {
        /// What they sign in as; also the name of their own org
        user: Name,
        /// Their mail address
        #[arg(long, value_name = "ADDRESS")]
        email: Option<Email>,
        /// They may do everything
        #[arg(long)]
        admin: bool,
        /// They have no password, and sign in by a provider
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
        #[command(flatten)]
        password: Password,
    },
    /// Change an account, or put it out of action
    Update {
        /// Whose
        user: Name,
        /// Their mail address, or none
        #[arg(long, value_name = "ADDRESS", value_parser = or_none::<Email>)]
        email: Option<Change<Option<Email>>>,
        /// Whether they may do everything
        #[arg(long, value_name = "true|false")]
        admin: Option<bool>,
        #[command(flatten)]
        disabled: Disabled,
        #[command(flatten)]
        version: Version,
    },
    /// Delete an account, its tokens, and what was granted to it
    Delete {
        /// Whose
        user: Name,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Give somebody a new password, print it unless it is given, and end all their sign-ins
    ResetPassword {
        /// Whom
        user: Name,
        #[command(flatten)]
        password: Password,
    },
}

/// Where a password comes from.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Password {
    /// Read the password from standard input instead of making one up
    #[arg(long)]
    password_stdin: bool,
}

impl Show for User {
    const COLUMNS: usize = 6;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("email", opt(self.email.as_ref())),
            ("admin", yes(self.is_admin)),
            ("disabled", yes(self.is_disabled)),
            ("signed in", opt(self.signed_in_at.as_ref())),
            ("created", self.created_at.to_string()),
            ("password", yes(self.has_password)),
            ("version", self.version.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { search } => {
                session.list::<User>(Call::get(paths::users()).query("q", search), "no account has that in it").await
            }
            Self::Get { user } => session.get::<User>(Call::get(paths::user(user.as_str()))).await,
            Self::Create { user, email, admin, no_password, password } => {
                let password = if no_password { None } else { Some(password.get()?) };
                create(
                    session,
                    NewUser { name: user, email, password: None, is_admin: admin.then_some(true) },
                    password,
                )
                .await
            }
            Self::Update { user, email, admin, disabled, version } => {
                let is_disabled = disabled.said().into();
                let update = UserUpdate { email: email.unwrap_or_default(), is_admin: admin.into(), is_disabled };
                something_to_change(&update)?;
                let call = Call::patch(paths::user(user.as_str())).body(&update).if_match(version.etag());
                session.update::<User>(call, format!("user {user}")).await
            }
            Self::Delete { user, confirmed } => {
                session.delete(Call::delete(paths::user(user.as_str())), format!("user {user}"), confirmed).await
            }
            Self::ResetPassword { user, password } => {
                let Known { password, is_made_up } = password.get()?;
                let body = PasswordReset { password: password.clone() };
                let call = Call::put(paths::user_password(user.as_str())).body(&body);
                session.server().await?.call::<Value>(call).await?;
                match is_made_up {
                    true if session.out.json => print_json(&serde_json::json!({"name": user, "password": password})),
                    true => print(&format!("{}\n", password.expose())),
                    false => session.out.done(None, &format!("the password of {user} is set")),
                }
            }
        }
    }
}

async fn create(session: &Session, mut new: NewUser, password: Option<Known>) -> Result<()> {
    let what = format!("user {}", new.name);
    new.password = password.as_ref().map(|known| known.password.clone());
    let answer = session.fetch::<User>(Call::create(paths::users()).body(&new)).await?;
    let made_up = password.filter(|known| known.is_made_up);
    let mut raw = answer.value.raw;
    match made_up {
        Some(known) if answer.created => {
            if session.out.json {
                raw["password"] = known.password.expose().into();
                return print_json(&raw);
            }
            if !session.out.quiet {
                note(&format!("{what} is made; this password is not shown again:"));
            }
            print(&format!("{}\n", known.password.expose()))
        }
        _ if answer.created => session.out.done(Some(&raw), &format!("{what} is made")),
        _ => session.out.done(Some(&raw), &format!("{what} is there already, with the password it has")),
    }
}

/// A password, and whether anybody but this process knows it.
struct Known {
    password: NewPassword,
    is_made_up: bool,
}

impl Password {
    fn get(self) -> Result<Known> {
        if self.password_stdin {
            let given = ask::secret_from_stdin("password")?;
            return Ok(Known { password: NewPassword::new(given.expose()), is_made_up: false });
        }
        Ok(Known { password: NewPassword::new(make_up()?), is_made_up: true })
    }
}

/// 24 letters and digits without those that look alike: 139 bits.
fn make_up() -> Result<String> {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut password = String::new();
    while password.len() < 24 {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(|error| Error::Failed(format!("there is no randomness: {error}")))?;
        // Bytes beyond the list are thrown away: a remainder would prefer the first letters.
        password.extend(LETTERS.get(usize::from(byte[0] & 63)).map(|letter| char::from(*letter)));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_that_are_made_up_are_long_and_never_the_same() {
        let (a, b) = (super::make_up().unwrap(), super::make_up().unwrap());
        assert!(a.len() == 24 && a != b && a.chars().all(|c| c.is_ascii_alphanumeric()), "{a}");
    }
}
