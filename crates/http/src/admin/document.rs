//! The OpenAPI document around the operations: what they share.

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Response,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use wharf_api::{Problem, ProblemKind};

/// Statuses with which any operation may be refused.
pub(super) const ALWAYS: [u16; 6] = [400, 401, 403, 406, 429, 500];

/// Every status with which something is refused, and when.
const REFUSALS: [(u16, &str); 13] = [
    (400, "A parameter or a field is not what was expected; `field` names it."),
    (401, "Nobody is signed in, or the access token was not asked for the admin API."),
    (403, "The caller may not do this, or not with the token that they signed in with."),
    (404, "There is no such thing, or none that the caller may know of."),
    (406, "The client accepts no media type that this is answered in."),
    (408, "The body came too slowly."),
    (
        409,
        "Something else has that name, must stay as it is, or there are as many as there may be; `field` names the field.",
    ),
    (412, "It was changed since its `ETag` was read: read it again."),
    (413, "The body is larger than 64 KiB."),
    (415, "The body is not `application/json`."),
    (429, "Too many requests, or the registry is busy: wait as long as `Retry-After` says."),
    (500, "The registry failed; its log has the reason under the request's id."),
    (507, "The registry's storage is full."),
];

const ABOUT: &str = "\
Who may do what in this registry, and what is in it.

Sign in with name and password (Basic), with an API token (as the password, or as Bearer), or with an access token \
that was asked for with scope `registry:api:*`.

Lists come in pages: ask with `after` set to `next`, or follow `Link`, until `next` is null. What is changed is changed \
by PATCH: a field that is left out stays as it is. `If-Match` with the `ETag` of what was read keeps a change from \
overwriting somebody else's, and a deletion from taking what was not looked at. Where `If-Match` is not among the \
parameters, what is changed has no version: a request that sets a condition is then refused with 400, and nothing \
is done. Making something that is there just so answers 200, something of the same name that is \
different 409. Errors are problems (RFC 9457) and say which field is to blame. What the caller may not know of is \
answered as if it were not there.";

/// Groups of operations, in the order in which the page shows them.
const GROUPS: [(&str, &str); 13] = [
    ("Self", "The caller: who they are, their password, tokens and sign-ins."),
    ("Orgs", "Orgs own repositories. Every user has one of their own name."),
    ("Teams", "Users of an org who are given roles together."),
    ("Robots", "Accounts of machines. They belong to an org and sign in with tokens."),
    ("Trust rules", "Outside tokens, such as those of CI jobs, that stand for a robot."),
    ("Repositories", "Repositories, their tags and their manifests."),
    ("Grants", "Roles on an org or a repository, given to a user, a team, a robot or an address."),
    ("Access", "Whether somebody may do something, and why."),
    ("Users", "Accounts of people. For administrators."),
    ("Providers", "Where people sign in by OpenID Connect. For administrators."),
    ("Quotas", "What an org may keep, and what it keeps."),
    ("Limits", "How often what may be done. Administrators change them."),
    ("Server", "What the registry holds, and what happened in it."),
];

pub(super) fn assemble(paths: Paths, components: Components) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Wharfinger")
        .version("1")
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    let is_used = |group: &str| {
        paths.paths.values().any(|item| {
            let operations = [&item.get, &item.post, &item.put, &item.patch, &item.delete];
            operations.into_iter().flatten().any(|operation| operation.tags.iter().flatten().any(|tag| tag == group))
        })
    };
    let tags = GROUPS.iter().filter(|(name, _)| is_used(name));
    let tags = tags.map(|(name, about)| TagBuilder::new().name(*name).description(Some(*about)).build());
    let tags: Vec<_> = tags.collect();
    let security = ["basic", "bearer", "session"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(shared(components)))
        .security(Some(security))
        .tags(Some(tags))
        .build()
}

fn shared(mut components: Components) -> Components {
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    let responses = REFUSALS.into_iter().map(|(status, about)| (status.to_string(), refusal(status, about)));
    components.responses.extend(responses);
    let basic = Http::new(HttpAuthScheme::Basic);
    let bearer = Http::new(HttpAuthScheme::Bearer);
    let about = "Name and password, or an API token in the password's place.";
    components.add_security_scheme("basic", SecurityScheme::Http(described(basic, about)));
    let about = "An API token, or an access token for `registry:api:*`.";
    components.add_security_scheme("bearer", SecurityScheme::Http(described(bearer, about)));
    let about = "A browser's sign-in. Over TLS the cookie is `__Host-wharf`. What changes something must come from one of the \
                 registry's own pages.";
    let cookie = ApiKeyValue::with_description("wharf", about);
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let headers = [
        ("ETag", "The version: send it as `If-Match` with a change."),
        ("Link", "`<…>; rel=\"next\"`: the next page. Absent on the last."),
        ("Location", "Where it is."),
    ];
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let headers = headers.map(|(name, about)| {
        (name.to_owned(), RefOr::T(HeaderBuilder::new().schema(Some(text())).description(Some(about)).build()))
    });
    components.headers.extend(headers);
    components
}

fn described(mut scheme: Http, about: &str) -> Http {
    scheme.description = Some(about.into());
    scheme
}

fn refusal(status: u16, about: &str) -> RefOr<Response> {
    let kind = ProblemKind::of_status(status);
    let example = serde_json::json!({
        "type": kind.reference(), "title": kind.title(), "status": status, "detail": about,
    });
    let schema = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    ResponseBuilder::new().description(about).content("application/problem+json", content).into()
}

/// As it is served and reviewed.
pub(super) fn text(document: &OpenApi) -> serde_json::Result<String> {
    let mut document = serde_json::to_value(document)?;
    require_nulls(&mut document);
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// In answers what has no value is there as `null`; only requests, which refuse what they do not know, may leave it out.
fn require_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(require_nulls),
        Value::Object(members) => {
            members.values_mut().for_each(require_nulls);
            let is_answer = members.get("additionalProperties").is_none();
            let Some(Value::Object(properties)) = members.get("properties").filter(|_| is_answer) else { return };
            let nullable = properties.iter().filter(|(_, schema)| takes_null(schema));
            let mut names: Vec<Value> = nullable.map(|(name, _)| name.as_str().into()).collect();
            if let Some(Value::Array(required)) = members.get_mut("required") {
                names.retain(|name| !required.contains(name));
                required.append(&mut names);
            }
        }
        _ => {}
    }
}

fn takes_null(schema: &Value) -> bool {
    let is_null = |one: &Value| one["type"] == "null";
    schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"))
        || schema["oneOf"].as_array().is_some_and(|choices| choices.iter().any(is_null))
}
