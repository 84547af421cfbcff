//! Since when a name has been its holder's: rows from before are of somebody else who had it.

use crate::db::statements;
use crate::{Meta, Millis, OrgId, Principal, Result};

statements! {
    OF_ORG = "SELECT created_at FROM orgs WHERE id = $1";
    OF_USER = "SELECT created_at FROM users WHERE id = $1";
    OF_ROBOT = "SELECT created_at FROM robots WHERE id = $1";
}

impl Meta {
    /// When that org was made; never, as far as anybody can see, when there is none.
    pub async fn org_since(&self, org: OrgId) -> Result<Millis> {
        self.since(OF_ORG, org.0)
    }

    /// When that user or robot was made.
    pub async fn principal_since(&self, principal: Principal) -> Result<Millis> {
        match principal {
            Principal::User(id) => self.since(OF_USER, id),
            Principal::Robot(id) => self.since(OF_ROBOT, id),
        }
    }

    fn since(&self, sql: &'static str, id: i64) -> Result<Millis> {
        Ok(self.db.read(|tx| tx.one(sql, [id], |row| Ok(row.get(0)?)))?.unwrap_or(Millis::MAX))
    }
}
