//! Providers.

use wharf_api::{self as api, GroupName, Name, paths};
use wharf_registry::manage::{GroupTeam, NewProvider, Provider, ProviderChange};

use super::convert::{after, limit, time, version};
use super::operation::{Operation, Operations};
use super::request::{Call, IfMatch, Json, Params, Path, invalid};
use super::{Outcome, Refusal, reply};

const GROUP: &str = "Providers";
/// Scopes, where the request does not say.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

pub(super) fn operations(all: Operations) -> Operations {
    all.add(
        Operation::get(paths::PROVIDERS, GROUP, "listProviders", "List providers")
            .asks::<api::PageQuery>()
            .lists::<api::Provider>("A page of providers, by name."),
        list,
    )
    .add(
        Operation::post(paths::PROVIDERS, GROUP, "createProvider", "Make a provider")
            .takes::<api::NewProvider>()
            .makes::<api::Provider>(&["ETag"]),
        create,
    )
    .add(
        Operation::get(paths::PROVIDER, GROUP, "getProvider", "Show a provider")
            .answers_versioned::<api::Provider>(200, "The provider, without its secret."),
        show,
    )
    .add(
        Operation::patch(paths::PROVIDER, GROUP, "updateProvider", "Change a provider")
            .says("Members of a team that no group of it is any more leave that team.")
            .takes::<api::ProviderUpdate>()
            .answers_versioned::<api::Provider>(200, "The provider as it is now."),
        update,
    )
    .add(
        Operation::delete(paths::PROVIDER, GROUP, "deleteProvider", "Delete a provider")
            .says("Accounts stay; nobody signs in by it any more.")
            .guarded(),
        delete,
    )
}

async fn list(call: Call, Params(query): Params<api::PageQuery>) -> Outcome {
    let found = call.registry().providers(&call.caller, after(query.after.as_ref()), limit(query.limit)).await?;
    reply::page(&call, found, |provider| provider.name.clone(), view)
}

async fn create(call: Call, Json(new): Json<api::NewProvider>) -> Outcome {
    let scopes = new.scopes.map(texts).transpose()?;
    let new = NewProvider {
        title: new.title.map_or_else(|| new.name.to_string(), String::from),
        name: new.name.into(),
        issuer: new.issuer.into(),
        client_id: new.client_id.into(),
        // Kept to be sent to the provider.
        client_secret: new.client_secret.expose().into(),
        scopes: scopes.unwrap_or_else(|| SCOPES.map(String::from).into()),
        trusted_domains: new.trusted_domains.map(domains).transpose()?.unwrap_or_default(),
        groups_claim: new.groups_claim.map(String::from),
        groups: new.groups.map(groups).transpose()?.unwrap_or_default(),
        is_enabled: new.is_enabled.unwrap_or(true),
        makes_users: new.makes_users.unwrap_or(true),
    };
    let made = call.registry().create_provider(&call.caller, new).await?;
    let provider = view(made.value);
    reply::made(made.is_new, paths::provider(&provider.name), &provider, Some(provider.version))
}

async fn show(call: Call, Path((name,)): Path<(Name,)>) -> Outcome {
    let provider = view(call.registry().provider(&call.caller, name.as_str()).await?);
    reply::versioned(&provider, provider.version)
}

async fn update(
    call: Call,
    Path((name,)): Path<(Name,)>,
    seen: IfMatch,
    Json(to): Json<api::ProviderUpdate>,
) -> Outcome {
    let change = ProviderChange {
        title: to.title.into_option().map(String::from),
        client_id: to.client_id.into_option().map(String::from),
        // Kept to be sent to the provider.
        client_secret: to.client_secret.into_option().map(|secret| secret.expose().into()),
        scopes: to.scopes.into_option().map(texts).transpose()?,
        trusted_domains: to.trusted_domains.into_option().map(domains).transpose()?,
        groups_claim: to.groups_claim.into_option().map(|claim| claim.map(String::from)),
        groups: to.groups.into_option().map(groups).transpose()?,
        is_enabled: to.is_enabled.into_option(),
        makes_users: to.makes_users.into_option(),
    };
    let provider = view(call.registry().update_provider(&call.caller, name.as_str(), change, seen.version()).await?);
    reply::versioned(&provider, provider.version)
}

async fn delete(call: Call, Path((name,)): Path<(Name,)>, seen: IfMatch) -> Outcome {
    call.registry().delete_provider(&call.caller, name.as_str(), seen.version()).await?;
    Ok(reply::done())
}

fn texts(scopes: Vec<api::OAuthScope>) -> Result<Vec<String>, Refusal> {
    let scopes = at_most("scopes", api::Provider::MOST_SCOPES, scopes)?;
    Ok(scopes.into_iter().map(String::from).collect())
}

fn domains(domains: Vec<api::Domain>) -> Result<Vec<String>, Refusal> {
    let domains = at_most("trusted_domains", api::Provider::MOST_DOMAINS, domains)?;
    Ok(domains.into_iter().map(String::from).collect())
}

fn groups(groups: Vec<api::GroupTeam>) -> Result<Vec<GroupTeam>, Refusal> {
    let row = |one: api::GroupTeam| GroupTeam { group: one.group.into(), org: one.org.into(), team: one.team.into() };
    Ok(at_most("groups", api::Provider::MOST_GROUPS, groups)?.into_iter().map(row).collect())
}

fn at_most<T>(field: &str, most: usize, items: Vec<T>) -> Result<Vec<T>, Refusal> {
    if items.len() <= most {
        return Ok(items);
    }
    Err(invalid(Some(field.into()), &format!("at most {most} are expected, not {}", items.len())))
}

fn view(provider: Provider) -> api::Provider {
    api::Provider {
        name: provider.name,
        title: provider.title,
        issuer: provider.issuer,
        client_id: provider.client_id,
        scopes: provider.scopes,
        trusted_domains: provider.trusted_domains,
        groups_claim: provider.groups_claim,
        groups: provider.groups.iter().filter_map(view_group).collect(),
        is_enabled: provider.is_enabled,
        makes_users: provider.makes_users,
        created_at: time(provider.created_at),
        version: version(provider.version),
    }
}

/// What was accepted once is readable: the names are rows'.
fn view_group(one: &GroupTeam) -> Option<api::GroupTeam> {
    let group: GroupName = one.group.parse().ok()?;
    Some(api::GroupTeam { group, org: one.org.parse().ok()?, team: one.team.parse().ok()? })
}
