//! Teams, and who is in them.

use wharf_api::{self as api, Name, paths};
use wharf_registry::manage::{Team, TeamMember};

use super::convert::{after, limit, time, version};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Teams";

pub(super) fn operations(all: Operations) -> Operations {
    let all = all
        .add(
            Operation::get(paths::TEAMS, GROUP, "listTeams", "List an org's teams")
                .asks::<api::PageQuery>()
                .lists::<api::Team>("A page of teams, by name."),
            list,
        )
        .add(
            Operation::post(paths::TEAMS, GROUP, "createTeam", "Make a team")
                .takes::<api::NewTeam>()
                .makes::<api::Team>(&["ETag"]),
            create,
        )
        .add(
            Operation::get(paths::TEAM, GROUP, "getTeam", "Show a team")
                .answers_versioned::<api::Team>(200, "The team."),
            show,
        )
        .add(
            Operation::patch(paths::TEAM, GROUP, "updateTeam", "Change a team")
                .takes::<api::TeamUpdate>()
                .answers_versioned::<api::Team>(200, "The team as it is now."),
            update,
        )
        .add(
            Operation::delete(paths::TEAM, GROUP, "deleteTeam", "Delete a team")
                .says("With what was granted to it.")
                .guarded(),
            delete,
        );
    members(all)
}

fn members(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::TEAM_MEMBERS, GROUP, "listTeamMembers", "List who is in a team")
            .asks::<api::PageQuery>()
            .lists::<api::TeamMember>("A page of them, by name."),
        list_members,
    )
    .add(
        Operation::put(paths::TEAM_MEMBER, GROUP, "addTeamMember", "Put somebody into a team")
            .sets::<api::TeamMember>("The member of the team."),
        add_member,
    )
    .add(Operation::delete(paths::TEAM_MEMBER, GROUP, "removeTeamMember", "Take somebody out of a team"), remove_member)
}

async fn list(call: Call, Path((org,)): Path<(Name,)>, Params(query): Params<api::PageQuery>) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().teams(&call.caller, org.as_str(), after, limit).await?;
    reply::page(&call, found, |team| team.name.clone(), view)
}

async fn create(call: Call, Path((org,)): Path<(Name,)>, Json(new): Json<api::NewTeam>) -> Outcome {
    let description = new.description.as_ref().map_or("", api::Description::as_str);
    let made = call.registry().create_team(&call.caller, org.as_str(), new.name.as_str(), description).await?;
    let team = view(made.value);
    reply::made(made.is_new, paths::team(&team.org, &team.name), &team, Some(team.version))
}

async fn show(call: Call, Path((org, team)): Path<(Name, Name)>) -> Outcome {
    let team = view(call.registry().team(&call.caller, org.as_str(), team.as_str()).await?);
    reply::versioned(&team, team.version)
}

async fn update(
    call: Call,
    Path((org, team)): Path<(Name, Name)>,
    seen: IfMatch,
    Json(to): Json<api::TeamUpdate>,
) -> Outcome {
    let description = to.description.into_option();
    let description = description.as_ref().map(api::Description::as_str);
    let (org, team) = (org.as_str(), team.as_str());
    let team = view(call.registry().update_team(&call.caller, org, team, description, seen.version()).await?);
    reply::versioned(&team, team.version)
}

async fn delete(call: Call, Path((org, team)): Path<(Name, Name)>, seen: IfMatch) -> Outcome {
    call.registry().delete_team(&call.caller, org.as_str(), team.as_str(), seen.version()).await?;
    Ok(reply::done())
}

async fn list_members(
    call: Call,
    Path((org, team)): Path<(Name, Name)>,
    Params(query): Params<api::PageQuery>,
) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().team_members(&call.caller, org.as_str(), team.as_str(), after, limit).await?;
    reply::page(&call, found, |member| member.user.clone(), view_member)
}

async fn add_member(call: Call, Path((org, team, user)): Path<(Name, Name, Name)>) -> Outcome {
    let (org, team) = (org.as_str(), team.as_str());
    let made = call.registry().add_team_member(&call.caller, org, team, user.as_str()).await?;
    reply::set(made.is_new, &view_member(made.value))
}

async fn remove_member(call: Call, Path((org, team, user)): Path<(Name, Name, Name)>) -> Outcome {
    call.registry().remove_team_member(&call.caller, org.as_str(), team.as_str(), user.as_str()).await?;
    Ok(reply::done())
}

fn view(team: Team) -> api::Team {
    api::Team {
        org: team.org,
        name: team.name,
        description: team.description,
        created_at: time(team.created_at),
        version: version(team.version),
    }
}

fn view_member(member: TeamMember) -> api::TeamMember {
    api::TeamMember { user: member.user, provider: member.provider, since: time(member.since) }
}
