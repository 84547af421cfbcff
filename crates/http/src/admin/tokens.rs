//! API tokens: the caller's own, users', and robots'.

use std::time::Duration;

use wharf_api::{self as api, Id, Name, paths};
use wharf_registry::manage::{MadeToken, NewToken, Token};

use super::convert::{after, limit, scope, scope_word, time};
use super::operation::{Operation, Operations};
use super::request::{Call, Json, Params, Path};
use super::{Outcome, reply};

const ONCE: &str = "The secret is in this answer and nowhere else: it cannot be shown again. A token gives at most its \
                    scope, never more than its owner may do.";

pub(super) fn operations(all: Operations) -> Operations {
    of_users(own(of_robots(all)))
}

fn own(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::SELF_TOKENS, "Self", "listOwnTokens", "List one's tokens")
            .asks::<api::PageQuery>()
            .lists::<api::Token>("A page of tokens, by name."),
        list_own,
    )
    .add(
        Operation::post(paths::SELF_TOKENS, "Self", "createOwnToken", "Make a token of one's own")
            .says(ONCE)
            .takes::<api::NewToken>()
            .makes_new::<api::MadeToken>(),
        create_own,
    )
    .add(Operation::delete(paths::SELF_TOKEN, "Self", "revokeOwnToken", "Revoke a token of one's own"), revoke_own)
}

fn of_users(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::USER_TOKENS, "Users", "listUserTokens", "List a user's tokens")
            .asks::<api::PageQuery>()
            .lists::<api::Token>("A page of tokens, by name."),
        list_of_user,
    )
    .add(Operation::delete(paths::USER_TOKEN, "Users", "revokeUserToken", "Revoke a user's token"), revoke_of_user)
}

fn of_robots(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::ROBOT_TOKENS, "Robots", "listRobotTokens", "List a robot's tokens")
            .asks::<api::PageQuery>()
            .lists::<api::Token>("A page of tokens, by name."),
        list_of_robot,
    )
    .add(
        Operation::post(paths::ROBOT_TOKENS, "Robots", "createRobotToken", "Make a token of a robot's")
            .says(ONCE)
            .takes::<api::NewToken>()
            .makes_new::<api::MadeToken>(),
        create_of_robot,
    )
    .add(
        Operation::delete(paths::ROBOT_TOKEN, "Robots", "revokeRobotToken", "Revoke a token of a robot's"),
        revoke_of_robot,
    )
}

async fn list_own(call: Call, Params(query): Params<api::PageQuery>) -> Outcome {
    let found = call.registry().own_tokens(&call.caller, after(query.after.as_ref()), limit(query.limit)).await?;
    reply::page(&call, found, cursor, view)
}

async fn create_own(call: Call, Json(new): Json<api::NewToken>) -> Outcome {
    let made = view_made(call.registry().create_own_token(&call.caller, asked(new)).await?);
    reply::made(true, paths::own_token(&made.token.id), &made, None)
}

async fn revoke_own(call: Call, Path((id,)): Path<(Id,)>) -> Outcome {
    call.registry().revoke_own_token(&call.caller, id.as_str()).await?;
    Ok(reply::done())
}

async fn list_of_user(call: Call, Path((user,)): Path<(Name,)>, Params(query): Params<api::PageQuery>) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().user_tokens(&call.caller, user.as_str(), after, limit).await?;
    reply::page(&call, found, cursor, view)
}

async fn revoke_of_user(call: Call, Path((user, id)): Path<(Name, Id)>) -> Outcome {
    call.registry().revoke_user_token(&call.caller, user.as_str(), id.as_str()).await?;
    Ok(reply::done())
}

async fn list_of_robot(
    call: Call,
    Path((org, robot)): Path<(Name, Name)>,
    Params(query): Params<api::PageQuery>,
) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().robot_tokens(&call.caller, org.as_str(), robot.as_str(), after, limit).await?;
    reply::page(&call, found, cursor, view)
}

async fn create_of_robot(
    call: Call,
    Path((org, robot)): Path<(Name, Name)>,
    Json(new): Json<api::NewToken>,
) -> Outcome {
    let (org, robot) = (org.as_str(), robot.as_str());
    let made = view_made(call.registry().create_robot_token(&call.caller, org, robot, asked(new)).await?);
    reply::made(true, paths::robot_token(org, robot, &made.token.id), &made, None)
}

async fn revoke_of_robot(call: Call, Path((org, robot, id)): Path<(Name, Name, Id)>) -> Outcome {
    call.registry().revoke_robot_token(&call.caller, org.as_str(), robot.as_str(), id.as_str()).await?;
    Ok(reply::done())
}

fn cursor(token: &Token) -> String {
    token.name.clone()
}

fn asked(new: api::NewToken) -> NewToken {
    NewToken {
        name: new.name.into(),
        scope: scope(new.scope),
        on: new.on.map(String::from),
        lifetime: new.expires_in.map(|seconds| Duration::from_secs(seconds.get().into())),
    }
}

fn view(token: Token) -> api::Token {
    api::Token {
        id: token.id,
        name: token.name,
        hint: token.hint,
        scope: scope_word(token.scope),
        on: token.on,
        created_at: time(token.created_at),
        expires_at: token.expires_at.map(time),
        used_at: token.used_at.map(time),
        used_from: token.used_from,
    }
}

fn view_made(made: MadeToken) -> api::MadeToken {
    // Shown this once.
    api::MadeToken { secret: api::Secret::new(made.secret.expose()), token: view(made.token) }
}
