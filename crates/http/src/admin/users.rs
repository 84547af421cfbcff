//! Users.

use wharf_api::{self as api, Name, paths};
use wharf_registry::manage::{NewUser, User, UserChange};

use super::convert::{after, limit, password, time, version};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Users";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::USERS, GROUP, "listUsers", "List users")
            .asks::<api::UsersQuery>()
            .lists::<api::User>("A page of users, by name."),
        list,
    )
    .add(
        Operation::post(paths::USERS, GROUP, "createUser", "Make a user")
            .says("And the org of their name. What was granted to their address is theirs at once.")
            .takes::<api::NewUser>()
            .makes::<api::User>(&["ETag"]),
        create,
    )
    .add(
        Operation::get(paths::USER, GROUP, "getUser", "Show a user")
            .says("Administrators see everybody, everybody sees themselves.")
            .answers_versioned::<api::User>(200, "The user."),
        show,
    )
    .add(
        Operation::patch(paths::USER, GROUP, "updateUser", "Change a user")
            .says("Disabled, they can do nothing from the next request on, and everything they are signed in with ends.")
            .takes::<api::UserUpdate>()
            .answers_versioned::<api::User>(200, "The user as they are now."),
        update,
    )
    .add(
        Operation::delete(paths::USER, GROUP, "deleteUser", "Delete a user")
            .says("With their own org, memberships, grants and tokens. Who has repositories there, or is the last owner or administrator of anything, is kept.").guarded(),
        delete,
    )
    .add(
        Operation::put(paths::USER_PASSWORD, GROUP, "resetPassword", "Give a user another password")
            .says("Everything they are signed in with ends; their API tokens stay.")
            .takes::<api::PasswordReset>()
            .answers_nothing("It is set."),
        reset,
    )
}

async fn list(call: Call, Params(query): Params<api::UsersQuery>) -> Outcome {
    let part = query.q.as_ref().map_or("", api::Search::as_str);
    let found = call.registry().users(&call.caller, part, after(query.after.as_ref()), limit(query.limit)).await?;
    reply::page_until(&call, found.entries, found.next, view)
}

async fn create(call: Call, Json(new): Json<api::NewUser>) -> Outcome {
    let new = NewUser {
        name: new.name.into(),
        email: new.email.map(String::from),
        password: new.password.as_ref().map(password),
        is_admin: new.is_admin.unwrap_or(false),
    };
    let made = call.registry().create_user(&call.caller, new).await?;
    let user = view(made.value);
    reply::made(made.is_new, paths::user(&user.name), &user, Some(user.version))
}

async fn show(call: Call, Path((name,)): Path<(Name,)>) -> Outcome {
    let user = view(call.registry().user(&call.caller, name.as_str()).await?);
    reply::versioned(&user, user.version)
}

async fn update(call: Call, Path((name,)): Path<(Name,)>, seen: IfMatch, Json(to): Json<api::UserUpdate>) -> Outcome {
    let change = UserChange {
        email: to.email.into_option().map(|email| email.map(String::from)),
        is_admin: to.is_admin.into_option(),
        is_disabled: to.is_disabled.into_option(),
    };
    let user = view(call.registry().update_user(&call.caller, name.as_str(), change, seen.version()).await?);
    reply::versioned(&user, user.version)
}

async fn delete(call: Call, Path((name,)): Path<(Name,)>, seen: IfMatch) -> Outcome {
    call.registry().delete_user(&call.caller, name.as_str(), seen.version()).await?;
    Ok(reply::done())
}

async fn reset(call: Call, Path((name,)): Path<(Name,)>, Json(to): Json<api::PasswordReset>) -> Outcome {
    call.registry().set_user_password(&call.caller, name.as_str(), password(&to.password)).await?;
    Ok(reply::done())
}

fn view(user: User) -> api::User {
    api::User {
        name: user.name,
        email: user.email,
        is_admin: user.is_admin,
        is_disabled: user.is_disabled,
        has_password: user.has_password,
        created_at: time(user.created_at),
        signed_in_at: user.signed_in_at.map(time),
        version: version(user.version),
    }
}
