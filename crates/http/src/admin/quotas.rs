//! What orgs may keep, and what the registry holds.

use wharf_api::{self as api, Amount, Name, paths};
use wharf_registry::{OrgQuota, Quota};

use super::convert::version;
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Path};
use super::{Outcome, reply};

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::QUOTA, "Quotas", "getQuota", "Show what an org may keep, and keeps")
            .says("For its owners.")
            .answers_versioned::<api::Quota>(200, "The quota and its use."),
        show,
    )
    .add(
        Operation::put(paths::QUOTA, "Quotas", "setQuota", "Set what an org may keep")
            .says("As a whole: what is left out has no limit. What it keeps beyond that stays; nothing more is taken in. For administrators.")
            .guarded()
            .takes::<api::NewQuota>()
            .answers_versioned::<api::Quota>(200, "The quota and its use."),
        set,
    )
    .add(
        Operation::get(paths::STATS, "Server", "getStats", "Show how much there is")
            .says("For administrators.")
            .answers::<api::Stats>(200, "The numbers."),
        stats,
    )
}

async fn show(call: Call, Path((org,)): Path<(Name,)>) -> Outcome {
    let quota = view(&org, &call.registry().quota(&call.caller, org.as_str()).await?);
    reply::versioned(&quota, quota.version)
}

async fn set(call: Call, Path((org,)): Path<(Name,)>, seen: IfMatch, Json(to): Json<api::NewQuota>) -> Outcome {
    let quota = Quota {
        bytes: to.bytes.map(Amount::get),
        repositories: to.repositories.map(Amount::get),
        tags: to.tags.map(Amount::get),
    };
    let quota = view(&org, &call.registry().set_quota(&call.caller, org.as_str(), quota, seen.version()).await?);
    reply::versioned(&quota, quota.version)
}

async fn stats(call: Call) -> Outcome {
    let stats = call.registry().stats(&call.caller).await?;
    reply::found(&api::Stats {
        users: stats.users,
        robots: stats.robots,
        orgs: stats.orgs,
        repositories: stats.repositories,
        tags: stats.tags,
        manifests: stats.manifests,
        blobs: stats.blobs,
        bytes: stats.bytes,
        uploads: stats.uploads,
    })
}

fn view(org: &Name, found: &OrgQuota) -> api::Quota {
    let OrgQuota { quota, usage, version: counted } = found;
    api::Quota {
        org: org.to_string(),
        bytes: api::Usage { used: usage.bytes, reserved: usage.reserved, limit: quota.bytes },
        repositories: api::Usage { used: usage.repositories, reserved: 0, limit: quota.repositories },
        tags: api::Usage { used: usage.tags, reserved: 0, limit: quota.tags },
        version: version(*counted),
    }
}
