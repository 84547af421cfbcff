//! `wharf quotas`

use clap::Subcommand;
use wharf_api::{Amount, Name, NewQuota, Quota, Usage, paths};
use wharf_client::server::Call;

use crate::output::Show;
use crate::parse::{Most, human_word, most_bytes, most_things};
use crate::session::Session;
use crate::verb::Verb;
use crate::{Error, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// Show what an org may keep, and what it keeps
    Get {
        /// Which
        org: Name,
    },
    /// Set what an org may keep (administrators); what is not mentioned stays
    #[command(after_help = "Example:\n  wharf quotas set team --bytes 500GiB --tags none")]
    Set {
        /// Which
        org: Name,
        /// Bytes of content, each blob counted once: 500GiB, or none for no limit
        #[arg(long, value_name = "SIZE", value_parser = most_bytes)]
        bytes: Option<Most>,
        /// Repositories, or none for no limit
        #[arg(long, value_name = "NUMBER", value_parser = most_things)]
        repositories: Option<Most>,
        /// Tags, or none for no limit
        #[arg(long, value_name = "NUMBER", value_parser = most_things)]
        tags: Option<Most>,
    },
}

impl Show for Quota {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        let of = |usage: &Usage, show: fn(u64) -> String| {
            let limit = usage.limit.map_or_else(|| "no limit".into(), show);
            let coming =
                if usage.reserved == 0 { String::new() } else { format!(" (+{} on the way)", show(usage.reserved)) };
            format!("{}{coming} of {limit}", show(usage.used))
        };
        vec![
            ("org", self.org.clone()),
            ("bytes", of(&self.bytes, human_word)),
            ("repositories", of(&self.repositories, |n| n.to_string())),
            ("tags", of(&self.tags, |n| n.to_string())),
            ("version", self.version.to_string()),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::Get { org } => session.get::<Quota>(Call::get(paths::quota(org.as_str()))).await,
            Self::Set { org, bytes, repositories, tags } => {
                if bytes.or(repositories).or(tags).is_none() {
                    return Err(Error::Usage(
                        "nothing is to be changed: give --bytes, --repositories or --tags".into(),
                    ));
                }
                // The API takes a quota as a whole; its version keeps another's change between the two calls.
                let path = paths::quota(org.as_str());
                let now = session.fetch::<Quota>(Call::get(&path)).await?;
                let keep = |said: Option<Most>, usage: &Usage| match said {
                    Some(Most(limit)) => limit,
                    None => usage.limit.and_then(|limit| Amount::try_from(limit).ok()),
                };
                let is = &now.value.item;
                let bytes = keep(bytes, &is.bytes);
                let new =
                    NewQuota { bytes, repositories: keep(repositories, &is.repositories), tags: keep(tags, &is.tags) };
                let call = Call::put(path).body(&new).if_match(now.etag);
                session.update::<Quota>(call, format!("the quota of {org}")).await
            }
        }
    }
}
