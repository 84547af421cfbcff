//! Robots of an org.

use wharf_meta::RobotAccount as Row;
pub use wharf_meta::RobotChange;

use super::{Created, and_one, names, page};
use crate::access::{Action, Caller};
use crate::{Error, Page, Registry, Result};

/// What owners do with robots, in refusals.
const DOING: &str = "change robots";

/// A robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Robot {
    /// `team+ci`: what it signs in as, and what grants name.
    pub name: String,
    /// A line for people.
    pub description: String,
    /// May do nothing.
    pub is_disabled: bool,
    /// When it was made.
    pub created_at: wharf_meta::Millis,
    /// Counts changes.
    pub version: i64,
}

impl From<Row> for Robot {
    fn from(row: Row) -> Self {
        let name = row.full_name();
        let Row { description, is_disabled, version, created_at, .. } = row;
        Self { name, description, is_disabled, created_at, version }
    }
}

impl Registry {
    /// Robots of an org, by name within it after the name `after`.
    pub async fn robots(&self, caller: &Caller, org: &str, after: Option<&str>, limit: usize) -> Result<Page<Robot>> {
        let seen = self.org_from_within(caller, org).await?;
        let found = self.meta.robots(seen.row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, Robot::from))
    }

    /// One robot, by its name within the org.
    pub async fn robot(&self, caller: &Caller, org: &str, robot: &str) -> Result<Robot> {
        let seen = self.org_from_within(caller, org).await?;
        let found = self.meta.robot(seen.row.id, robot).await?;
        found.map(Robot::from).ok_or_else(|| unknown(org, robot))
    }

    /// Makes a robot. It can do nothing until it has a grant, and a token to sign in by.
    pub async fn create_robot(
        &self,
        caller: &Caller,
        org: &str,
        name: &str,
        description: &str,
    ) -> Result<Created<Robot>> {
        let seen = self.org_to(caller, Action::Own, DOING, org).await?;
        names::name("name", name)?;
        names::description(description)?;
        let made = self.meta.make_robot(seen.row.id, name, description, self.by(caller)).await?;
        Ok(Created::of(made, Robot::from))
    }

    /// Changes a robot. Disabled, it can do nothing from the next request on.
    pub async fn update_robot(
        &self,
        caller: &Caller,
        org: &str,
        robot: &str,
        change: RobotChange,
        expected: Option<i64>,
    ) -> Result<Robot> {
        let row = self.robot_to_change(caller, org, robot).await?;
        if let Some(description) = &change.description {
            names::description(description)?;
        }
        Ok(self.meta.change_robot(row.id, change, expected, self.by(caller)).await?.into())
    }

    /// Deletes a robot with its tokens and grants.
    pub async fn delete_robot(&self, caller: &Caller, org: &str, robot: &str, expected: Option<i64>) -> Result<()> {
        let row = self.robot_to_change(caller, org, robot).await?;
        Ok(self.meta.delete_robot(row.id, expected, self.by(caller)).await?)
    }

    pub(super) async fn robot_to_change(&self, caller: &Caller, org: &str, robot: &str) -> Result<Row> {
        let seen = self.org_to(caller, Action::Own, DOING, org).await?;
        self.meta.robot(seen.row.id, robot).await?.ok_or_else(|| unknown(org, robot))
    }
}

fn unknown(org: &str, robot: &str) -> Error {
    Error::NotFound { what: format!("robot {org}+{robot}") }
}
