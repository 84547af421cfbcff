//! Lists: followed to their end, and not in circles.

use std::collections::HashSet;

use http::header::LINK;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;
use wharf_oci::RepoName;

use super::ask::{Ask, Heard};
use super::auth::Needs;
use super::{Error, Registry, Repository, Result, Shared, WireError};

/// Pages of one list, at most.
const MOST_PAGES: usize = 10_000;
/// Bytes of all pages of one list, at most: a million names of usual length.
const LARGEST: usize = 32 * 1024 * 1024;

/// A list that is followed from page to page, to its end or to where it is too long to be one.
pub(super) struct Pages<'a> {
    shared: &'a Shared,
    name: Option<&'a RepoName>,
    needs: &'a Needs,
    next: Option<Url>,
    read: usize,
    left: usize,
}

impl<'a> Pages<'a> {
    /// Beginning at `first`.
    pub(super) fn new(shared: &'a Shared, name: Option<&'a RepoName>, needs: &'a Needs, first: Url) -> Self {
        Self { shared, name, needs, next: Some(first), read: 0, left: LARGEST }
    }

    /// The next answer, which may be a refusal; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Heard>> {
        let Some(url) = self.next.take() else { return Ok(None) };
        let ask = Ask::new(Method::GET, url, self.needs).limit(self.left);
        let heard = match self.shared.reply(&ask, self.name).await {
            Err(Error::Wire(WireError::Endless { .. })) => {
                let problem = format!("its list has more than {LARGEST} bytes");
                return Err(self.shared.not_understood(self.name, problem));
            }
            heard => heard?,
        };
        self.read += 1;
        self.left = self.left.saturating_sub(heard.reply.body.len());
        if heard.reply.status == StatusCode::OK {
            self.next = self.shared.next_page(&heard, self.name)?;
        }
        Ok(Some(heard))
    }

    /// How many were read.
    pub(super) fn read(&self) -> usize {
        self.read
    }

    /// Refuses a list that goes on after a page that brought nothing new (regclient/regclient#272), or for ever.
    pub(super) fn check(&self, is_news: bool) -> Result<()> {
        if self.next.is_some() && (!is_news || self.read == MOST_PAGES) {
            return Err(self.shared.not_understood(self.name, "its list goes round in circles"));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(alias = "repositories")]
    tags: Option<Vec<String>>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The repository's name, as the registry writes it.
    pub name: String,
    /// Its own words; may be empty.
    #[serde(default)]
    pub description: String,
    /// How many like it, where anybody counts that.
    #[serde(default)]
    pub star_count: u64,
    /// Whether the registry vouches for it.
    #[serde(default)]
    pub is_official: bool,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Found>,
}

impl Repository {
    /// All tags, in the registry's order.
    pub async fn tags(&self) -> Result<Vec<String>> {
        let path = format!("/v2/{}/tags/list", self.name.asked());
        let needs = Needs::of(&self.name, "pull");
        self.shared.list(&path, &needs, Some(&self.name)).await
    }
}

impl Registry {
    /// The names of all repositories that the registry lists for who asks.
    pub async fn catalog(&self) -> Result<Vec<String>> {
        self.0.list("/v2/_catalog", &Needs::nothing().and("registry:catalog:*"), None).await
    }

    /// Repositories that fit `term`, at most `limit`: by the registry's search, else by their names.
    pub async fn search(&self, term: &str, limit: usize) -> Result<Vec<Found>> {
        let mut url = self.0.url("/v1/search").await?;
        url.query_pairs_mut().append_pair("q", term).append_pair("n", &limit.to_string());
        let needs = Needs::nothing();
        let heard = self.0.reply(&Ask::new(Method::GET, url, &needs), None).await;
        if let Some(mut results) = heard.ok().as_ref().and_then(results) {
            results.truncate(limit);
            return Ok(results);
        }
        let names = self.catalog().await?.into_iter().filter(|name| name.contains(term)).take(limit);
        let found = |name| Found { name, description: String::new(), star_count: 0, is_official: false };
        Ok(names.map(found).collect())
    }
}

/// A search that is not offered answers in many ways, and pages of HTML are one of them.
fn results(heard: &Heard) -> Option<Vec<Found>> {
    let is_ok = heard.reply.status == StatusCode::OK;
    serde_json::from_slice::<Results>(&heard.reply.body).ok().filter(|_| is_ok).map(|found| found.results)
}

impl Shared {
    async fn list(&self, path: &str, needs: &Needs, name: Option<&RepoName>) -> Result<Vec<String>> {
        let mut pages = Pages::new(self, name, needs, self.url(path).await?);
        let (mut all, mut seen) = (vec![], HashSet::new());
        while let Some(heard) = pages.next().await? {
            if heard.reply.status != StatusCode::OK {
                return Err(match name {
                    Some(name) => self.missing("list of tags", name, &heard),
                    None => self.refused("it gives no list of repositories", None, &heard),
                });
            }
            let page: Page = serde_json::from_slice(&heard.reply.body)
                .map_err(|error| self.not_understood(name, format!("its list is none: {error}")))?;
            let entries = page.tags.unwrap_or_default();
            let before = seen.len();
            seen.extend(entries.iter().cloned());
            pages.check(seen.len() > before)?;
            all.extend(entries);
        }
        Ok(all)
    }

    /// Where the list goes on: on this registry, or nowhere.
    fn next_page(&self, heard: &Heard, name: Option<&RepoName>) -> Result<Option<Url>> {
        let Some(target) = heard.reply.header(LINK).and_then(next_link) else { return Ok(None) };
        let url = self.resolved(&heard.url, target, name)?;
        if !self.is_own(&url) {
            return Err(self.not_understood(name, "its list goes on at another server"));
        }
        Ok(Some(url))
    }
}

/// The target of `<…>; rel="next"` (RFC 8288), among others or alone.
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        let parameters = &after[..end];
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (key, value) = parameter.split_once('=').unwrap_or_default();
            key.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        if is_next {
            return Some(target);
        }
        rest = &after[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn the_next_page_is_found_among_other_links() {
        for (header, target) in [
            ("</v2/a/tags/list?last=x>; rel=\"next\"", Some("/v2/a/tags/list?last=x")),
            ("</x>;rel=next", Some("/x")),
            ("</first>; rel=\"first\", </n?a,b>; rel=\"next\"; title=\"t\"", Some("/n?a,b")),
            ("</x>; rel=\"prev\"", None),
            ("</x", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), target, "{header}");
        }
    }
}
