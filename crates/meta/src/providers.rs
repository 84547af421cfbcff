//! OpenID Connect providers that people sign in by, and which of their groups are teams here.

use std::fmt;

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Made, Refusal, What, check_version};
use crate::db::{Tx, signed, statements};
use crate::{Meta, Millis, Result, orgs, teams};

/// A provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its row.
    pub id: i64,
    /// Its name here.
    pub name: String,
    /// On the button.
    pub title: String,
    /// Its URL, as its tokens have it.
    pub issuer: String,
    /// What it calls this registry.
    pub client_id: String,
    /// What proves that this is the registry. A secret: `Debug` leaves it out, and nobody is shown it.
    pub client_secret: String,
    /// What to ask it for.
    pub scopes: Vec<String>,
    /// Mail domains whose addresses it may vouch for, in lower case.
    pub trusted_domains: Vec<String>,
    /// The claim that lists a person's groups.
    pub groups_claim: Option<String>,
    /// Groups that are teams here.
    pub groups: Vec<GroupTeam>,
    /// Whether one can sign in by it.
    pub is_enabled: bool,
    /// Whether who has no account gets one.
    pub makes_users: bool,
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
}

/// A group of a provider's that is a team here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupTeam {
    /// As the provider names it.
    pub group: String,
    /// The team's org.
    pub org: String,
    /// The team.
    pub team: String,
}

/// A provider that is to be.
#[derive(Clone)]
pub struct NewProvider {
    /// Its name here.
    pub name: String,
    /// On the button.
    pub title: String,
    /// Its URL, as its tokens have it.
    pub issuer: String,
    /// What it calls this registry.
    pub client_id: String,
    /// What proves that this is the registry.
    pub client_secret: String,
    /// What to ask it for.
    pub scopes: Vec<String>,
    /// Mail domains whose addresses it may vouch for, in lower case.
    pub trusted_domains: Vec<String>,
    /// The claim that lists a person's groups.
    pub groups_claim: Option<String>,
    /// Groups that are teams here.
    pub groups: Vec<GroupTeam>,
    /// Whether one can sign in by it.
    pub is_enabled: bool,
    /// Whether who has no account gets one.
    pub makes_users: bool,
}

/// What is to change of a provider; `None` stays.
#[derive(Clone, Default)]
pub struct ProviderChange {
    /// On the button.
    pub title: Option<String>,
    /// What it calls this registry.
    pub client_id: Option<String>,
    /// What proves that this is the registry.
    pub client_secret: Option<String>,
    /// What to ask it for.
    pub scopes: Option<Vec<String>>,
    /// Mail domains whose addresses it may vouch for, in lower case.
    pub trusted_domains: Option<Vec<String>>,
    /// The claim that lists a person's groups, or none.
    pub groups_claim: Option<Option<String>>,
    /// Groups that are teams here, in place of all there were.
    pub groups: Option<Vec<GroupTeam>>,
    /// Whether one can sign in by it.
    pub is_enabled: Option<bool>,
    /// Whether who has no account gets one.
    pub makes_users: Option<bool>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl fmt::Debug for NewProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewProvider").field("name", &self.name).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl fmt::Debug for ProviderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderChange").field("title", &self.title).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "SELECT id, name, title, issuer, client_id, client_secret, scopes, trusted_domains, groups_claim, is_enabled,
           makes_users, version, created_at FROM providers "
    };
}

statements! {
    LIST = concat!(columns!(), "WHERE name > $1 ORDER BY name LIMIT $2");
    BY_NAME = concat!(columns!(), "WHERE name = $1");
    BY_ID = concat!(columns!(), "WHERE id = $1");
    MAKE = "INSERT INTO providers (name, title, issuer, client_id, client_secret, scopes, trusted_domains, groups_claim,
              is_enabled, makes_users, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    CHANGE = "UPDATE providers SET title = $1, client_id = $2, client_secret = $3, scopes = $4, trusted_domains = $5,
              groups_claim = $6, is_enabled = $7, makes_users = $8, version = version + 1 WHERE id = $9";
    DELETE = "DELETE FROM providers WHERE id = $1";
    GROUPS = "SELECT g.group_name, o.name, t.name FROM provider_groups g JOIN teams t ON t.id = g.team_id
            JOIN orgs o ON o.id = t.org_id WHERE g.provider_id = $1 ORDER BY g.group_name, o.name, t.name";
    FORGET_GROUPS = "DELETE FROM provider_groups WHERE provider_id = $1";
    ADD_GROUP = "INSERT INTO provider_groups (provider_id, group_name, team_id) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING";
    /// Members that the provider put into teams which none of its groups is any more.
    LEAVE = "DELETE FROM team_members WHERE provider_id = $1
            AND team_id NOT IN (SELECT team_id FROM provider_groups WHERE provider_id = $2)";
}

