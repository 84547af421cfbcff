//! `wharf teams`

use clap::Subcommand;
use serde_json::json;
use wharf_api::{Description, Name, NewTeam, Team, TeamMember, TeamUpdate, paths};
use wharf_client::server::Call;

use crate::Result;
use crate::output::{Seen, Show, opt, print, print_json};
use crate::parse::InOrg;
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List an org's teams
    List {
        /// Which
        org: Name,
    },
    /// Show a team and who is in it
    Get {
        /// Which
        #[arg(value_name = "ORG/TEAM")]
        team: InOrg,
    },
    /// Make a team
    #[command(after_help = "Example:\n  wharf teams create team/backend --description 'Who keeps the servers'\n  \
        wharf teams add team/backend alice\n  wharf authorizations create team/app --team backend --permission writer")]
    Create {
        /// What to call it
        #[arg(value_name = "ORG/TEAM")]
        team: InOrg,
        /// A line for people
        #[arg(long, value_name = "TEXT")]
        description: Option<Description>,
    },
    /// Change a team
    Update {
        /// Which
        #[arg(value_name = "ORG/TEAM")]
        team: InOrg,
        /// A line for people
        #[arg(long, value_name = "TEXT")]
        description: Option<Description>,
        #[command(flatten)]
        version: Version,
    },
    /// Delete a team, and what was granted to it
    Delete {
        /// Which
        #[arg(value_name = "ORG/TEAM")]
        team: InOrg,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Take users into a team
    Add {
        /// Which
        #[arg(value_name = "ORG/TEAM")]
        team: InOrg,
        /// Who
        #[arg(value_name = "USER", required = true)]
        users: Vec<Name>,
    },
    /// Take users out of a team
    Remove {
        /// Which
        #[arg(value_name = "ORG/TEAM")]
        team: InOrg,
        /// Who
        #[arg(value_name = "USER", required = true)]
        users: Vec<Name>,
    },
}

impl Show for Team {
    const COLUMNS: usize = 3;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", format!("{}/{}", self.org, self.name)),
            ("description", self.description.clone()),
            ("created", self.created_at.to_string()),
            ("version", self.version.to_string()),
        ]
    }
}

impl Show for TeamMember {
    const COLUMNS: usize = 3;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("user", self.user.clone()),
            ("by group of", opt(self.provider.as_ref())),
            ("since", self.since.to_string()),
        ]
    }
}

fn path(team: &InOrg) -> String {
    paths::team(team.org.as_str(), team.name.as_str())
}

fn member(team: &InOrg, user: &Name) -> String {
    paths::team_member(team.org.as_str(), team.name.as_str(), user.as_str())
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { org } => {
                session.list::<Team>(Call::get(paths::teams(org.as_str())), "the org has no teams").await
            }
            Self::Get { team } => get(session, &team).await,
            Self::Create { team, description } => {
                let body = NewTeam { name: team.name.clone(), description };
                let call = Call::create(paths::teams(team.org.as_str())).body(&body);
                session.create::<Team>(call, format!("team {team}")).await
            }
            Self::Update { team, description, version } => {
                let update = TeamUpdate { description: description.into() };
                something_to_change(&update)?;
                let call = Call::patch(path(&team)).body(&update).if_match(version.etag());
                session.update::<Team>(call, format!("team {team}")).await
            }
            Self::Delete { team, confirmed } => {
                session.delete(Call::delete(path(&team)), format!("team {team}"), confirmed).await
            }
            Self::Add { team, users } => {
                for user in users {
                    session.act(Call::put(member(&team, &user)), format!("{user} is in team {team}")).await?;
                }
                Ok(())
            }
            Self::Remove { team, users } => {
                for user in users {
                    session.act(Call::delete(member(&team, &user)), format!("{user} is out of team {team}")).await?;
                }
                Ok(())
            }
        }
    }
}

/// With its members, which are a list of their own to the API.
async fn get(session: &Session, team: &InOrg) -> Result<()> {
    let shown = session.fetch::<Team>(Call::get(path(team))).await?.value;
    let members: Vec<Seen<TeamMember>> =
        session.fetch_all(Call::get(paths::team_members(team.org.as_str(), team.name.as_str()))).await?;
    if session.out.json {
        let mut json = shown.raw;
        json["members"] = json!(members.iter().map(|seen| &seen.raw).collect::<Vec<_>>());
        return print_json(&json);
    }
    session.out.one(&shown)?;
    if session.out.quiet {
        return Ok(());
    }
    print("\n")?;
    session.out.list(&members, "nobody is in it")
}
