//! What a server says when it refuses, read for people.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use wharf_api::{Name, ProblemKind, RobotName, Role, Target};

use super::error::Refusal;
use super::reply::Reply;

/// Words of a refusal, at most: a proxy's page must not fill the screen.
const LONGEST: usize = 2000;

/// All the forms that our server answers in: problem+json, the registry's `errors`, OAuth's `error`.
#[derive(Default, Deserialize)]
struct Words {
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    field: Option<String>,
    #[serde(default)]
    errors: Vec<Entry>,
    error_description: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    message: Option<String>,
    code: Option<String>,
    #[serde(default)]
    detail: serde_json::Value,
}

/// What our registry says beside its sentence when a right is missing.
#[derive(Deserialize)]
struct Missing {
    caller: String,
    target: Target,
    permission: Role,
}

/// The same when an org's quota is used up.
#[derive(Deserialize)]
struct Full {
    org: Name,
    #[serde(rename = "limit")]
    _limit: u64,
}

/// The command that helps, where the server says enough to know. Names are of our grammar and nothing else: whoever
/// answers could be anybody, and what is shown here is pasted into shells.
fn next(detail: &serde_json::Value) -> Option<String> {
    if let Ok(Missing { caller, target, permission }) = Missing::deserialize(detail) {
        let to = match (caller.parse::<RobotName>(), caller.parse::<Name>()) {
            (Ok(robot), _) => format!("--robot {robot}"),
            (_, Ok(user)) => format!("--user {user}"),
            _ => return None,
        };
        return Some(format!("they allow it by: wharf authorizations create {target} {to} --permission {permission}"));
    }
    let full = Full::deserialize(detail).ok()?;
    Some(format!("what it keeps: wharf quotas get {}", full.org))
}

pub(crate) fn read(reply: &Reply) -> Refusal {
    let is_json = reply.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"));
    let words: Words = if is_json { serde_json::from_slice(&reply.body).unwrap_or_default() } else { Words::default() };
    let next = words.errors.first().and_then(|entry| next(&entry.detail));
    let entries = words.errors.into_iter().filter_map(|entry| entry.message.or(entry.code)).collect::<Vec<_>>();
    let entries = (!entries.is_empty()).then(|| entries.join("; "));
    let said = words.detail.or(entries).or(words.error_description).or(words.error).or(words.title);
    let said = said.unwrap_or_else(|| unsaid(reply.status));
    Refusal {
        status: reply.status,
        kind: words.kind.as_deref().and_then(ProblemKind::of_reference),
        said: printable(&said),
        next,
        field: words.field.map(|field| printable(&field)),
        request: reply.header("x-request-id").map(printable),
    }
}

fn unsaid(status: StatusCode) -> String {
    format!("the server answered {status} and said nothing more")
}

/// What a terminal may be given: whoever answers could be anybody.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
