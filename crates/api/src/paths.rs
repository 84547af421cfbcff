//! Where everything is. A constant is the template that the server routes by and the OpenAPI document names; the
//! function beside it fills it in for a client. Names with slashes are one segment, percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Before every path of the API.
pub const BASE: &str = "/api/v1";
/// The page for people.
pub const DOCS: &str = "/api/docs";

/// RFC 3986 §2.3: what never needs escaping.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn fill(template: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let fill = |segment: &str| match segment.starts_with('{').then(|| values.next()).flatten() {
        Some(value) => utf8_percent_encode(value, ESCAPED).to_string(),
        None => segment.to_owned(),
    };
    template.split('/').map(fill).collect::<Vec<_>>().join("/")
}

macro_rules! paths {
    ($($(#[$doc:meta])* $constant:ident $function:ident($($value:ident),*) = $template:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $constant: &str = concat!("/api/v1/", $template);
            $(#[$doc])*
            pub fn $function($($value: &str),*) -> String {
                fill($constant, &[$($value),*])
            }
        )*
    };
}

paths! {
    /// The OpenAPI document.
    OPENAPI openapi() = "openapi.json";
    /// Who is asking.
    SELF whoami() = "self";
    /// The caller's own password.
    SELF_PASSWORD own_password() = "self/password";
    /// The caller's own tokens.
    SELF_TOKENS own_tokens() = "self/tokens";
    /// One of them.
    SELF_TOKEN own_token(id) = "self/tokens/{id}";
    /// Where the caller is signed in.
    SELF_SESSIONS own_sessions() = "self/sessions";
    /// One of them.
    SELF_SESSION own_session(id) = "self/sessions/{id}";
    /// Orgs.
    ORGS orgs() = "orgs";
    /// One org.
    ORG org(org) = "orgs/{org}";
    /// Its members.
    MEMBERS members(org) = "orgs/{org}/members";
    /// One of them.
    MEMBER member(org, user) = "orgs/{org}/members/{user}";
    /// Its teams.
    TEAMS teams(org) = "orgs/{org}/teams";
    /// One team.
    TEAM team(org, team) = "orgs/{org}/teams/{team}";
    /// Who is in it.
    TEAM_MEMBERS team_members(org, team) = "orgs/{org}/teams/{team}/members";
    /// One of them.
    TEAM_MEMBER team_member(org, team, user) = "orgs/{org}/teams/{team}/members/{user}";
    /// An org's robots.
    ROBOTS robots(org) = "orgs/{org}/robots";
    /// One robot, by its name within the org.
    ROBOT robot(org, robot) = "orgs/{org}/robots/{robot}";
    /// Its tokens.
    ROBOT_TOKENS robot_tokens(org, robot) = "orgs/{org}/robots/{robot}/tokens";
    /// One of them.
    ROBOT_TOKEN robot_token(org, robot, id) = "orgs/{org}/robots/{robot}/tokens/{id}";
    /// What an org may keep, and does.
    QUOTA quota(org) = "orgs/{org}/quota";
    /// Outside tokens that an org takes for its robots'.
    TRUST_RULES trust_rules(org) = "orgs/{org}/trust-rules";
    /// One rule.
    TRUST_RULE trust_rule(org, name) = "orgs/{org}/trust-rules/{name}";
    /// Repositories.
    REPOSITORIES repositories() = "repositories";
    /// One repository.
    REPOSITORY repository(name) = "repositories/{name}";
    /// How much is in it.
    CONTENTS contents(name) = "repositories/{name}/contents";
    /// Its tags.
    TAGS tags(name) = "repositories/{name}/tags";
    /// One tag.
    TAG tag(name, tag) = "repositories/{name}/tags/{tag}";
    /// Its manifests.
    MANIFESTS manifests(name) = "repositories/{name}/manifests";
    /// One manifest.
    MANIFEST manifest(name, digest) = "repositories/{name}/manifests/{digest}";
    /// Roles that were given.
    GRANTS grants() = "grants";
    /// One of them.
    GRANT grant(id) = "grants/{id}";
    /// Users.
    USERS users() = "users";
    /// One user.
    USER user(name) = "users/{name}";
    /// Their password.
    USER_PASSWORD user_password(name) = "users/{name}/password";
    /// Their tokens.
    USER_TOKENS user_tokens(name) = "users/{name}/tokens";
    /// One of them.
    USER_TOKEN user_token(name, id) = "users/{name}/tokens/{id}";
    /// Where they are signed in.
    USER_SESSIONS user_sessions(name) = "users/{name}/sessions";
    /// One of them.
    USER_SESSION user_session(name, id) = "users/{name}/sessions/{id}";
    /// Where people may sign in from.
    PROVIDERS providers() = "providers";
    /// One provider.
    PROVIDER provider(name) = "providers/{name}";
    /// How often what may be done.
    LIMITS limits() = "limits";
    /// One limit.
    LIMIT limit(class, per) = "limits/{class}/{per}";
    /// What happened.
    AUDIT audit() = "audit";
    /// How much there is.
    STATS stats() = "stats";
    /// Whether somebody may do something, and why.
    ACCESS access() = "access";
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_with_slashes_is_one_segment() {
        assert_eq!(super::tag("team/app", "v1.0"), "/api/v1/repositories/team%2Fapp/tags/v1.0");
        assert_eq!(super::team_member("a", "b", "c"), "/api/v1/orgs/a/teams/b/members/c");
        assert_eq!(super::whoami(), "/api/v1/self");
    }
}