impl Meta {
    /// Providers by name after `after`, at most `limit`.
    pub async fn providers(&self, after: &str, limit: usize) -> Result<Vec<Provider>> {
        self.db.read(|tx| {
            let mut found = tx.all(LIST, (after, signed(limit as u64)), row)?;
            found.iter_mut().try_for_each(|provider| fill(tx, provider))?;
            Ok(found)
        })
    }

    /// The provider of that name.
    pub async fn provider(&self, name: &str) -> Result<Option<Provider>> {
        self.db.read(|tx| find(tx, name))
    }

    /// Makes a provider. Of one that is there, the secret is not looked at.
    pub async fn make_provider(&self, new: NewProvider, by: By) -> Result<Made<Provider>> {
        self.db
            .write(move |tx| {
                if let Some(known) = find(tx, &new.name)? {
                    return same(known, &new);
                }
                let params = rusqlite::params![
                    new.name,
                    new.title,
                    new.issuer,
                    new.client_id,
                    new.client_secret,
                    new.scopes.join(" "),
                    new.trusted_domains.join(" "),
                    new.groups_claim,
                    new.is_enabled,
                    new.makes_users,
                    by.now
                ];
                tx.run(MAKE, params)?;
                let made = find(tx, &new.name)?.ok_or_else(|| Refusal::unknown("this provider"))?;
                set_groups(tx, made.id, &new.groups)?;
                let made = by_id(tx, made.id)?;
                by.record(tx, what("provider.create", &made), Value::Null, shown(&made))?;
                Ok(Made::new(made))
            })
            .await
    }

    /// Changes a provider. Members of a team that no group of it is any more leave it, unless somebody here added
    /// them.
    pub async fn change_provider(
        &self,
        id: i64,
        change: ProviderChange,
        expected: Option<i64>,
        by: By,
    ) -> Result<Provider> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                let wanted = changed(&before, change);
                if wanted == before {
                    return Ok(before);
                }
                apply(tx, &before, &wanted)?;
                let after = by_id(tx, id)?;
                let mut told = shown(&after);
                if after.client_secret != before.client_secret {
                    told["client_secret"] = "changed".into();
                }
                by.record(tx, what("provider.update", &after), shown(&before), told)?;
                Ok(after)
            })
            .await
    }

    /// Deletes a provider. Nobody signs in by it any more; accounts stay, and memberships of its groups go.
    pub async fn delete_provider(&self, id: i64, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, id)?;
                check_version(expected, before.version)?;
                tx.run(DELETE, [id])?;
                by.record(tx, what("provider.delete", &before), shown(&before), Value::Null)
            })
            .await
    }
}

pub(crate) fn by_id(tx: &Tx<'_>, id: i64) -> Result<Provider> {
    filled(tx, tx.one(BY_ID, [id], row)?)?.ok_or_else(|| Refusal::unknown("this provider"))
}

fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Provider>> {
    filled(tx, tx.one(BY_NAME, [name], row)?)
}

fn filled(tx: &Tx<'_>, found: Option<Provider>) -> Result<Option<Provider>> {
    let Some(mut provider) = found else { return Ok(None) };
    fill(tx, &mut provider)?;
    Ok(Some(provider))
}

fn fill(tx: &Tx<'_>, provider: &mut Provider) -> Result<()> {
    provider.groups =
        tx.all(GROUPS, [provider.id], |row| Ok(GroupTeam { group: row.get(0)?, org: row.get(1)?, team: row.get(2)? }))?;
    Ok(())
}

