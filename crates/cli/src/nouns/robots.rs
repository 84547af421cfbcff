//! `wharf robots`

use clap::{Args, Subcommand};
use wharf_api::{Description, Name, NewRobot, Robot, RobotUpdate, paths};
use wharf_client::server::Call;

use crate::Result;
use crate::output::{Show, yes};
use crate::parse;
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List an org's robots
    List {
        /// Which
        org: Name,
    },
    /// Show a robot
    Get {
        /// Which
        #[arg(value_name = "ORG+ROBOT")]
        robot: parse::Robot,
    },
    /// Make a robot
    #[command(
        after_help = "Example:\n  wharf robots create team+ci\n  wharf authorizations create team/app --robot team+ci \
        --permission writer\n  wharf tokens create build --robot team+ci --scope write --expires 90d"
    )]
    Create {
        /// What to call it
        #[arg(value_name = "ORG+ROBOT")]
        robot: parse::Robot,
        /// A line for people
        #[arg(long, value_name = "TEXT")]
        description: Option<Description>,
    },
    /// Change a robot, or put it out of action
    Update {
        /// Which
        #[arg(value_name = "ORG+ROBOT")]
        robot: parse::Robot,
        /// A line for people
        #[arg(long, value_name = "TEXT")]
        description: Option<Description>,
        #[command(flatten)]
        disabled: Disabled,
        #[command(flatten)]
        version: Version,
    },
    /// Delete a robot, its tokens, and what was granted to it
    Delete {
        /// Which
        #[arg(value_name = "ORG+ROBOT")]
        robot: parse::Robot,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

/// Whether an account may do anything.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Disabled {
    /// It may do nothing from now on
    #[arg(long)]
    disable: bool,
    /// It may do again what it was granted
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
}

impl Disabled {
    /// What was said, if anything.
    pub(crate) fn said(self) -> Option<bool> {
        (self.disable || self.enable).then_some(self.disable)
    }
}

impl Show for Robot {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("description", self.description.clone()),
            ("disabled", yes(self.is_disabled)),
            ("created", self.created_at.to_string()),
            ("version", self.version.to_string()),
        ]
    }
}

fn path(robot: &parse::Robot) -> String {
    paths::robot(robot.org.as_str(), robot.name.as_str())
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { org } => {
                session.list::<Robot>(Call::get(paths::robots(org.as_str())), "the org has no robots").await
            }
            Self::Get { robot } => session.get::<Robot>(Call::get(path(&robot))).await,
            Self::Create { robot, description } => {
                let body = NewRobot { name: robot.name.clone(), description };
                let call = Call::create(paths::robots(robot.org.as_str())).body(&body);
                session.create::<Robot>(call, format!("robot {robot}")).await
            }
            Self::Update { robot, description, disabled, version } => {
                let update = RobotUpdate { description: description.into(), is_disabled: disabled.said().into() };
                something_to_change(&update)?;
                let call = Call::patch(path(&robot)).body(&update).if_match(version.etag());
                session.update::<Robot>(call, format!("robot {robot}")).await
            }
            Self::Delete { robot, confirmed } => {
                session.delete(Call::delete(path(&robot)), format!("robot {robot}"), confirmed).await
            }
        }
    }
}
