//! Robots.

use wharf_api::{self as api, Name, paths};
use wharf_registry::manage::{Robot, RobotChange};

use super::convert::{after, limit, time, version};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Robots";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::ROBOTS, GROUP, "listRobots", "List an org's robots")
            .asks::<api::PageQuery>()
            .lists::<api::Robot>("A page of robots, by name."),
        list,
    )
    .add(
        Operation::post(paths::ROBOTS, GROUP, "createRobot", "Make a robot")
            .says("It can do nothing until it is given a role, and a token to sign in with.")
            .takes::<api::NewRobot>()
            .makes::<api::Robot>(&["ETag"]),
        create,
    )
    .add(
        Operation::get(paths::ROBOT, GROUP, "getRobot", "Show a robot")
            .answers_versioned::<api::Robot>(200, "The robot."),
        show,
    )
    .add(
        Operation::patch(paths::ROBOT, GROUP, "updateRobot", "Change a robot")
            .says("Disabled, it can do nothing from the next request on.")
            .takes::<api::RobotUpdate>()
            .answers_versioned::<api::Robot>(200, "The robot as it is now."),
        update,
    )
    .add(
        Operation::delete(paths::ROBOT, GROUP, "deleteRobot", "Delete a robot")
            .says("With its tokens and grants.")
            .guarded(),
        delete,
    )
}

async fn list(call: Call, Path((org,)): Path<(Name,)>, Params(query): Params<api::PageQuery>) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().robots(&call.caller, org.as_str(), after, limit).await?;
    reply::page(&call, found, |robot| short(&robot.name).to_owned(), view)
}

async fn create(call: Call, Path((org,)): Path<(Name,)>, Json(new): Json<api::NewRobot>) -> Outcome {
    let description = new.description.as_ref().map_or("", api::Description::as_str);
    let made = call.registry().create_robot(&call.caller, org.as_str(), new.name.as_str(), description).await?;
    let robot = view(made.value);
    reply::made(made.is_new, paths::robot(org.as_str(), short(&robot.name)), &robot, Some(robot.version))
}

async fn show(call: Call, Path((org, robot)): Path<(Name, Name)>) -> Outcome {
    let robot = view(call.registry().robot(&call.caller, org.as_str(), robot.as_str()).await?);
    reply::versioned(&robot, robot.version)
}

async fn update(
    call: Call,
    Path((org, robot)): Path<(Name, Name)>,
    seen: IfMatch,
    Json(to): Json<api::RobotUpdate>,
) -> Outcome {
    let description = to.description.into_option().map(String::from);
    let change = RobotChange { description, is_disabled: to.is_disabled.into_option() };
    let (org, robot) = (org.as_str(), robot.as_str());
    let robot = view(call.registry().update_robot(&call.caller, org, robot, change, seen.version()).await?);
    reply::versioned(&robot, robot.version)
}

async fn delete(call: Call, Path((org, robot)): Path<(Name, Name)>, seen: IfMatch) -> Outcome {
    call.registry().delete_robot(&call.caller, org.as_str(), robot.as_str(), seen.version()).await?;
    Ok(reply::done())
}

/// `ci` of `team+ci`.
fn short(name: &str) -> &str {
    name.split_once('+').map_or(name, |(_, short)| short)
}

fn view(robot: Robot) -> api::Robot {
    api::Robot {
        name: robot.name,
        description: robot.description,
        is_disabled: robot.is_disabled,
        created_at: time(robot.created_at),
        version: version(robot.version),
    }
}
