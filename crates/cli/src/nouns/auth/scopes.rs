//! What a token is asked for, and what it is given for.

use wharf_oci::{Actions, Scope};

use crate::output::note;
use crate::{Error, Result};

/// The scopes asked for; one that no token could be given for is a slip.
pub(super) fn read(texts: &[String]) -> Result<Vec<Scope>> {
    for text in texts.iter().flat_map(|text| text.split_ascii_whitespace()) {
        if Scope::parse(text).is_none_or(|scope| scope.actions.is_empty()) {
            return Err(Error::Usage(format!(
                "{text} is no scope; expected are repository:team/app:pull,push,delete (or some of these), \
                 registry:catalog:* and registry:api:*"
            )));
        }
    }
    Ok(Scope::parse_all(texts.iter().map(String::as_str)))
}

/// Tells what is missing in what was granted; fails when that is all.
pub(super) fn compare(asked: &[Scope], granted: &str) -> Result<()> {
    let granted = Scope::parse_all(std::iter::once(granted));
    let given = |scope: &Scope| {
        let same = granted.iter().find(|known| known.resource == scope.resource);
        same.map_or(Actions::NONE, |known| known.actions.intersection(scope.actions))
    };
    if !asked.is_empty() && asked.iter().all(|scope| given(scope).is_empty()) {
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        return Err(Error::Failed(format!("you may do nothing of {}; wharf access explain says why", asked.join(" "))));
    }
    for scope in asked.iter().filter(|scope| given(scope) != scope.actions) {
        let given = Scope { resource: scope.resource.clone(), actions: given(scope) };
        note(&if given.actions.is_empty() {
            format!("wharf: the token does not give {scope}")
        } else {
            format!("wharf: of {scope} the token gives {given}")
        });
    }
    Ok(())
}