fn set_groups(tx: &Tx<'_>, id: i64, groups: &[GroupTeam]) -> Result<()> {
    tx.run(FORGET_GROUPS, [id])?;
    for GroupTeam { group, org, team } in groups {
        let unknown = || Refusal::unknown(format!("team {org}/{team}"));
        let org = orgs::find(tx, org)?.ok_or_else(unknown)?;
        let team = teams::find(tx, org.id, team)?.ok_or_else(unknown)?;
        tx.run(ADD_GROUP, (id, group, team.id))?;
    }
    tx.run(LEAVE, (id, id)).map(drop)
}

fn changed(before: &Provider, change: ProviderChange) -> Provider {
    let was = before.clone();
    let mut wanted = Provider {
        title: change.title.unwrap_or(was.title),
        client_id: change.client_id.unwrap_or(was.client_id),
        client_secret: change.client_secret.unwrap_or(was.client_secret),
        scopes: change.scopes.unwrap_or(was.scopes),
        trusted_domains: change.trusted_domains.unwrap_or(was.trusted_domains),
        groups_claim: change.groups_claim.unwrap_or(was.groups_claim),
        groups: change.groups.unwrap_or(was.groups),
        is_enabled: change.is_enabled.unwrap_or(was.is_enabled),
        makes_users: change.makes_users.unwrap_or(was.makes_users),
        ..before.clone()
    };
    wanted.groups.sort();
    wanted.groups.dedup();
    wanted
}

fn apply(tx: &Tx<'_>, before: &Provider, wanted: &Provider) -> Result<()> {
    let params = rusqlite::params![
        wanted.title,
        wanted.client_id,
        wanted.client_secret,
        wanted.scopes.join(" "),
        wanted.trusted_domains.join(" "),
        wanted.groups_claim,
        wanted.is_enabled,
        wanted.makes_users,
        before.id
    ];
    tx.run(CHANGE, params)?;
    if wanted.groups == before.groups { Ok(()) } else { set_groups(tx, before.id, &wanted.groups) }
}

fn same(known: Provider, new: &NewProvider) -> Result<Made<Provider>> {
    let mut groups = new.groups.clone();
    groups.sort();
    groups.dedup();
    let differs = [
        ("title", known.title != new.title),
        ("issuer", known.issuer != new.issuer),
        ("client_id", known.client_id != new.client_id),
        ("scopes", known.scopes != new.scopes),
        ("trusted_domains", known.trusted_domains != new.trusted_domains),
        ("groups_claim", known.groups_claim != new.groups_claim),
        ("groups", known.groups != groups),
        ("is_enabled", known.is_enabled != new.is_enabled),
        ("makes_users", known.makes_users != new.makes_users),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        Some((field, _)) => {
            Err(Refusal::exists(field, format!("there is a provider {} with another {field}", known.name)))
        }
        None => Ok(Made::known(known)),
    }
}

fn what<'a>(action: &'static str, provider: &'a Provider) -> What<'a> {
    What { action, org: None, target: &provider.name }
}

/// Without the secret.
fn shown(provider: &Provider) -> Value {
    let groups: Vec<String> =
        provider.groups.iter().map(|group| format!("{} = {}/{}", group.group, group.org, group.team)).collect();
    json!({
        "title": provider.title,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "scopes": provider.scopes,
        "trusted_domains": provider.trusted_domains,
        "groups_claim": provider.groups_claim,
        "groups": groups,
        "enabled": provider.is_enabled,
        "makes_users": provider.makes_users,
    })
}

fn row(row: &Row<'_>) -> Result<Provider> {
    let words = |text: String| text.split_ascii_whitespace().map(str::to_owned).collect();
    Ok(Provider {
        id: row.get(0)?,
        name: row.get(1)?,
        title: row.get(2)?,
        issuer: row.get(3)?,
        client_id: row.get(4)?,
        client_secret: row.get(5)?,
        scopes: words(row.get(6)?),
        trusted_domains: words(row.get(7)?),
        groups_claim: row.get(8)?,
        groups: vec![],
        is_enabled: row.get(9)?,
        makes_users: row.get(10)?,
        version: row.get(11)?,
        created_at: row.get(12)?,
    })
}
