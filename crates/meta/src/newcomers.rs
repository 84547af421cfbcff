//! People who come by a provider: the sign-ins that are under way, and whose account it is when somebody is back.
//!
//! An identity is issuer and subject, never an address: that can be given to somebody else. An address counts only
//! when the caller says that a trusted provider vouched for it.

use serde_json::{Value, json};

use crate::accounts::{self, Account};
use crate::changes::{By, Refusal, What};
use crate::db::{Tx, statements};
use crate::users::{self, NewUser};
use crate::{Meta, Millis, Result, members, orgs, providers};

/// A sign-in under way.
#[derive(Clone)]
pub struct SignIn {
    /// SHA-256 of what must come back, and of the browser that must bring it.
    pub state_hash: Vec<u8>,
    /// By which provider.
    pub provider_id: i64,
    /// Must be in the ID token.
    pub nonce: String,
    /// Must be shown with the code (RFC 7636).
    pub verifier: String,
    /// Where the person wanted to go.
    pub return_to: String,
    /// When it is given up.
    pub expires_at: Millis,
}

/// Whom a provider says somebody is.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// The provider's row.
    pub provider_id: i64,
    /// The provider.
    pub issuer: String,
    /// The person, as it tells them apart for ever.
    pub subject: String,
    /// In lower case, and vouched for by a provider that is trusted with it.
    pub email: Option<String>,
    /// A name they would like, one component of a repository's.
    pub name: String,
    /// Their groups; `None` when the provider says nothing of groups.
    pub groups: Option<Vec<String>>,
    /// Whether they get an account if they have none.
    pub makes_user: bool,
}

statements! {
    BEGIN = "INSERT INTO sign_ins (state_hash, provider_id, nonce, verifier, return_to, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
    UNDER_WAY = "SELECT state_hash, provider_id, nonce, verifier, return_to, expires_at FROM sign_ins
            WHERE state_hash = $1 AND expires_at > $2";
    END = "DELETE FROM sign_ins WHERE state_hash = $1";
    SWEEP = "DELETE FROM sign_ins WHERE expires_at <= $1";
    /// The oldest beyond so many: anybody can begin.
    CAP = "DELETE FROM sign_ins WHERE state_hash IN (SELECT state_hash FROM sign_ins ORDER BY expires_at DESC
              LIMIT $1 OFFSET $2)";
    WHOSE = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    HAS_ONE = "SELECT 1 FROM identities WHERE user_id = $1 AND issuer = $2 LIMIT 1";
    LINK = "INSERT INTO identities (issuer, subject, user_id, email, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6)";
    USE = "UPDATE identities SET used_at = $1, email = $2 WHERE issuer = $3 AND subject = $4";
    TEAMS = "SELECT DISTINCT g.team_id, o.name, t.name FROM provider_groups g JOIN teams t ON t.id = g.team_id
            JOIN orgs o ON o.id = t.org_id WHERE g.provider_id = $1 AND g.group_name = $2";
    JOIN = "INSERT INTO team_members (team_id, user_id, provider_id, since) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING";
    SAID = "SELECT m.team_id, o.name, t.name FROM team_members m JOIN teams t ON t.id = m.team_id
            JOIN orgs o ON o.id = t.org_id WHERE m.user_id = $1 AND m.provider_id = $2";
    LEAVE = "DELETE FROM team_members WHERE team_id = $1 AND user_id = $2 AND provider_id = $3";
}

/// Sign-ins under way at once; each more ends the one that would expire first.
const UNDER_WAY_AT_ONCE: i64 = 10_000;
/// Tries at a free name.
const NAMES: u32 = 10_000;

impl Meta {
    /// Records a sign-in that begins; those that have expired by `now` go.
    pub async fn begin_sign_in(&self, new: SignIn, now: Millis) -> Result<()> {
        self.db
            .write(move |tx| {
                tx.run(SWEEP, [now])?;
                tx.run(CAP, (UNDER_WAY_AT_ONCE, UNDER_WAY_AT_ONCE - 1))?;
                let SignIn { state_hash, provider_id, nonce, verifier, return_to, expires_at } = new;
                tx.run(BEGIN, (state_hash, provider_id, nonce, verifier, return_to, expires_at)).map(drop)
            })
            .await
    }

    /// Ends a sign-in, and says what it was. The same never ends twice.
    pub async fn end_sign_in(&self, state_hash: &[u8], now: Millis) -> Result<Option<SignIn>> {
        let hash = state_hash.to_owned();
        self.db
            .write(move |tx| {
                let found = tx.one(UNDER_WAY, (&hash, now), |row| {
                    Ok(SignIn {
                        state_hash: row.get(0)?,
                        provider_id: row.get(1)?,
                        nonce: row.get(2)?,
                        verifier: row.get(3)?,
                        return_to: row.get(4)?,
                        expires_at: row.get(5)?,
                    })
                })?;
                tx.run(END, [&hash])?;
                Ok(found)
            })
            .await
    }

