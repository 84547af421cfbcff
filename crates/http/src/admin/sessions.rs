//! Where somebody is signed in.

use wharf_api::{self as api, Id, Name, paths};
use wharf_registry::manage::Session;

use super::convert::{after, limit, time};
use super::operation::{Operation, Operations};
use super::request::{Call, Params, Path};
use super::{Outcome, reply};

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::SELF_SESSIONS, "Self", "listOwnSessions", "List where one is signed in")
            .says("What clients keep after `docker login`, and browsers.")
            .asks::<api::PageQuery>()
            .lists::<api::Session>("A page of sessions, by id."),
        list_own,
    )
    .add(Operation::delete(paths::SELF_SESSION, "Self", "endOwnSession", "End a session of one's own"), end_own)
    .add(
        Operation::get(paths::USER_SESSIONS, "Users", "listUserSessions", "List where a user is signed in")
            .asks::<api::PageQuery>()
            .lists::<api::Session>("A page of sessions, by id."),
        list_of_user,
    )
    .add(Operation::delete(paths::USER_SESSION, "Users", "endUserSession", "End a user's session"), end_of_user)
}

async fn list_own(call: Call, Params(query): Params<api::PageQuery>) -> Outcome {
    let found = call.registry().own_sessions(&call.caller, after(query.after.as_ref()), limit(query.limit)).await?;
    reply::page(&call, found, |session| session.id.clone(), view)
}

async fn end_own(call: Call, Path((id,)): Path<(Id,)>) -> Outcome {
    call.registry().end_own_session(&call.caller, id.as_str()).await?;
    Ok(reply::done())
}

async fn list_of_user(call: Call, Path((user,)): Path<(Name,)>, Params(query): Params<api::PageQuery>) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().user_sessions(&call.caller, user.as_str(), after, limit).await?;
    reply::page(&call, found, |session| session.id.clone(), view)
}

async fn end_of_user(call: Call, Path((user, id)): Path<(Name, Id)>) -> Outcome {
    call.registry().end_user_session(&call.caller, user.as_str(), id.as_str()).await?;
    Ok(reply::done())
}

fn view(session: Session) -> api::Session {
    api::Session {
        id: session.id,
        client: session.client,
        created_at: time(session.created_at),
        used_at: session.used_at.map(time),
        expires_at: time(session.expires_at),
    }
}
