//! Robots without secrets: tokens that CI systems and clusters give to their jobs stand for a robot, where a trust
//! rule of its org says so.

use wharf_client::oidc;

use crate::Settings;
use crate::outgoing::{self, Allowed, Outgoing};

mod exchange;
mod matching;

pub(crate) use exchange::is_outside_token;
pub(crate) use matching::{Meant, claim, objection};

/// Verifies what issuers signed, and goes to each only as far as whoever chose it may send the registry.
pub(crate) struct Issuers {
    /// Those that administrators chose: wherever the operator allows.
    chosen: oidc::Issuers,
    /// Those that owners of orgs chose: the public internet.
    others: oidc::Issuers,
    inside: Vec<String>,
}

impl Issuers {
    pub(crate) fn new(settings: &Settings) -> Self {
        let to = |outgoing| oidc::Issuers::new(Outgoing::new(outgoing));
        let public = outgoing::Settings { allow: Allowed::default(), ..settings.outgoing.clone() };
        let inside = settings.issuers_inside.clone();
        Self { chosen: to(settings.outgoing.clone()), others: to(public), inside }
    }

    /// For a provider's.
    pub(crate) fn of_providers(&self) -> &oidc::Issuers {
        &self.chosen
    }

    /// For the issuer of a trust rule.
    pub(crate) fn of_rules(&self, issuer: &str) -> &oidc::Issuers {
        if self.inside.iter().any(|listed| listed == issuer) { &self.chosen } else { &self.others }
    }
}
