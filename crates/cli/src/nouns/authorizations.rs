//! `wharf authorizations`

use clap::{Args, Subcommand};
use wharf_api::{Email, Grant, GrantUpdate, Name, NewGrant, PrincipalName, Recipient, RobotName, Role, Target, paths};
use wharf_client::server::{Call, Error as ServerError};

use crate::output::{Seen, Show};
use crate::session::{Confirmed, Session};
use crate::verb::Verb;
use crate::{Error, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List what was granted
    List {
        /// Only on this org and in it, or on this repository
        target: Option<Target>,
        /// Only to this user or robot directly
        #[arg(long, value_name = "USER")]
        to: Option<PrincipalName>,
    },
    /// Give somebody a role on an org or a repository
    #[command(
        after_help = "reader pulls; writer also pushes; maintainer also deletes, and changes settings and grants. \
        A role on an org is one on all its repositories. An address that nobody has signed in with yet may be given: the \
        role waits for whoever does, by a provider that is trusted with that address.\n\n\
        Examples:\n  wharf authorizations create team/app --email a@b.c --permission reader\n  \
        wharf authorizations create team --team backend --permission writer"
    )]
    Create {
        /// On what: an org, or a repository
        target: Target,
        /// Which role: reader, writer or maintainer
        #[arg(long, visible_alias = "role", value_name = "ROLE")]
        permission: Role,
        #[command(flatten)]
        to: To,
    },
    /// Give somebody another role than they were given
    #[command(after_help = "Examples:\n  wharf authorizations update 7 --permission reader\n  \
        wharf authorizations update team/app --user bob --permission reader")]
    Update {
        /// The grant's id; or on what, with to whom
        #[arg(value_name = "ID|TARGET")]
        which: String,
        /// Which role: reader, writer or maintainer
        #[arg(long, visible_alias = "role", value_name = "ROLE")]
        permission: Role,
        #[command(flatten)]
        to: MaybeTo,
    },
    /// Take a role away again
    #[command(
        after_help = "Examples:\n  wharf authorizations delete 7\n  wharf authorizations delete team/app --email a@b.c"
    )]
    Delete {
        /// The grant's id; or on what, with to whom
        #[arg(value_name = "ID|TARGET")]
        which: String,
        #[command(flatten)]
        to: MaybeTo,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

/// To whom.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct To {
    /// To a user
    #[arg(long)]
    user: Option<Name>,
    /// To a team of the org
    #[arg(long)]
    team: Option<Name>,
    /// To a robot
    #[arg(long, value_name = "ORG+ROBOT")]
    robot: Option<RobotName>,
    /// To whoever has this address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<Email>,
}

/// To whom, perhaps.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct MaybeTo {
    /// What a user has
    #[arg(long)]
    user: Option<Name>,
    /// What a team of the org has
    #[arg(long)]
    team: Option<Name>,
    /// What a robot has
    #[arg(long, value_name = "ORG+ROBOT")]
    robot: Option<RobotName>,
    /// What waits for whoever has this address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<Email>,
}

fn recipient(
    user: Option<Name>,
    team: Option<Name>,
    robot: Option<RobotName>,
    email: Option<Email>,
) -> Option<Recipient> {
    let user = user.map(Recipient::User).or(team.map(Recipient::Team));
    user.or(robot.map(Recipient::Robot)).or(email.map(Recipient::Email))
}

fn to(grant: &Grant) -> (&'static str, &str) {
    let named = [("user", &grant.user), ("team", &grant.team), ("robot", &grant.robot), ("email", &grant.email)];
    named.into_iter().find_map(|(kind, name)| Some((kind, name.as_deref()?))).unwrap_or_default()
}

fn is_to(grant: &Grant, to: &Recipient) -> bool {
    match to {
        Recipient::User(name) => grant.user.as_deref() == Some(name.as_str()),
        Recipient::Team(name) => grant.team.as_deref() == Some(name.as_str()),
        Recipient::Robot(name) => grant.robot.as_deref() == Some(name.as_str()),
        Recipient::Email(address) => {
            grant.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(address.as_str()))
        }
    }
}

