//! Rate limits.

use std::time::Duration;

use wharf_api::{self as api, paths};
use wharf_registry::{Class, Limit, Page, Per};

use super::operation::{Operation, Operations};
use super::request::{Call, Json, Path};
use super::{Outcome, reply};

const GROUP: &str = "Limits";

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::LIMITS, GROUP, "listLimits", "List the limits")
            .says("Every limit there can be, as it stands, on one page. For administrators.")
            .lists::<api::RateLimit>("All of them."),
        list,
    )
    .add(
        Operation::put(paths::LIMIT, GROUP, "setLimit", "Set a limit")
            .says("In force with the answer, with nothing used up of it. For administrators. Is itself not limited.")
            .uncounted()
            .takes::<api::NewRateLimit>()
            .answers::<api::RateLimit>(200, "The limit as it stands."),
        set,
    )
    .add(
        Operation::delete(paths::LIMIT, GROUP, "unsetLimit", "Go back to a limit's default")
            .says("In force with the answer. For administrators. Is itself not limited.")
            .uncounted(),
        unset,
    )
}

async fn list(call: Call) -> Outcome {
    let entries = call.registry().limits(&call.caller).await?;
    reply::page(&call, Page { entries, more: false }, |_| String::new(), |limit| view(&limit))
}

async fn set(
    call: Call,
    Path((class_word, per_word)): Path<(api::LimitClass, api::LimitPer)>,
    Json(to): Json<api::NewRateLimit>,
) -> Outcome {
    let requests = to.requests.map(|requests| requests.get().into());
    let window = Duration::from_secs(to.seconds.get().into());
    let limit = call.registry().set_limit(&call.caller, class(class_word), per(per_word), requests, window).await?;
    reply::found(&view(&limit))
}

async fn unset(call: Call, Path((class_word, per_word)): Path<(api::LimitClass, api::LimitPer)>) -> Outcome {
    call.registry().unset_limit(&call.caller, class(class_word), per(per_word)).await?;
    Ok(reply::done())
}

fn class(word: api::LimitClass) -> Class {
    match word {
        api::LimitClass::ManifestPulls => Class::ManifestPulls,
        api::LimitClass::BlobPulls => Class::BlobPulls,
        api::LimitClass::Pushes => Class::Pushes,
        api::LimitClass::SignIns => Class::SignIns,
        api::LimitClass::Tokens => Class::Tokens,
        api::LimitClass::Changes => Class::Changes,
        api::LimitClass::Lists => Class::Lists,
    }
}

fn per(word: api::LimitPer) -> Per {
    match word {
        api::LimitPer::Caller => Per::Caller,
        api::LimitPer::Anonymous => Per::Anonymous,
        api::LimitPer::Address => Per::Address,
        api::LimitPer::Repository => Per::Repository,
    }
}

fn view(limit: &Limit) -> api::RateLimit {
    let class = match limit.class {
        Class::ManifestPulls => api::LimitClass::ManifestPulls,
        Class::BlobPulls => api::LimitClass::BlobPulls,
        Class::Pushes => api::LimitClass::Pushes,
        Class::SignIns => api::LimitClass::SignIns,
        Class::Tokens => api::LimitClass::Tokens,
        Class::Changes => api::LimitClass::Changes,
        Class::Lists => api::LimitClass::Lists,
    };
    let per = match limit.per {
        Per::Caller => api::LimitPer::Caller,
        Per::Anonymous => api::LimitPer::Anonymous,
        Per::Address => api::LimitPer::Address,
        Per::Repository => api::LimitPer::Repository,
    };
    let (requests, seconds) = (limit.requests, limit.window.as_secs());
    api::RateLimit { class, per, requests, seconds, is_default: limit.is_default }
}
