//! Providers that people sign in by. For administrators.

use wharf_meta::Provider as Row;
pub use wharf_meta::{GroupTeam, NewProvider, ProviderChange};

use super::trust_rules::{check_issuer, reachable};
use super::{Created, and_one, names, page};
use crate::access::Caller;
use crate::{Error, Page, Registry, Result};

/// What administrators do with providers, in refusals.
const DOING: &str = "change providers";
/// Characters of a title.
const TITLE: usize = 64;

/// A provider, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name here.
    pub name: String,
    /// What the sign-in button says.
    pub title: String,
    /// Its URL, as its tokens have it.
    pub issuer: String,
    /// What it calls this registry.
    pub client_id: String,
    /// What to ask it for.
    pub scopes: Vec<String>,
    /// Mail domains whose addresses it may vouch for.
    pub trusted_domains: Vec<String>,
    /// The claim that lists a person's groups.
    pub groups_claim: Option<String>,
    /// Groups that are teams here.
    pub groups: Vec<GroupTeam>,
    /// Whether one can sign in by it.
    pub is_enabled: bool,
    /// Whether who has no account gets one.
    pub makes_users: bool,
    /// When it was made.
    pub created_at: wharf_meta::Millis,
    /// Counts changes.
    pub version: i64,
}

impl From<Row> for Provider {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            title: row.title,
            issuer: row.issuer,
            client_id: row.client_id,
            scopes: row.scopes,
            trusted_domains: row.trusted_domains,
            groups_claim: row.groups_claim,
            groups: row.groups,
            is_enabled: row.is_enabled,
            makes_users: row.makes_users,
            created_at: row.created_at,
            version: row.version,
        }
    }
}

impl Registry {
    /// Providers by name after `after`.
    pub async fn providers(&self, caller: &Caller, after: Option<&str>, limit: usize) -> Result<Page<Provider>> {
        self.must_administer(caller, "look up providers")?;
        let found = self.meta.providers(after.unwrap_or(""), and_one(limit)).await?;
        Ok(page(found, limit, Provider::from))
    }

    /// One provider.
    pub async fn provider(&self, caller: &Caller, name: &str) -> Result<Provider> {
        self.must_administer(caller, "look up providers")?;
        self.provider_row(name).await.map(Provider::from)
    }

    /// Makes a provider.
    pub async fn create_provider(&self, caller: &Caller, mut new: NewProvider) -> Result<Created<Provider>> {
        self.must_administer(caller, DOING)?;
        names::name("name", &new.name)?;
        check_title(&new.title)?;
        check_issuer(&new.issuer)?;
        reachable(self.issuers.of_providers(), &new.issuer)?;
        check_words("scopes", &new.scopes)?;
        new.trusted_domains = domains(new.trusted_domains)?;
        let made = self.meta.make_provider(new, self.by(caller)).await?;
        Ok(Created::of(made, Provider::from))
    }

    /// Changes a provider. Members of a team that no group of it is any more leave it.
    pub async fn update_provider(
        &self,
        caller: &Caller,
        name: &str,
        mut change: ProviderChange,
        expected: Option<i64>,
    ) -> Result<Provider> {
        self.must_administer(caller, DOING)?;
        let row = self.provider_row(name).await?;
        change.title.as_deref().map_or(Ok(()), check_title)?;
        change.scopes.as_deref().map_or(Ok(()), |scopes| check_words("scopes", scopes))?;
        change.trusted_domains = change.trusted_domains.map(domains).transpose()?;
        Ok(self.meta.change_provider(row.id, change, expected, self.by(caller)).await?.into())
    }

    /// Deletes a provider. Accounts stay; nobody signs in by it any more.
    pub async fn delete_provider(&self, caller: &Caller, name: &str, expected: Option<i64>) -> Result<()> {
        self.must_administer(caller, DOING)?;
        let row = self.provider_row(name).await?;
        Ok(self.meta.delete_provider(row.id, expected, self.by(caller)).await?)
    }

    async fn provider_row(&self, name: &str) -> Result<Row> {
        let found = self.meta.provider(name).await?;
        found.ok_or_else(|| Error::NotFound { what: format!("provider {name}") })
    }
}

fn check_title(title: &str) -> Result<()> {
    if (1..=TITLE).contains(&title.chars().count()) && !title.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::Invalid {
        field: "title",
        message: format!("a title is expected to be one line of 1 to {TITLE} characters"),
    })
}

/// They are sent and kept separated by spaces.
fn check_words(field: &'static str, words: &[String]) -> Result<()> {
    if words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Ok(());
    }
    Err(Error::Invalid { field, message: format!("{field} are expected to be words of printable ASCII characters") })
}

fn domains(domains: Vec<String>) -> Result<Vec<String>> {
    check_words("trusted_domains", &domains)?;
    if domains.iter().any(|domain| domain.contains(['@', '*'])) {
        let message = "a domain is expected as it stands after the @, like example.org, each one by itself".into();
        return Err(Error::Invalid { field: "trusted_domains", message });
    }
    Ok(domains.into_iter().map(|domain| domain.to_ascii_lowercase()).collect())
}
