//! Whether a token's claims fit a rule, and which of the rules that fit counts: pure functions over claims.

use serde_json::{Map, Value};
use wharf_client::oidc;
use wharf_meta::TrustRule;
use wharf_oci::{Resource, Scope};

/// Whom a token shall stand for, by the word of whoever shows it: never by what rules there are, since anybody can make
/// rules in an org of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meant<'a> {
    /// Whose rules count.
    pub(crate) org: &'a str,
    /// `team+ci`, where one of the org's robots is meant.
    pub(super) robot: Option<&'a str>,
}

impl<'a> Meant<'a> {
    /// The robot of that name: `None` if it is no robot's.
    pub(crate) fn robot(name: &'a str) -> Option<Self> {
        name.split_once('+').map(|(org, _)| Self { org, robot: Some(name) })
    }

    /// A robot of the org that all repositories of those scopes are in.
    pub(crate) fn by_scopes(scopes: &'a [Scope]) -> Option<Self> {
        let mut orgs = scopes.iter().filter_map(|scope| match &scope.resource {
            Resource::Repository(name) => Some(name.org()),
            Resource::Catalog | Resource::Api => None,
        });
        let org = orgs.next()?;
        orgs.all(|other| other == org).then_some(Self { org, robot: None })
    }
}

/// Rules whose shortfalls are told.
const RULES_TOLD: usize = 5;

/// What a token may be taken for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice<'r> {
    /// For this rule's robot.
    One(&'r TrustRule),
    /// No rule takes it.
    Nothing,
    /// Several robots would have it: whoever shows the token must say which.
    Several,
}

/// Of an org's rules that take a token with these claims, for the robot that was asked for if one was, that which
/// gives most.
pub(super) fn choose<'r>(rules: &'r [TrustRule], claims: &Map<String, Value>, robot: Option<&str>) -> Choice<'r> {
    let wanted = |rule: &&TrustRule| robot.is_none_or(|robot| robot == rule.robot);
    let fitting: Vec<&TrustRule> = rules.iter().filter(wanted).filter(|rule| fits(rule, claims)).collect();
    let mut robots: Vec<&str> = fitting.iter().map(|rule| rule.robot.as_str()).collect();
    robots.sort_unstable();
    robots.dedup();
    match fitting.into_iter().max_by_key(|rule| (rule.role, rule.lifetime)) {
        None => Choice::Nothing,
        Some(_) if robots.len() > 1 => Choice::Several,
        Some(best) => Choice::One(best),
    }
}

/// What keeps such a token from each of the rules that could take it, for the owners of their org.
pub(super) fn shortfalls(rules: &[TrustRule], claims: &Map<String, Value>, robot: Option<&str>) -> String {
    let wanted = |rule: &&TrustRule| robot.is_none_or(|robot| robot == rule.robot);
    let all: Vec<_> = rules.iter().filter(wanted).take(RULES_TOLD).map(|rule| shortfall(rule, claims)).collect();
    if all.is_empty() { "no rule in force is for this issuer and robot".into() } else { all.join("; ") }
}

/// Of what a stranger wrote, as much as a sentence bears.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}

fn shortfall(rule: &TrustRule, claims: &Map<String, Value>) -> String {
    let is = |name: &str, expected: &str| {
        let found = claim(claims, name).map_or_else(|| "missing".into(), |value| shorten(&value.to_string()));
        format!("{name} is {found}, expected {expected}")
    };
    if !oidc::audiences(claims).is_ok_and(|audiences| audiences.contains(&rule.audience.as_str())) {
        return format!("rule {}: {}", rule.name, is("aud", &rule.audience));
    }
    let failing = rule.claims.iter().filter(|(name, pattern)| !claim_fits(claims, name, pattern));
    let failing: Vec<_> = failing.map(|(name, pattern)| is(name, pattern)).collect();
    format!("rule {}: {}", rule.name, failing.join(", "))
}

fn fits(rule: &TrustRule, claims: &Map<String, Value>) -> bool {
    let for_us = oidc::audiences(claims).is_ok_and(|audiences| audiences.contains(&rule.audience.as_str()));
    for_us && !rule.claims.is_empty() && rule.claims.iter().all(|(name, pattern)| claim_fits(claims, name, pattern))
}

/// The claim of that name; one that begins with a slash is a way into what is nested (RFC 6901).
pub(crate) fn claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    match name.strip_prefix('/') {
        Some(path) => pointer(claims, path),
        None => claims.get(name),
    }
}

fn claim_fits(claims: &Map<String, Value>, name: &str, pattern: &str) -> bool {
    match claim(claims, name) {
        Some(Value::Array(values)) => values.iter().any(|value| value_fits(value, pattern)),
        Some(value) => value_fits(value, pattern),
        None => false,
    }
}

fn pointer<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    rest.map_or(Some(value), |rest| value.pointer(&format!("/{rest}")))
}

fn value_fits(value: &Value, pattern: &str) -> bool {
    match value {
        Value::String(text) => text_fits(text, pattern),
        Value::Number(number) => text_fits(&number.to_string(), pattern),
        Value::Bool(is) => text_fits(if *is { "true" } else { "false" }, pattern),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// `*` stands for any characters, `/` among them, or none; everything else for itself.
fn text_fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // The earliest place for each part leaves most to those after it.
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Issuers that serve everybody, and the claims of theirs that say whose job it is: with what their values begin
/// before the name of the owner. Not `job_workflow_ref`: anybody's job can call somebody else's workflow.
const SHARED: &[(&str, &[(&str, &str)])] = &[
    (
        "https://token.actions.githubusercontent.com",
        &[
            ("sub", "repo:"),
            ("repository", ""),
            ("repository_owner", ""),
            ("repository_id", ""),
            ("repository_owner_id", ""),
            ("enterprise_id", ""),
        ],
    ),
    (
        "https://gitlab.com",
        &[
            ("sub", "project_path:"),
            ("project_path", ""),
            ("namespace_path", ""),
            ("project_id", ""),
            ("namespace_id", ""),
        ],
    ),
];

/// What is wrong with a rule's claims.
pub(crate) fn objection(issuer: &str, claims: &std::collections::BTreeMap<String, String>) -> Option<String> {
    const OWN: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "nonce"];
    if let Some(name) = claims.keys().find(|name| OWN.contains(&name.as_str())) {
        return Some(format!(
            "{name} is no claim to match: issuer and audience are fields of the rule, times are always checked"
        ));
    }
    if !claims.values().any(|pattern| pattern.bytes().any(|byte| byte != b'*')) {
        return Some(
            "at least one claim must be pinned, or every token of the issuer would do: add one such as sub".into(),
        );
    }
    let (_, owners) = SHARED.iter().find(|(shared, _)| *shared == issuer.trim_end_matches('/'))?;
    if owners.iter().any(|(name, before)| claims.get(*name).is_some_and(|pattern| pins_owner(pattern, before))) {
        return None;
    }
    let names = owners.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    Some(format!(
        "everybody's jobs have tokens of {issuer}: pin the owner in one of {names}, written out up to the first * and beyond its \"/\""
    ))
}

/// Whether no other owner's name can fit: the pattern is written out as far as the slash after it.
fn pins_owner(pattern: &str, before: &str) -> bool {
    let written = pattern.split('*').next().unwrap_or_default();
    let is_whole = written.len() == pattern.len();
    written.strip_prefix(before).is_some_and(|owner| {
        is_whole && !owner.is_empty() || owner.split_once('/').is_some_and(|(owner, _)| !owner.is_empty())
    })
}

#[cfg(test)]
mod tests;
