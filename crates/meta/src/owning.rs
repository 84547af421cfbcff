//! How many orgs somebody may own: where everybody makes them, nobody fills the registry with them.

use crate::Result;
use crate::accounts::Account;
use crate::changes::Most;
use crate::db::{Tx, statements};

/// How many orgs a user may own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owning {
    /// As many as they are given.
    Unbounded,
    /// 100 beside their own, where everybody may make orgs; administrators any.
    Bounded,
}

const MOST: Most = Most { count: OWNED, limit: 100, what: "orgs", field: "name" };

statements! {
    /// Beside their own.
    OWNED = "SELECT count(*) FROM members m JOIN orgs o ON o.id = m.org_id
            WHERE m.user_id = $1 AND m.role = 'owner' AND o.personal_of IS NULL";
}

impl Owning {
    /// Refuses one more org of the user's where they own as many as they may.
    pub(crate) fn leaves_room(self, tx: &Tx<'_>, user: &Account, field: &'static str) -> Result<()> {
        match self {
            Self::Bounded if !user.is_admin => Most { field, ..MOST }.leaves_room(tx, user.id, &user.name),
            Self::Bounded | Self::Unbounded => Ok(()),
        }
    }
}
