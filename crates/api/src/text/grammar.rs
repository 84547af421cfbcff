//! What the patterns of the OpenAPI document say, without a regular expression engine. Lengths are checked elsewhere.

use wharf_oci::RepoName;

/// As a component of a repository's name.
pub(super) fn is_component(text: &str) -> bool {
    RepoName::is_org(text)
}

pub(super) fn is_robot(text: &str) -> bool {
    text.split_once('+').is_some_and(|(org, robot)| is_component(org) && is_component(robot))
}

pub(super) fn is_principal(text: &str) -> bool {
    is_component(text) || is_robot(text)
}

pub(super) fn is_repository(text: &str) -> bool {
    text.parse::<RepoName>().is_ok()
}

pub(super) fn is_target(text: &str) -> bool {
    if text.contains('/') { is_repository(text) } else { is_component(text) }
}

pub(super) fn is_token_name(text: &str) -> bool {
    let is_plain = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_plain(text.chars().next())
        && is_plain(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._@:/+-".contains(c))
}

pub(super) fn is_id(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// No control characters: U+0000 to U+001F, U+007F to U+009F.
pub(super) fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

pub(super) fn is_graphic(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

pub(super) fn is_oauth_scope(text: &str) -> bool {
    is_graphic(text) && !text.contains(['"', '\\'])
}

/// As HTML's `<input type=email>` has it.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let legal = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    !local.is_empty() && local.chars().all(legal) && is_domain(domain)
}

pub(super) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(inner)
    };
    text.split('.').all(is_label)
}

pub(super) fn is_issuer(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let in_host = |c: char| c.is_ascii_alphanumeric() || ".:[]-".contains(c);
    let in_path = |c: char| c.is_ascii_alphanumeric() || "._~/-".contains(c);
    !host.is_empty() && host.chars().all(in_host) && path.chars().all(in_path)
}