impl Show for Grant {
    const COLUMNS: usize = 7;

    fn show(&self) -> Vec<(&'static str, String)> {
        let (kind, name) = to(self);
        vec![
            ("id", self.id.clone()),
            ("target", self.target.clone()),
            ("to", kind.into()),
            ("name", name.into()),
            ("role", self.role.to_string()),
            ("by", self.granted_by.clone()),
            ("granted", self.granted_at.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { target, to } => {
                let call = Call::get(paths::grants()).query("target", target).query("to", to);
                session.list::<Grant>(call, "nothing is granted, that you may know of").await
            }
            Self::Create { target, permission, to } => {
                let to = recipient(to.user, to.team, to.robot, to.email);
                let to = to.ok_or_else(|| Error::Usage("say to whom: --user, --team, --robot or --email".into()))?;
                let new = NewGrant::new(target, permission, to.clone());
                let call = Call::create(paths::grants()).body(&new);
                let answer = session.fetch::<Grant>(call).await.map_err(|error| other_role(error, &new, &to))?;
                granted(session, &answer.value)
            }
            Self::Update { which, permission, to } => {
                let (id, _) = grant(session, which, to).await?;
                let call = Call::put(paths::grant(&id)).body(&GrantUpdate { role: permission });
                granted(session, &session.fetch::<Grant>(call).await?.value)
            }
            Self::Delete { which, to, confirmed } => {
                let (id, what) = grant(session, which, to).await?;
                session.delete(Call::delete(paths::grant(&id)), what, confirmed).await
            }
        }
    }
}

fn granted(session: &Session, seen: &Seen<Grant>) -> Result<()> {
    let grant = &seen.item;
    let said = format!("{} is {} on {} (grant {})", to_whom(grant), grant.role, grant.target, grant.id);
    session.out.done(Some(&seen.raw), &said)
}

/// Names the command for who has another role there.
fn other_role(error: Error, new: &NewGrant, to: &Recipient) -> Error {
    match error {
        Error::Server(ServerError::Refused(refusal))
            if refusal.status.as_u16() == 409 && refusal.field.as_deref() == Some("role") =>
        {
            let (flag, name) = match to {
                Recipient::User(name) => ("user", name.as_str()),
                Recipient::Team(name) => ("team", name.as_str()),
                Recipient::Robot(name) => ("robot", name.as_str()),
                Recipient::Email(address) => ("email", address.as_str()),
            };
            let next = format!("wharf authorizations update {} --{flag} {name} --permission {}", new.target, new.role);
            Error::Failed(format!("{refusal}: {next}"))
        }
        error => error,
    }
}

/// Its id, and what it is in words.
async fn grant(session: &Session, which: String, to: MaybeTo) -> Result<(String, String)> {
    match recipient(to.user, to.team, to.robot, to.email) {
        Some(to) => find(session, &which, &to).await,
        None if which.bytes().all(|byte| byte.is_ascii_digit()) => {
            let what = format!("grant {which}");
            Ok((which, what))
        }
        None => Err(Error::Usage("say whose: --user, --team, --robot or --email".into())),
    }
}

fn to_whom(grant: &Grant) -> String {
    let (kind, name) = to(grant);
    format!("{kind} {name}")
}

/// The grant on exactly that target to exactly them.
async fn find(session: &Session, target: &str, to: &Recipient) -> Result<(String, String)> {
    let target: Target = target.parse().map_err(|error| Error::Usage(format!("{error}")))?;
    let all: Vec<Seen<Grant>> = session.fetch_all(Call::get(paths::grants()).query("target", Some(&target))).await?;
    let found = all.into_iter().map(|seen| seen.item).find(|grant| grant.target == target.as_str() && is_to(grant, to));
    let found = found.ok_or_else(|| Error::NotFound(format!("they have no grant on {target} itself")))?;
    let what = format!("grant {}: {} {} on {target}", found.id, to_whom(&found), found.role);
    Ok((found.id, what))
}
