//! Teams and who is in them.

use wharf_meta::Team as Row;
pub use wharf_meta::TeamMember;

use super::{Created, and_one, names, page};
use crate::access::{Action, Caller};
use crate::{Error, Page, Registry, Result};

/// What owners do with teams, in refusals.
const DOING: &str = "change teams";

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its org.
    pub org: String,
    /// Its name within the org.
    pub name: String,
    /// A line for people.
    pub description: String,
    /// When it was made.
    pub created_at: wharf_meta::Millis,
    /// Counts changes, not those of who is in it.
    pub version: i64,
}

impl From<Row> for Team {
    fn from(row: Row) -> Self {
        let Row { id: _, org, name, description, version, created_at } = row;
        Self { org, name, description, created_at, version }
    }
}

impl Registry {
    /// Teams of an org, by name after the name `after`.
    pub async fn teams(&self, caller: &Caller, org: &str, after: Option<&str>, limit: usize) -> Result<Page<Team>> {
        let seen = self.org_from_within(caller, org).await?;
        let found = self.meta.teams(seen.row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, Team::from))
    }

    /// One team.
    pub async fn team(&self, caller: &Caller, org: &str, team: &str) -> Result<Team> {
        self.team_within(caller, org, team).await.map(Team::from)
    }

    /// Makes a team.
    pub async fn create_team(
        &self,
        caller: &Caller,
        org: &str,
        name: &str,
        description: &str,
    ) -> Result<Created<Team>> {
        let seen = self.org_to(caller, Action::Own, DOING, org).await?;
        names::name("name", name)?;
        names::description(description)?;
        let made = self.meta.make_team(seen.row.id, name, description, self.by(caller)).await?;
        Ok(Created::of(made, Team::from))
    }

    /// Changes a team's description. `None` changes nothing.
    pub async fn update_team(
        &self,
        caller: &Caller,
        org: &str,
        team: &str,
        description: Option<&str>,
        expected: Option<i64>,
    ) -> Result<Team> {
        let row = self.team_to_change(caller, org, team).await?;
        let description = description.unwrap_or(&row.description);
        names::description(description)?;
        Ok(self.meta.change_team(row.id, description, expected, self.by(caller)).await?.into())
    }

    /// Deletes a team, and what was granted to it.
    pub async fn delete_team(&self, caller: &Caller, org: &str, team: &str, expected: Option<i64>) -> Result<()> {
        let row = self.team_to_change(caller, org, team).await?;
        Ok(self.meta.delete_team(row.id, expected, self.by(caller)).await?)
    }

    /// Who is in a team, by name after the name `after`.
    pub async fn team_members(
        &self,
        caller: &Caller,
        org: &str,
        team: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TeamMember>> {
        let row = self.team_within(caller, org, team).await?;
        let found = self.meta.team_members(row.id, after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, |member| member))
    }

    /// Puts a user into a team.
    pub async fn add_team_member(
        &self,
        caller: &Caller,
        org: &str,
        team: &str,
        user: &str,
    ) -> Result<Created<TeamMember>> {
        let row = self.team_to_change(caller, org, team).await?;
        let made = self.meta.add_to_team(row.id, user, self.by(caller)).await?;
        Ok(Created::of(made, |member| member))
    }

    /// Takes a user out of a team.
    pub async fn remove_team_member(&self, caller: &Caller, org: &str, team: &str, user: &str) -> Result<()> {
        let row = self.team_to_change(caller, org, team).await?;
        Ok(self.meta.take_from_team(row.id, user, self.by(caller)).await?)
    }

    async fn team_within(&self, caller: &Caller, org: &str, team: &str) -> Result<Row> {
        let seen = self.org_from_within(caller, org).await?;
        self.meta.team(seen.row.id, team).await?.ok_or_else(|| unknown(org, team))
    }

    async fn team_to_change(&self, caller: &Caller, org: &str, team: &str) -> Result<Row> {
        let seen = self.org_to(caller, Action::Own, DOING, org).await?;
        self.meta.team(seen.row.id, team).await?.ok_or_else(|| unknown(org, team))
    }
}

fn unknown(org: &str, team: &str) -> Error {
    Error::NotFound { what: format!("team {team} of {org}") }
}
