//! What texts must be like, each refused by the name of its field.

use wharf_oci::RepoName;

use crate::{Error, Result};

/// Characters of a name of a user, an org, a team or a robot: any org that a push can make has one that can be asked for.
const NAME: usize = RepoName::LONGEST_ORG;
/// Characters of a token's name.
const TOKEN_NAME: usize = 64;
/// Characters of a description.
const DESCRIPTION: usize = 500;
/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const EMAIL: usize = 254;

/// One component of a repository's name.
pub(super) fn name(field: &'static str, text: &str) -> Result<()> {
    if RepoName::is_org(text) {
        return Ok(());
    }
    let expected = format!(
        "{} is expected to be 1 to {NAME} lower-case letters and digits, with single '.', '_', '__' or dashes between them",
        with_article(field)
    );
    Err(Error::Invalid { field, message: expected })
}

/// The org that a target, an org or a repository, is of.
pub(super) fn org_of(target: &str) -> &str {
    target.split_once('/').map_or(target, |(org, _)| org)
}

pub(super) fn description(text: &str) -> Result<()> {
    if text.chars().count() <= DESCRIPTION && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("a description is expected to be one line of at most {DESCRIPTION} characters");
    Err(Error::Invalid { field: "description", message })
}

/// The address in lower case: nobody tells two apart by it.
pub(super) fn email(text: &str) -> Result<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_label = |label: &str| {
        let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && inner
    };
    let good = text.len() <= EMAIL
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && local.chars().all(legal) && domain.split('.').all(is_label)
        });
    if good {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::Invalid { field: "email", message: "a mail address is expected, like somebody@example.org".into() })
}

pub(super) fn token_name(text: &str) -> Result<()> {
    let is_plain = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let legal = |c: char| c.is_ascii_alphanumeric() || " ._@:/+-".contains(c);
    let good = text.len() <= TOKEN_NAME
        && is_plain(text.chars().next())
        && is_plain(text.chars().next_back())
        && text.chars().all(legal);
    if good {
        return Ok(());
    }
    let message = format!(
        "a token's name is expected to be 1 to {TOKEN_NAME} letters, digits and any of \" ._@:/+-\", and to begin and end with \
         a letter or a digit"
    );
    Err(Error::Invalid { field: "name", message })
}

pub(super) fn repository(field: &'static str, text: &str) -> Result<RepoName> {
    text.parse().map_err(|error: wharf_oci::NameError| Error::Invalid { field, message: error.to_string() })
}

fn with_article(field: &str) -> String {
    let article = if field.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {field}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_components_of_repository_names() {
        for good in ["a", "team-1", "a.b", "a__b", &"x".repeat(NAME)] {
            assert!(name("name", good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a/b", "-a", "_a", "a+b", "a b", "ä", &"x".repeat(NAME + 1)] {
            let Err(Error::Invalid { field: "name", .. }) = name("name", bad) else { panic!("{bad}") };
        }
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(email("Alice@Example.ORG").unwrap(), "alice@example.org");
        for bad in ["", "a", "@b.c", "a@", "a@-b.c", "a@b..c", "a b@c.d", "a@b@c", &format!("{}@b.c", "a".repeat(251))]
        {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_people_write_has_an_end() {
        assert!(description(&"ä".repeat(500)).is_ok());
        assert!(description(&"a".repeat(501)).is_err() && description("a\nb").is_err());
        assert!(token_name("my laptop, at home").is_err() && token_name("my laptop").is_ok());
        assert!(token_name("").is_err() && token_name(" a").is_err());
    }
}
