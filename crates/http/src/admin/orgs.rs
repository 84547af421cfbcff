//! Orgs, and who is in them.

use wharf_api::{self as api, Name, paths};
use wharf_registry::manage::{Member, Membership, Org};

use super::convert::{after, limit, time, version, visibility, visibility_word};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Orgs";

pub(super) fn operations(all: Operations) -> Operations {
    let all = all
        .add(
            Operation::get(paths::ORGS, GROUP, "listOrgs", "List orgs")
                .says("Orgs that the caller may know of, by name: open ones, and those where they belong or hold a grant.")
                .asks::<api::OrgsQuery>()
                .lists::<api::Org>("A page of orgs."),
            list,
        )
        .add(
            Operation::post(paths::ORGS, GROUP, "createOrg", "Make an org")
                .says("The caller becomes its owner. For administrators, unless the server lets anyone.")
                .takes::<api::NewOrg>()
                .makes::<api::Org>(&["ETag"]),
            create,
        )
        .add(
            Operation::get(paths::ORG, GROUP, "getOrg", "Show an org").answers_versioned::<api::Org>(200, "The org."),
            show,
        )
        .add(
            Operation::patch(paths::ORG, GROUP, "updateOrg", "Change an org")
                .takes::<api::OrgUpdate>()
                .answers_versioned::<api::Org>(200, "The org as it is now."),
            update,
        )
        .add(
            Operation::delete(paths::ORG, GROUP, "deleteOrg", "Delete an org")
                .says("With its teams, robots and grants. One that has repositories is kept: delete those first.").guarded(),
            delete,
        );
    members(all)
}

fn members(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::MEMBERS, GROUP, "listMembers", "List an org's members")
            .asks::<api::PageQuery>()
            .lists::<api::Member>("A page of members, by name."),
        list_members,
    )
    .add(
        Operation::put(paths::MEMBER, GROUP, "setMember", "Make somebody a member or an owner")
            .takes::<api::MemberUpdate>()
            .sets::<api::Member>("The member."),
        set_member,
    )
    .add(
        Operation::delete(paths::MEMBER, GROUP, "removeMember", "Take somebody out of an org")
            .says("Out of its teams too. Everybody may leave; the last owner may not."),
        remove_member,
    )
}

async fn list(call: Call, Params(query): Params<api::OrgsQuery>) -> Outcome {
    let part = query.q.as_ref().map_or("", api::Search::as_str);
    let found = call.registry().orgs(&call.caller, part, after(query.after.as_ref()), limit(query.limit)).await?;
    reply::page_until(&call, found.entries, found.next, view)
}

async fn create(call: Call, Json(new): Json<api::NewOrg>) -> Outcome {
    let made = call.registry().create_org(&call.caller, new.name.as_str(), new.visibility.map(visibility)).await?;
    let org = view(made.value);
    reply::made(made.is_new, paths::org(&org.name), &org, Some(org.version))
}

async fn show(call: Call, Path((org,)): Path<(Name,)>) -> Outcome {
    let org = view(call.registry().org(&call.caller, org.as_str()).await?);
    reply::versioned(&org, org.version)
}

async fn update(call: Call, Path((org,)): Path<(Name,)>, seen: IfMatch, Json(to): Json<api::OrgUpdate>) -> Outcome {
    let readers = to.visibility.into_option().map(|own| own.map(visibility));
    let org = call.registry().update_org(&call.caller, org.as_str(), readers, seen.version()).await?;
    let org = view(org);
    reply::versioned(&org, org.version)
}

async fn delete(call: Call, Path((org,)): Path<(Name,)>, seen: IfMatch) -> Outcome {
    call.registry().delete_org(&call.caller, org.as_str(), seen.version()).await?;
    Ok(reply::done())
}

async fn list_members(call: Call, Path((org,)): Path<(Name,)>, Params(query): Params<api::PageQuery>) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().members(&call.caller, org.as_str(), after, limit).await?;
    reply::page(&call, found, |member| member.user.clone(), view_member)
}

async fn set_member(call: Call, Path((org, user)): Path<(Name, Name)>, Json(to): Json<api::MemberUpdate>) -> Outcome {
    let role = match to.role {
        api::MemberRole::Owner => Membership::Owner,
        api::MemberRole::Member => Membership::Member,
    };
    let made = call.registry().set_member(&call.caller, org.as_str(), user.as_str(), role).await?;
    reply::set(made.is_new, &view_member(made.value))
}

async fn remove_member(call: Call, Path((org, user)): Path<(Name, Name)>) -> Outcome {
    call.registry().remove_member(&call.caller, org.as_str(), user.as_str()).await?;
    Ok(reply::done())
}

fn view(org: Org) -> api::Org {
    api::Org {
        name: org.name,
        visibility: org.visibility.map(visibility_word),
        effective_visibility: visibility_word(org.effective_visibility),
        personal_of: org.personal_of,
        your_role: org.your_role.map(membership_word),
        created_at: time(org.created_at),
        version: version(org.version),
    }
}

fn view_member(member: Member) -> api::Member {
    api::Member { user: member.user, role: membership_word(member.role), since: time(member.since) }
}

pub(super) fn membership_word(membership: Membership) -> api::MemberRole {
    match membership {
        Membership::Owner => api::MemberRole::Owner,
        Membership::Member => api::MemberRole::Member,
    }
}
