//! A user name out of what a provider says of a person.

use serde_json::{Map, Value};

/// Characters, with room for a number behind them.
const LONGEST: usize = 56;

/// From `preferred_username`, else from the address before its `@`: whoever's it is, it only makes a name.
pub(super) fn name_from(claims: &Map<String, Value>) -> String {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(fit).filter(|name| !name.is_empty());
    text("preferred_username").or_else(|| text("email")).unwrap_or_else(|| "user".into())
}

/// One component of a repository's name: runs of lower-case letters and digits, with one separator between them.
fn fit(text: &str) -> String {
    let local = text.split_once('@').map_or(text, |(local, _)| local);
    let mut name = String::new();
    let mut separator = None;
    for c in local.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            if let Some(separator) = separator.take().filter(|_| !name.is_empty()) {
                name.push(separator);
            }
            name.push(c);
        } else {
            // Of several, a dash: there is no other run that the grammar takes.
            let alone = if matches!(c, '.' | '_') { c } else { '-' };
            separator = Some(if separator.is_some() { '-' } else { alone });
        }
        if name.len() >= LONGEST {
            break;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(claims: Value) -> String {
        let Value::Object(claims) = claims else { panic!("an object") };
        name_from(&claims)
    }

    #[test]
    fn names_fit_the_grammar_whatever_they_come_from() {
        let long = "x".repeat(300);
        for (text, expected) in [
            ("jane", "jane"),
            ("Jane.Doe", "jane.doe"),
            ("jane__doe", "jane-doe"),
            ("_jane_", "jane"),
            ("jane doe (ops)", "jane-doe-ops"),
            ("jane@corp.example", "jane"),
            ("CORP\\jane", "corp-jane"),
            ("..", "user"),
            ("../../admin", "admin"),
            ("Łukasz", "ukasz"),
            ("李", "user"),
            (&long, &"x".repeat(LONGEST)),
        ] {
            let found = name(json!({ "preferred_username": text }));
            assert_eq!(found, expected, "{text}");
            assert!(format!("org/{found}").parse::<wharf_oci::RepoName>().is_ok(), "{found}");
        }
    }

    #[test]
    fn the_address_serves_where_there_is_no_name() {
        assert_eq!(name(json!({ "email": "Jane.Doe+x@example.com" })), "jane.doe-x");
        assert_eq!(name(json!({ "preferred_username": "李", "email": "li@example.com" })), "li");
        assert_eq!(name(json!({ "preferred_username": 5 })), "user");
    }
}
