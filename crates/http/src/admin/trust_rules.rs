//! Trust rules.

use std::collections::BTreeMap;

use wharf_api::{self as api, Claims, Name, paths};
use wharf_registry::manage::{NewTrustRule, TrustRule, TrustRuleChange};

use super::convert::{after, limit, role, role_word, time, version};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path};
use super::{Outcome, reply};

const GROUP: &str = "Trust rules";
/// Seconds, where the request does not say.
const LIFETIME: u64 = 900;

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::TRUST_RULES, GROUP, "listTrustRules", "List an org's trust rules")
            .asks::<api::PageQuery>()
            .lists::<api::TrustRule>("A page of rules, by name."),
        list,
    )
    .add(
        Operation::post(paths::TRUST_RULES, GROUP, "createTrustRule", "Make a trust rule")
            .says("Tokens of the issuer whose claims all match stand for the robot from then on. For the org's owners.")
            .takes::<api::NewTrustRule>()
            .makes::<api::TrustRule>(&["ETag"]),
        create,
    )
    .add(
        Operation::get(paths::TRUST_RULE, GROUP, "getTrustRule", "Show a trust rule")
            .answers_versioned::<api::TrustRule>(200, "The rule."),
        show,
    )
    .add(
        Operation::patch(paths::TRUST_RULE, GROUP, "updateTrustRule", "Change a trust rule")
            .says("What was given out by it ends.")
            .takes::<api::TrustRuleUpdate>()
            .answers_versioned::<api::TrustRule>(200, "The rule as it is now."),
        update,
    )
    .add(
        Operation::delete(paths::TRUST_RULE, GROUP, "deleteTrustRule", "Delete a trust rule")
            .says("What was given out by it ends.")
            .guarded(),
        delete,
    )
}

async fn list(call: Call, Path((org,)): Path<(Name,)>, Params(query): Params<api::PageQuery>) -> Outcome {
    let (after, limit) = (after(query.after.as_ref()), limit(query.limit));
    let found = call.registry().trust_rules(&call.caller, org.as_str(), after, limit).await?;
    reply::page(&call, found, |rule| rule.name.clone(), view)
}

async fn create(call: Call, Path((org,)): Path<(Name,)>, Json(new): Json<api::NewTrustRule>) -> Outcome {
    let new = NewTrustRule {
        name: new.name.into(),
        robot: new.robot.into(),
        issuer: new.issuer.into(),
        audience: new.audience.into(),
        claims: texts(&new.claims),
        role: role(new.role),
        lifetime: new.lifetime.map_or(LIFETIME, |seconds| seconds.get().into()),
        is_enabled: new.is_enabled.unwrap_or(true),
    };
    let made = call.registry().create_trust_rule(&call.caller, org.as_str(), new).await?;
    let rule = view(made.value);
    reply::made(made.is_new, paths::trust_rule(org.as_str(), &rule.name), &rule, Some(rule.version))
}

async fn show(call: Call, Path((org, name)): Path<(Name, Name)>) -> Outcome {
    let rule = view(call.registry().trust_rule(&call.caller, org.as_str(), name.as_str()).await?);
    reply::versioned(&rule, rule.version)
}

async fn update(
    call: Call,
    Path((org, name)): Path<(Name, Name)>,
    seen: IfMatch,
    Json(to): Json<api::TrustRuleUpdate>,
) -> Outcome {
    let change = TrustRuleChange {
        robot: to.robot.into_option().map(String::from),
        audience: to.audience.into_option().map(String::from),
        claims: to.claims.into_option().as_ref().map(texts),
        role: to.role.into_option().map(role),
        lifetime: to.lifetime.into_option().map(|seconds| seconds.get().into()),
        is_enabled: to.is_enabled.into_option(),
    };
    let (org, name) = (org.as_str(), name.as_str());
    let rule = view(call.registry().update_trust_rule(&call.caller, org, name, change, seen.version()).await?);
    reply::versioned(&rule, rule.version)
}

async fn delete(call: Call, Path((org, name)): Path<(Name, Name)>, seen: IfMatch) -> Outcome {
    call.registry().delete_trust_rule(&call.caller, org.as_str(), name.as_str(), seen.version()).await?;
    Ok(reply::done())
}

fn texts(claims: &Claims) -> BTreeMap<String, String> {
    claims.iter().map(|(claim, pattern)| (claim.to_string(), pattern.to_string())).collect()
}

fn view(rule: TrustRule) -> api::TrustRule {
    api::TrustRule {
        name: rule.name,
        robot: rule.robot,
        issuer: rule.issuer,
        audience: rule.audience,
        claims: rule.claims,
        role: role_word(rule.role),
        lifetime: rule.lifetime,
        is_enabled: rule.is_enabled,
        created_at: time(rule.created_at),
        version: version(rule.version),
    }
}
