//! `wharf orgs`

use clap::Subcommand;
use wharf_api::{Change, Name, NewOrg, Org, OrgUpdate, Search, Visibility, paths};
use wharf_client::server::Call;

use crate::Result;
use crate::output::{Show, opt};
use crate::parse::inherited;
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List the orgs that you may know of
    List {
        /// Only those with this in their name
        #[arg(long, value_name = "TEXT")]
        search: Option<Search>,
    },
    /// Show an org
    Get {
        /// Which
        org: Name,
    },
    /// Make an org, of which you are the first owner
    #[command(after_help = "Example:\n  wharf orgs create team --visibility internal")]
    Create {
        /// What to call it: the first part of its repositories' names
        org: Name,
        /// Who may read its repositories that do not say themselves: private, internal or public
        #[arg(long, value_name = "WHO")]
        visibility: Option<Visibility>,
    },
    /// Change an org
    Update {
        /// Which
        org: Name,
        /// Who may read its repositories that do not say themselves: private, internal, public, or default for the server's
        /// setting
        #[arg(long, value_name = "WHO", value_parser = inherited::<Visibility>)]
        visibility: Option<Change<Option<Visibility>>>,
        #[command(flatten)]
        version: Version,
    },
    /// Delete an org without repositories
    Delete {
        /// Which
        org: Name,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

impl Show for Org {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("visibility", self.visibility.map_or_else(|| "default".into(), |visibility| visibility.to_string())),
            ("your role", opt(self.your_role.as_ref())),
            ("created", self.created_at.to_string()),
            ("personal org of", opt(self.personal_of.as_ref())),
            ("version", self.version.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { search } => {
                session
                    .list::<Org>(Call::get(paths::orgs()).query("q", search), "there are no orgs that you may know of")
                    .await
            }
            Self::Get { org } => session.get::<Org>(Call::get(paths::org(org.as_str()))).await,
            Self::Create { org, visibility } => {
                let what = format!("org {org}");
                let call = Call::create(paths::orgs()).body(&NewOrg { name: org, visibility });
                session.create::<Org>(call, what).await
            }
            Self::Update { org, visibility, version } => {
                let update = OrgUpdate { visibility: visibility.unwrap_or_default() };
                something_to_change(&update)?;
                let call = Call::patch(paths::org(org.as_str())).body(&update).if_match(version.etag());
                session.update::<Org>(call, format!("org {org}")).await
            }
            Self::Delete { org, confirmed } => {
                session.delete(Call::delete(paths::org(org.as_str())), format!("org {org}"), confirmed).await
            }
        }
    }
}
