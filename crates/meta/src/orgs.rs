//! Orgs: each name is given once, to an org or to a user, whose own org has it too.

use rusqlite::Row;
use serde_json::{Value, json};

use crate::changes::{By, Made, Refusal, What, check_version};
use crate::db::{Tx, parsed_or_null, signed, statements, unsigned};
use crate::grants::{self, GrantsOf};
use crate::{Error, Meta, Millis, OrgId, Owning, Principal, Result, Visibility, Window, accounts};

/// Names that are neither a user's nor given to an org by anybody's wish: `public` and `library` come by themselves,
/// `admin` is the first administrator's, `anonymous` and `operator` would be taken for others in the audit, and the
/// rest for paths. Names with an underscore in front are outside the grammar already.
const RESERVED: [&str; 7] = ["library", "public", "admin", "api", "token", "anonymous", "operator"];

/// An org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    /// Its row.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// Who may read its repositories without a grant, unless they say otherwise; `None`: the registry's default.
    pub visibility: Option<Visibility>,
    /// The user whose own org it is.
    pub personal_of: Option<String>,
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
}

/// Whose orgs a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All.
    All,
    /// Those that are open to whoever is signed in, and those where somebody belongs or holds a grant. The flag says
    /// whether an org without a visibility of its own is open.
    By(Principal, bool),
    /// Those where somebody belongs or holds a grant.
    Theirs(Principal),
}

/// With `more` columns behind those of an org.
macro_rules! columns {
    ($($more:literal)?) => {
        concat!("SELECT o.id, o.name, o.visibility, u.name, o.version, o.created_at", $($more,)?
            " FROM orgs o LEFT JOIN users u ON u.id = o.personal_of ")
    };
}

statements! {
    BY_NAME = concat!(columns!(), "WHERE o.name = $1");
    BY_ID = concat!(columns!(), "WHERE o.id = $1");
    /// Each with whether it is asked for: in a column, so that LIMIT bounds what is looked at, not what is found.
    WINDOW_THEIRS = concat!(columns!(", instr(o.name, $1) > 0"), "WHERE o.id IN (
              SELECT org_id FROM members WHERE user_id = $2
              UNION SELECT org_id FROM grants WHERE user_id = $2
              UNION SELECT g.org_id FROM team_members m JOIN grants g ON g.team_id = m.team_id WHERE m.user_id = $2
              UNION SELECT org_id FROM team_members m JOIN teams t ON t.id = m.team_id WHERE m.user_id = $2
              UNION SELECT org_id FROM grants WHERE robot_id = $3
              UNION SELECT org_id FROM robots WHERE id = $3)
            AND o.name > $4 ORDER BY o.name LIMIT $5");
    WINDOW = concat!(columns!(", o.name <> '_deleted' AND instr(o.name, $1) > 0"),
            "WHERE o.name > $2 ORDER BY o.name LIMIT $3");
    /// Those that say themselves that they are open.
    WINDOW_OPEN = concat!(columns!(", instr(o.name, $1) > 0"),
            "WHERE o.visibility IN ('internal', 'public') AND o.name > $2 ORDER BY o.name LIMIT $3");
    /// Where nearly everything is open: all but what is not.
    WINDOW_BUT = concat!(columns!(", (coalesce(o.visibility, 'internal') <> 'private'
              OR EXISTS (SELECT 1 FROM members m WHERE m.org_id = o.id AND m.user_id = $1)
              OR EXISTS (SELECT 1 FROM grants g WHERE g.org_id = o.id AND g.user_id = $1)
              OR EXISTS (SELECT 1 FROM team_members m JOIN teams t ON t.id = m.team_id
                WHERE m.user_id = $1 AND t.org_id = o.id)
              OR EXISTS (SELECT 1 FROM robots r WHERE r.org_id = o.id AND r.id = $2)
              OR EXISTS (SELECT 1 FROM grants g WHERE g.org_id = o.id AND g.robot_id = $2))
            AND o.name <> '_deleted' AND instr(o.name, $3) > 0"),
            "WHERE o.name > $4 ORDER BY o.name LIMIT $5");
    BELONGS_USER = "SELECT 1 FROM members WHERE org_id = $1 AND user_id = $2
            UNION ALL SELECT 1 FROM grants WHERE user_id = $2 AND org_id = $1
            UNION ALL SELECT 1 FROM team_members m JOIN teams t ON t.id = m.team_id
              WHERE m.user_id = $2 AND t.org_id = $1 LIMIT 1";
    BELONGS_ROBOT = "SELECT 1 FROM robots WHERE id = $1 AND org_id = $2
            UNION ALL SELECT 1 FROM grants WHERE robot_id = $1 AND org_id = $2 LIMIT 1";
    MAKE = "INSERT INTO orgs (name, visibility, created_at, personal_of) VALUES ($1, $2, $3, $4)
            ON CONFLICT (name) DO NOTHING";
    OWN = "INSERT INTO members (org_id, user_id, role, since) VALUES ($1, $2, 'owner', $3)";
    CHANGE = "UPDATE orgs SET visibility = $1, version = version + 1 WHERE id = $2";
    LIVE = "SELECT name FROM repositories WHERE org_id = $1 AND deleted_at IS NULL LIMIT 1";
    /// The collector still has work in rows of deleted repositories: they move where no name of anybody's is.
    GRAVE = "INSERT INTO orgs (name, visibility, created_at) VALUES ('_deleted', 'private', 0) ON CONFLICT DO NOTHING";
    BURY = "UPDATE repositories SET org_id = (SELECT id FROM orgs WHERE name = '_deleted') WHERE org_id = $1";
    DELETE = "DELETE FROM orgs WHERE id = $1";
    COUNT = "SELECT count(*) FROM orgs WHERE name <> '_deleted'";
}

