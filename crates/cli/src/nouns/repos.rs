//! `wharf repos`

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use wharf_api::{
    Change, Contents, Name, NewRepository, Repository, RepositoryName, RepositoryUpdate, Search, Visibility, paths,
};
use wharf_client::server::Call;

use crate::Result;
use crate::output::{Seen, Show, block, print, print_json, seen};
use crate::parse::{human, inherited};
use crate::reach::{Access, Reach};
use crate::session::{Confirmed, Session, Version, something_to_change};
use crate::verb::Verb;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List the repositories that you may read
    List {
        /// Only those of this org
        #[arg(long)]
        org: Option<Name>,
        /// Only those with this in their name
        #[arg(long, value_name = "TEXT")]
        search: Option<Search>,
        /// Those of this registry, which may be of any kind, as far as it lists them
        #[arg(long, value_name = "HOST", conflicts_with_all = ["org", "search"])]
        registry: Option<String>,
        #[command(flatten)]
        access: Access,
    },
    /// Show a repository, and how much is in it
    Get {
        /// Which
        repository: RepositoryName,
    },
    /// Make a repository; pushing makes one too
    #[command(after_help = "Example:\n  wharf repos create team/app --visibility private")]
    Create {
        /// What to call it, its org first
        repository: RepositoryName,
        /// Who may read it: private, internal or public [default: as its org says]
        #[arg(long, value_name = "WHO")]
        visibility: Option<Visibility>,
    },
    /// Change a repository
    Update {
        /// Which
        repository: RepositoryName,
        /// Who may read it: private, internal, public, or default for what its org says
        #[arg(long, value_name = "WHO", value_parser = inherited::<Visibility>)]
        visibility: Option<Change<Option<Visibility>>>,
        #[command(flatten)]
        version: Version,
    },
    /// Delete a repository with all that is in it
    Delete {
        /// Which
        repository: RepositoryName,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}

impl Show for Repository {
    const COLUMNS: usize = 3;

    fn show(&self) -> Vec<(&'static str, String)> {
        let own = self.visibility.map_or_else(|| "default".into(), |visibility| visibility.to_string());
        vec![
            ("name", self.name.clone()),
            ("visibility", self.effective_visibility.to_string()),
            ("created", self.created_at.to_string()),
            ("its own setting", own),
            ("version", self.version.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { registry: Some(host), access, .. } => catalog(session, &host, access).await,
            Self::List { org, search, .. } => {
                let call = Call::get(paths::repositories()).query("org", org.as_ref()).query("q", search);
                let found = session.fetch_all::<Repository>(call).await?;
                if found.is_empty() {
                    session.org_is_there(org.as_ref()).await?;
                }
                session.out.list(&found, "there are no repositories that you may read")
            }
            Self::Get { repository } => get(session, repository.as_str()).await,
            Self::Create { repository, visibility } => {
                let what = format!("repository {repository}");
                let call = Call::create(paths::repositories()).body(&NewRepository { name: repository, visibility });
                session.create::<Repository>(call, what).await
            }
            Self::Update { repository, visibility, version } => {
                let update = RepositoryUpdate { visibility: visibility.unwrap_or_default() };
                something_to_change(&update)?;
                let path = paths::repository(repository.as_str());
                let call = Call::patch(path).body(&update).if_match(version.etag());
                session.update::<Repository>(call, format!("repository {repository}")).await
            }
            Self::Delete { repository, confirmed } => {
                let call = Call::delete(paths::repository(repository.as_str()));
                session.delete(call, format!("repository {repository}"), confirmed).await
            }
        }
    }
}

/// A repository of any registry.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    name: String,
}

impl Show for Named {
    const COLUMNS: usize = 1;

    fn show(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
}

async fn catalog(session: &Session, host: &str, access: Access) -> Result<()> {
    let names = Reach::new(session, access)?.registry(host)?.catalog().await?;
    let rows = names.into_iter().map(|name| seen(Named { name: format!("{host}/{name}") }));
    session.out.list(&rows.collect::<Result<Vec<_>>>()?, &format!("{host} lists no repositories"))
}

/// With how much is in it, which the API counts apart.
async fn get(session: &Session, name: &str) -> Result<()> {
    let shown: Seen<Repository> = session.fetch(Call::get(paths::repository(name))).await?.value;
    if session.out.quiet {
        return session.out.one(&shown);
    }
    let contents: Seen<Contents> = session.server().await?.call(Call::get(paths::contents(name))).await?.value;
    if session.out.json {
        let mut json = shown.raw;
        json["contents"] = contents.raw;
        return print_json(&json);
    }
    let Contents { tags, manifests, blobs, bytes } = contents.item;
    let mut fields = shown.item.show();
    fields.extend([("tags", tags.to_string()), ("manifests", manifests.to_string()), ("blobs", blobs.to_string())]);
    fields.push(("size", human(bytes)));
    print(&block(&fields))
}
