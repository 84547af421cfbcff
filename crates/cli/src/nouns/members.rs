//! `wharf members`

use clap::Subcommand;
use wharf_api::{Member, MemberRole, MemberUpdate, Name, paths};
use wharf_client::server::Call;

use crate::Result;
use crate::output::Show;
use crate::session::{Confirmed, Session};
use crate::verb::Verb;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List an org's members
    List {
        /// Which
        org: Name,
    },
    /// Take a user into an org, or change what they are in it
    #[command(after_help = "A member may do what is granted; an owner may do everything in the org.\n\n\
        Example:\n  wharf members set team alice --role owner")]
    Set {
        /// Which
        org: Name,
        /// Who
        user: Name,
        /// As what: owner or member
        #[arg(long, default_value_t = MemberRole::Member)]
        role: MemberRole,
    },
    /// Take a member out of an org, and out of its teams
    Remove {
        /// Which
        org: Name,
        /// Who
        user: Name,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

impl Show for Member {
    const COLUMNS: usize = 3;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![("user", self.user.clone()), ("role", self.role.to_string()), ("since", self.since.to_string())]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { org } => {
                session.list::<Member>(Call::get(paths::members(org.as_str())), "the org has no members").await
            }
            Self::Set { org, user, role } => {
                let call = Call::put(paths::member(org.as_str(), user.as_str())).body(&MemberUpdate { role });
                session.set::<Member>(call, format!("{user} is {role} of org {org}")).await
            }
            Self::Remove { org, user, confirmed } => {
                let call = Call::delete(paths::member(org.as_str(), user.as_str()));
                session.remove(call, format!("{user} from org {org}"), confirmed).await
            }
        }
    }
}
