//! `wharf search`

use clap::Args;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::output::{Seen, Show, note, seen};
use crate::reach::{Access, Reach};
use crate::session::Session;
use crate::verb::Act;
use crate::{Error, Result};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wharf search nginx\n  wharf search --registry docker.io --limit 5 nginx")]
pub(crate) struct Search {
    /// What is in the names
    term: String,
    /// Where to search; may be repeated [default: the current context's registry and those of registries.conf]
    #[arg(long = "registry", value_name = "HOST")]
    registries: Vec<String>,
    /// Repositories of one registry, at most
    #[arg(long, value_name = "NUMBER", default_value_t = 25)]
    limit: usize,
    #[command(flatten)]
    access: Access,
}

/// A repository that was found.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    name: String,
    description: String,
    stars: u64,
    official: bool,
}

impl Show for Row {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        let official = if self.official { "yes" } else { "" };
        vec![
            ("name", self.name.clone()),
            ("stars", if self.stars == 0 { String::new() } else { self.stars.to_string() }),
            ("official", official.into()),
            ("description", self.description.clone()),
        ]
    }
}

impl Act for Search {
    async fn run(self, session: &Session) -> Result<()> {
        let reach = Reach::new(session, self.access.clone())?;
        let hosts = if self.registries.is_empty() { reach.searched()? } else { self.registries.clone() };
        if hosts.is_empty() {
            let said = "no registry is known to search: name one with --registry, or sign in: wharf auth login HOST";
            return Err(Error::Usage(said.into()));
        }
        let all = join_all(hosts.iter().map(|host| self.on(&reach, host))).await;
        let is_any = all.iter().any(Result::is_ok);
        let mut found = vec![];
        for one in all {
            match one {
                Ok(rows) => found.extend(rows),
                // What the others found counts.
                Err(error) if is_any => note(&format!("wharf: {error}")),
                Err(error) => return Err(error),
            }
        }
        session.out.list(&found, &format!("nothing is called like {}", self.term))
    }
}

impl Search {
    async fn on(&self, reach: &Reach, host: &str) -> Result<Vec<Seen<Row>>> {
        let found = reach.searching(host)?.search(&self.term, self.limit).await?;
        let row = |found: wharf_client::registry::Found| {
            let name = format!("{host}/{}", found.name);
            seen(Row { name, description: found.description, stars: found.star_count, official: found.is_official })
        };
        found.into_iter().map(row).collect()
    }
}