impl Window<Org> {
    /// Adds what another look of the same size found, as far as both go.
    fn join(mut self, other: Self) -> Self {
        let last = self.last.into_iter().chain(other.last).min();
        self.entries.extend(other.entries);
        self.entries.sort_by(|a, b| a.name.cmp(&b.name));
        self.entries.dedup_by(|a, b| a.name == b.name);
        if let Some(last) = &last {
            self.entries.retain(|org| org.name <= *last);
        }
        Self { entries: self.entries, last }
    }
}

impl Meta {
    /// The org of that name; that of deleted repositories is nobody's to see.
    pub async fn org(&self, name: &str) -> Result<Option<Org>> {
        if name.starts_with('_') { Ok(None) } else { self.db.read(|tx| find(tx, name)) }
    }

    /// The org of that row.
    pub async fn org_by_id(&self, id: OrgId) -> Result<Option<Org>> {
        self.db.read(|tx| tx.one(BY_ID, [id.0], org))
    }

    /// Looks at about `window` orgs by name after `after` for those with `part` in their name.
    pub async fn org_window(&self, seen: Seen, part: &str, after: &str, window: usize) -> Result<Window<Org>> {
        let limit = signed(window as u64);
        let read = |row: &Row<'_>| Ok((row.get(1)?, row.get::<_, bool>(6)?.then(|| org(row)).transpose()?));
        let all = |tx: &Tx<'_>, sql| Window::look(tx, sql, (part, after, limit), window, read);
        let theirs = |tx: &Tx<'_>, who: Principal| {
            Window::look(tx, WINDOW_THEIRS, (part, who.user(), who.robot(), after, limit), window, read)
        };
        self.db.read(|tx| match seen {
            Seen::All => all(tx, WINDOW),
            Seen::Theirs(who) => theirs(tx, who),
            Seen::By(who, true) => {
                Window::look(tx, WINDOW_BUT, (who.user(), who.robot(), part, after, limit), window, read)
            }
            // Where nearly everything is closed, what is open and what is theirs are two short lists.
            Seen::By(who, false) => Ok(all(tx, WINDOW_OPEN)?.join(theirs(tx, who)?)),
        })
    }

    /// Whether somebody is a member of the org or of a team of it, its robot, or holds any grant in it.
    pub async fn belongs(&self, who: Principal, org: OrgId) -> Result<bool> {
        let found = self.db.read(|tx| match who {
            Principal::User(id) => tx.one(BELONGS_USER, (org.0, id), |_| Ok(())),
            Principal::Robot(id) => tx.one(BELONGS_ROBOT, (id, org.0), |_| Ok(())),
        })?;
        Ok(found.is_some())
    }

    /// Makes an org, with `owner` as its owner.
    pub async fn make_org(
        &self,
        name: &str,
        visibility: Option<Visibility>,
        owner: Option<i64>,
        owning: Owning,
        by: By,
    ) -> Result<Made<Org>> {
        let name = name.to_owned();
        self.db
            .write(move |tx| {
                if let Some(known) = find(tx, &name)? {
                    return same(known, visibility);
                }
                not_reserved(&name)?;
                if let Some(owner) = owner {
                    owning.leaves_room(tx, &accounts::by_id(tx, owner)?, "name")?;
                }
                tx.run(MAKE, (&name, visibility.map(Visibility::as_str), by.now, Option::<i64>::None))?;
                let made = must_find(tx, &name)?;
                if let Some(owner) = owner {
                    tx.run(OWN, (made.id.0, owner, by.now))?;
                }
                by.record(tx, what("org.create", &made), Value::Null, shown(&made))?;
                Ok(Made::new(made))
            })
            .await
    }

    /// Changes an org's visibility.
    pub async fn change_org(
        &self,
        org: OrgId,
        visibility: Option<Visibility>,
        expected: Option<i64>,
        by: By,
    ) -> Result<Org> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, org)?;
                check_version(expected, before.version)?;
                if before.visibility == visibility {
                    return Ok(before);
                }
                tx.run(CHANGE, (visibility.map(Visibility::as_str), org.0))?;
                let after = by_id(tx, org)?;
                by.record(tx, what("org.update", &after), shown(&before), shown(&after))?;
                Ok(after)
            })
            .await
    }

    /// Deletes an org with its members, teams, robots and grants, unless a repository is in it or it must stay.
    pub async fn delete_org(&self, org: OrgId, expected: Option<i64>, by: By) -> Result<()> {
        self.db
            .write(move |tx| {
                let before = by_id(tx, org)?;
                check_version(expected, before.version)?;
                if let Some(user) = &before.personal_of {
                    return Err(Refusal::kept(
                        "name",
                        format!("{} goes with its user: delete {user} instead", before.name),
                    ));
                }
                if before.name == "public" {
                    return Err(Refusal::kept("name", "the org public is always there"));
                }
                let grants = grants::shown_of(tx, GrantsOf::Org(org))?;
                remove(tx, &before)?;
                let was = json!({ "visibility": before.visibility.map(Visibility::as_str), "grants": grants });
                by.record(tx, what("org.delete", &before), was, Value::Null)
            })
            .await
    }

    /// How many orgs there are.
    pub async fn count_orgs(&self) -> Result<u64> {
        Ok(self.db.read(|tx| tx.one(COUNT, [], |row| unsigned(row, 0)))?.unwrap_or(0))
    }
}

