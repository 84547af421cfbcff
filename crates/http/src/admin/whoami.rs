//! `self`: the caller, and their password.

use wharf_api::{self as api, paths};
use wharf_registry::Secret;
use wharf_registry::manage::OrgRole;

use super::convert::{password, role_word, scope_word, time};
use super::operation::{Operation, Operations};
use super::orgs::membership_word;
use super::request::{Call, Json};
use super::{Outcome, reply};

const GROUP: &str = "Self";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::SELF, GROUP, "whoami", "Who is asking")
            .says("What the server takes the caller to be, and what the credentials leave of their rights.")
            .answers::<api::Whoami>(200, "The caller."),
        whoami,
    )
    .add(
        Operation::put(paths::SELF_PASSWORD, GROUP, "changeOwnPassword", "Change one's password")
            .says("Everything signed in with the old one ends; API tokens stay.")
            .takes::<api::PasswordChange>()
            .answers_nothing("It is set."),
        change_password,
    )
}

async fn whoami(call: Call) -> Outcome {
    let who = call.registry().whoami(&call.caller).await?;
    reply::found(&api::Whoami {
        name: who.name,
        kind: if who.is_robot { api::CallerKind::Robot } else { api::CallerKind::User },
        email: who.email,
        is_admin: who.is_admin,
        via: who.via,
        expires_at: who.expires_at.map(time),
        scope: who.scope.map(scope_word),
        on: who.on,
        orgs: who.orgs.into_iter().map(view).collect(),
    })
}

async fn change_password(call: Call, Json(to): Json<api::PasswordChange>) -> Outcome {
    // On their way to be compared and hashed.
    let (current, new) = (Secret::new(to.current.expose()), password(&to.new));
    call.registry().change_own_password(&call.caller, current, new).await?;
    Ok(reply::done())
}

fn view(org: OrgRole) -> api::Membership {
    api::Membership { org: org.org, role: org.membership.map(membership_word), grant: org.role.map(role_word) }
}
