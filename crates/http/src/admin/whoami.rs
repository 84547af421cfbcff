//! `self`: the caller's own.

use wharf_api as api;
use wharf_api::paths;
use wharf_registry::{Identity, Role};

use super::operation::{Operation, Operations};
use super::request::Call;
use super::{Outcome, reply};

const GROUP: &str = "Self";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::SELF, GROUP, "whoami", "Who is asking")
            .says("What the server takes the caller to be, and what the credentials leave of their rights.")
            .answers::<api::Whoami>(200, "The caller."),
        whoami,
    )
}

async fn whoami(call: Call) -> Outcome {
    let caller = &call.caller;
    let (kind, is_admin) = match caller.identity() {
        Identity::Robot { .. } => (api::CallerKind::Robot, false),
        Identity::User { is_admin, .. } => (api::CallerKind::User, *is_admin),
        Identity::Anonymous => (api::CallerKind::User, false),
    };
    let scope = caller.cap().map(|cap| match cap.role {
        Role::Reader => api::TokenScope::Read,
        Role::Writer => api::TokenScope::Write,
        Role::Maintainer | Role::Owner => api::TokenScope::Admin,
    });
    reply::found(&api::Whoami {
        name: caller.name().into(),
        kind,
        email: None,
        is_admin,
        via: caller.via().to_string(),
        scope,
        on: None,
        orgs: vec![],
    })
}