/// Makes the org that goes with a user.
pub(crate) fn make_personal(tx: &Tx<'_>, user: i64, name: &str, now: Millis) -> Result<()> {
    let visibility: Option<&str> = None;
    if tx.run(MAKE, (name, visibility, now, user))? == 0 {
        return Err(Refusal::exists("name", format!("there is an org {name}, and users have an org of their name")));
    }
    let made = must_find(tx, name)?;
    tx.run(OWN, (made.id.0, user, now)).map(drop)
}

/// Deletes the org's row and all that hangs on it, unless a repository is in it.
pub(crate) fn remove(tx: &Tx<'_>, org: &Org) -> Result<()> {
    let live: Option<String> = tx.one(LIVE, [org.id.0], |row| Ok(row.get(0)?))?;
    if let Some(repository) = live {
        return Err(Refusal::kept(
            "repositories",
            format!("{} still has repositories, such as {repository}: delete them first", org.name),
        ));
    }
    tx.run(GRAVE, [])?;
    tx.run(BURY, [org.id.0])?;
    tx.run(DELETE, [org.id.0]).map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Org>> {
    tx.one(BY_NAME, [name], org)
}

pub(crate) fn by_id(tx: &Tx<'_>, id: OrgId) -> Result<Org> {
    tx.one(BY_ID, [id.0], org)?.ok_or_else(|| Refusal::unknown("this org"))
}

fn must_find(tx: &Tx<'_>, name: &str) -> Result<Org> {
    find(tx, name)?.ok_or_else(|| Error::Damaged(format!("no row for org {name} just made")))
}

/// A name that neither an org nor a user may be given.
pub(crate) fn not_reserved(name: &str) -> Result<()> {
    if RESERVED.contains(&name) || name.starts_with('_') {
        return Err(Refusal::exists("name", format!("the name {name} is reserved: choose another")));
    }
    Ok(())
}

fn same(known: Org, visibility: Option<Visibility>) -> Result<Made<Org>> {
    let name = &known.name;
    if known.personal_of.is_some() {
        return Err(Refusal::exists("name", format!("{name} is the name of a user, and of their own org")));
    }
    if known.visibility != visibility {
        return Err(Refusal::exists("visibility", format!("there is an org {name} with another visibility")));
    }
    Ok(Made::known(known))
}

fn what<'a>(action: &'static str, org: &'a Org) -> What<'a> {
    What { action, org: Some(&org.name), target: &org.name }
}

fn shown(org: &Org) -> Value {
    json!({ "visibility": org.visibility.map(Visibility::as_str) })
}

fn org(row: &Row<'_>) -> Result<Org> {
    Ok(Org {
        id: OrgId(row.get(0)?),
        name: row.get(1)?,
        visibility: parsed_or_null(row, 2)?,
        personal_of: row.get(3)?,
        version: row.get(4)?,
        created_at: row.get(5)?,
    })
}