    /// The account of who came by a provider: theirs already, or the one whose address was vouched for, or a new one;
    /// their groups of that provider are put in force. The second says whether it is new. Refused when they have none
    /// and get none, or when it is disabled.
    pub async fn welcome(&self, newcomer: Newcomer, by: By) -> Result<(Account, bool)> {
        self.db
            .write(move |tx| {
                let (account, is_new) = account(tx, &newcomer, &by)?;
                if account.is_disabled {
                    return Err(Refusal::kept("user", format!("the account {} is disabled", account.name)));
                }
                if let Some(email) = &newcomer.email
                    && accounts::owner_of(tx, email)?.is_none()
                {
                    users::vouch(tx, &account, email, &by)?;
                }
                if let Some(groups) = &newcomer.groups {
                    follow(tx, &account, newcomer.provider_id, groups, &by)?;
                }
                accounts::signed_in(tx, account.id, by.now)?;
                Ok((account, is_new))
            })
            .await
    }
}

fn account(tx: &Tx<'_>, newcomer: &Newcomer, by: &By) -> Result<(Account, bool)> {
    let Newcomer { issuer, subject, email, .. } = newcomer;
    let known: Option<i64> = tx.one(WHOSE, (issuer, subject), |row| Ok(row.get(0)?))?;
    if let Some(id) = known {
        tx.run(USE, (by.now, email, issuer, subject))?;
        return Ok((accounts::by_id(tx, id)?, false));
    }
    let owner = email.as_ref().map(|email| accounts::owner_of(tx, email)).transpose()?.flatten();
    // Known by that issuer as somebody else, the owner is not who comes: the address has changed hands.
    let is_another = match owner {
        Some(id) => tx.one(HAS_ONE, (id, issuer), |_| Ok(()))?.is_some(),
        None => false,
    };
    let by_address = owner.filter(|_| !is_another);
    let (account, is_new) = match by_address {
        Some(id) => (accounts::by_id(tx, id)?, false),
        None if newcomer.makes_user => {
            let email = email.clone().filter(|_| owner.is_none());
            let new = NewUser { name: free_name(tx, &newcomer.name)?, email, ..NewUser::default() };
            (users::make(tx, &new, by)?, true)
        }
        None => {
            let provider = providers::by_id(tx, newcomer.provider_id)?;
            return Err(Refusal::unknown(format!(
                "account of yours, and {} makes none: ask an administrator",
                provider.title
            )));
        }
    };
    tx.run(LINK, (issuer, subject, account.id, email, by.now, by.now))?;
    let after = json!({ "issuer": issuer, "subject": subject, "email": email });
    by.record(tx, What { action: "identity.link", org: None, target: &account.name }, Value::Null, after)?;
    Ok((account, is_new))
}

/// The name, or with -2, -3, … the first that nobody has.
fn free_name(tx: &Tx<'_>, wanted: &str) -> Result<String> {
    for number in 1..=NAMES {
        let name = if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") };
        if orgs::not_reserved(&name).is_ok() && orgs::find(tx, &name)?.is_none() && accounts::find(tx, &name)?.is_none()
        {
            return Ok(name);
        }
    }
    Err(Refusal::exists("name", format!("{wanted} and every number after it is taken")))
}

/// Teams of the groups that the provider names, and with them membership of their orgs, which stays; out of those that it named once and does not any more. What somebody
/// here did by hand stays.
fn follow(tx: &Tx<'_>, account: &Account, provider: i64, groups: &[String], by: &By) -> Result<()> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let mut wanted: Vec<(i64, String, String)> = vec![];
    for group in groups {
        wanted.extend(tx.all(TEAMS, (provider, group), read)?);
    }
    let user = json!({ "user": account.name });
    let record = |action, org: &str, team: &str, before, after| {
        by.record(tx, What { action, org: Some(org), target: &format!("{org}/{team}") }, before, after)
    };
    for (team, org, name) in &wanted {
        if tx.run(JOIN, (team, account.id, provider, by.now))? > 0 {
            record("team.add", org, name, Value::Null, user.clone())?;
            // However many there are: the provider, whom administrators trust, says so, and nobody is kept out for it.
            if let Some(org) = orgs::find(tx, org)?
                && !members::is_in(tx, &org, account)?
            {
                members::join(tx, &org, account, by)?;
            }
        }
    }
    for (team, org, name) in tx.all(SAID, (account.id, provider), read)? {
        if !wanted.iter().any(|(wanted, ..)| *wanted == team) {
            tx.run(LEAVE, (team, account.id, provider))?;
            record("team.remove", &org, &name, user.clone(), Value::Null)?;
        }
    }
    Ok(())
}
