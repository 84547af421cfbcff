//! Grants, and what comes of them.

use wharf_api::{self as api, Id, paths};
use wharf_registry::manage::{Grant, Grantee};
use wharf_registry::{Action, Error};

use super::convert::{after, limit, role, role_word, time};
use super::operation::{Operation, Operations};
use super::request::{Call, Json, Params, Path, invalid};
use super::{Outcome, Refusal, reply};

const GROUP: &str = "Grants";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::GRANTS, GROUP, "listGrants", "List grants")
            .says(
                "On a `target`, for who may grant there: an org's with those on its repositories. Without one \
                 administrators see all, and everybody else what was given to them.",
            )
            .asks::<api::GrantsQuery>()
            .lists::<api::Grant>("A page of grants, by id."),
        list,
    )
    .add(
        Operation::post(paths::GRANTS, GROUP, "createGrant", "Give somebody a role")
            .says("For maintainers there. An address that nobody has signed in with gets it when somebody does, by a provider that is trusted for its domain.")
            .takes::<api::NewGrant>()
            .makes::<api::Grant>(&[]),
        create,
    )
    .add(
        Operation::get(paths::GRANT, GROUP, "getGrant", "Show a grant").answers::<api::Grant>(200, "The grant."),
        show,
    )
    .add(
        Operation::put(paths::GRANT, GROUP, "updateGrant", "Change the role that a grant gives")
            .takes::<api::GrantUpdate>()
            .answers::<api::Grant>(200, "The grant as it is now."),
        update,
    )
    .add(
        Operation::delete(paths::GRANT, GROUP, "deleteGrant", "Take a grant back")
            .says("The next request of whoever had it is without it."),
        delete,
    )
    .add(
        Operation::get(paths::ACCESS, "Access", "explainAccess", "Explain a decision")
            .says("Decides as a request would be decided now, and says what that rests on. About oneself, for owners about their orgs, for administrators about anybody.")
            .asks::<api::AccessQuery>()
            .answers::<api::Access>(200, "The decision."),
        explain,
    )
}

async fn list(call: Call, Params(query): Params<api::GrantsQuery>) -> Outcome {
    let target = query.target.as_ref().map(api::Target::as_str);
    let to = query.to.as_ref().map(api::PrincipalName::as_str);
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().grants(&call.caller, target, to, after, limit).await?;
    reply::page(&call, found, |grant| grant.id.to_string(), view)
}

async fn create(call: Call, Json(new): Json<api::NewGrant>) -> Outcome {
    let message = "exactly one of user, team, robot and email is expected: to whom the role is given";
    let to = match new.recipient().ok_or_else(|| invalid(None, message))? {
        api::Recipient::User(name) => Grantee::User(name.into()),
        api::Recipient::Team(name) => Grantee::Team(name.into()),
        api::Recipient::Robot(name) => Grantee::Robot(name.into()),
        api::Recipient::Email(address) => Grantee::Email(address.into()),
    };
    let made = call.registry().create_grant(&call.caller, new.target.as_str(), to, role(new.role)).await?;
    let grant = view(made.value);
    reply::made(made.is_new, paths::grant(&grant.id), &grant, None)
}

async fn show(call: Call, Path((id,)): Path<(Id,)>) -> Outcome {
    reply::found(&view(call.registry().grant(&call.caller, row(&id)?).await?))
}

async fn update(call: Call, Path((id,)): Path<(Id,)>, Json(to): Json<api::GrantUpdate>) -> Outcome {
    reply::found(&view(call.registry().update_grant(&call.caller, row(&id)?, role(to.role)).await?))
}

async fn delete(call: Call, Path((id,)): Path<(Id,)>) -> Outcome {
    call.registry().delete_grant(&call.caller, row(&id)?).await?;
    Ok(reply::done())
}

async fn explain(call: Call, Params(query): Params<api::AccessQuery>) -> Outcome {
    let action = match query.action {
        api::ActionName::Pull => Action::Pull,
        api::ActionName::Push => Action::Push,
        api::ActionName::Delete => Action::Delete,
        api::ActionName::Manage => Action::Manage,
        api::ActionName::Own => Action::Own,
    };
    let said = call.registry().explain(&call.caller, query.user.as_str(), action, query.target.as_str()).await?;
    reply::found(&api::Access {
        user: said.user,
        action: query.action,
        target: said.target,
        is_allowed: said.is_allowed,
        reason: said.reason,
        because: said.because,
    })
}

/// An id that is no number is of no grant.
fn row(id: &Id) -> Result<i64, Refusal> {
    id.as_str().parse().map_err(|_| Error::NotFound { what: format!("grant {id}") }.into())
}

fn view(grant: Grant) -> api::Grant {
    let (mut user, mut team, mut robot, mut email) = (None, None, None, None);
    match grant.to {
        Grantee::User(name) => user = Some(name),
        Grantee::Team(name) => team = Some(name),
        Grantee::Robot(name) => robot = Some(name),
        Grantee::Email(address) => email = Some(address),
    }
    let (id, role, granted_at) = (grant.id.to_string(), role_word(grant.role), time(grant.granted_at));
    api::Grant { id, target: grant.target, role, user, team, robot, email, granted_by: grant.granted_by, granted_at }
}
