//! `wharf providers`

use clap::{Args, Subcommand};
use wharf_api::{
    Change, ClaimName, ClientId, Domain, GroupName, GroupTeam, Issuer, Label, Name, NewProvider, OAuthScope, Provider,
    ProviderUpdate, paths,
};
use wharf_client::Secret;
use wharf_client::server::Call;

use super::robots::Disabled;
use crate::output::{Show, opt, yes};
use crate::parse::{InOrg, or_none, pair};
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;
use crate::{Error, Result, ask};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List where people may sign in from
    List,
    /// Show a provider
    Get {
        /// Which
        provider: Name,
    },
    /// Let people sign in by an OpenID Connect provider
    #[command(after_help = "The client secret is asked for on a terminal.\n\nExample:\n  \
        wharf providers create company --issuer https://id.example.org --client-id wharf --client-secret-stdin \\\n    \
        --trusted-domain example.org --group developers=team/backend < secret.txt")]
    Create {
        /// What to call it here
        provider: Name,
        /// Its issuer
        #[arg(long, value_name = "URL")]
        issuer: Issuer,
        /// What it calls this registry
        #[arg(long, value_name = "ID")]
        client_id: ClientId,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a provider
    Update {
        /// Which
        provider: Name,
        /// What it calls this registry
        #[arg(long, value_name = "ID")]
        client_id: Option<ClientId>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        disabled: Disabled,
        #[command(flatten)]
        version: Version,
    },
    /// Delete a provider; who has no password cannot sign in any more
    Delete {
        /// Which
        provider: Name,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

/// What may be said of a provider. A list stands in place of all there were.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Read the client secret from standard input
    #[arg(long)]
    client_secret_stdin: bool,
    /// What the button says [default: its name]
    #[arg(long, value_name = "TEXT")]
    title: Option<Label>,
    /// A scope to ask it for [default: openid, profile and email]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<OAuthScope>,
    /// A mail domain whose addresses it may vouch for
    #[arg(long = "trusted-domain", value_name = "DOMAIN")]
    trusted_domains: Vec<Domain>,
    /// The claim that lists a user's groups, or none
    #[arg(long, value_name = "CLAIM", value_parser = or_none::<ClaimName>)]
    groups_claim: Option<Change<Option<ClaimName>>>,
    /// A group whose users are in a team here
    #[arg(long = "group", value_name = "GROUP=ORG/TEAM", value_parser = pair::<GroupName, InOrg>)]
    groups: Vec<(GroupName, InOrg)>,
    /// Whether who has no account gets one [default: true]
    #[arg(long, value_name = "true|false")]
    makes_users: Option<bool>,
}

impl Settings {
    fn groups(&self) -> Option<Vec<GroupTeam>> {
        let group = |(group, team): &(GroupName, InOrg)| GroupTeam {
            group: group.clone(),
            org: team.org.clone(),
            team: team.name.clone(),
        };
        some(self.groups.iter().map(group).collect())
    }

    /// From standard input when that was said, else from the terminal when it `must` be.
    async fn secret(&self, must: bool) -> Result<Option<Secret>> {
        if self.client_secret_stdin {
            return ask::secret_from_stdin("client secret").map(Some);
        }
        match must {
            false => Ok(None),
            true if ask::is_possible() => ask::secret("Client secret: ").await.map(Some),
            true => Err(Error::Usage("give the client secret by --client-secret-stdin".into())),
        }
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

impl Show for Provider {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        let groups = self.groups.iter().map(|group| format!("{}={}/{}", group.group, group.org, group.team));
        vec![
            ("name", self.name.clone()),
            ("title", self.title.clone()),
            ("enabled", yes(self.is_enabled)),
            ("issuer", self.issuer.clone()),
            ("client id", self.client_id.clone()),
            ("scopes", self.scopes.join(" ")),
            ("trusted domains", self.trusted_domains.join(" ")),
            ("groups claim", opt(self.groups_claim.as_ref())),
            ("groups", groups.collect::<Vec<_>>().join(", ")),
            ("makes users", yes(self.makes_users)),
            ("created", self.created_at.to_string()),
            ("version", self.version.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List => {
                session.list::<Provider>(Call::get(paths::providers()), "people sign in by password alone").await
            }
            Self::Get { provider } => session.get::<Provider>(Call::get(paths::provider(provider.as_str()))).await,
            Self::Create { provider, issuer, client_id, settings } => {
                create(session, provider, issuer, client_id, settings).await
            }
            Self::Update { provider, client_id, settings, disabled, version } => {
                let update = ProviderUpdate {
                    client_id: client_id.into(),
                    client_secret: settings.secret(false).await?.into(),
                    is_enabled: disabled.said().map(|is_disabled| !is_disabled).into(),
                    groups: settings.groups().into(),
                    title: settings.title.into(),
                    scopes: some(settings.scopes).into(),
                    trusted_domains: some(settings.trusted_domains).into(),
                    groups_claim: settings.groups_claim.unwrap_or_default(),
                    makes_users: settings.makes_users.into(),
                };
                something_to_change(&update)?;
                let call = Call::patch(paths::provider(provider.as_str())).body(&update).if_match(version.etag());
                session.update::<Provider>(call, format!("provider {provider}")).await
            }
            Self::Delete { provider, confirmed } => {
                let call = Call::delete(paths::provider(provider.as_str()));
                session.delete(call, format!("provider {provider}"), confirmed).await
            }
        }
    }
}

async fn create(session: &Session, name: Name, issuer: Issuer, client_id: ClientId, settings: Settings) -> Result<()> {
    let secret = settings.secret(true).await?;
    let client_secret = secret.ok_or_else(|| Error::Usage("the client secret is missing".into()))?;
    let what = format!("provider {name}");
    let new = NewProvider {
        groups: settings.groups(),
        name,
        title: settings.title,
        issuer,
        client_id,
        client_secret,
        scopes: some(settings.scopes),
        trusted_domains: some(settings.trusted_domains),
        groups_claim: settings.groups_claim.and_then(Change::into_option).flatten(),
        is_enabled: None,
        makes_users: settings.makes_users,
    };
    session.create::<Provider>(Call::create(paths::providers()).body(&new), what).await
}
