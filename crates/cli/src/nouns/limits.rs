//! `wharf limits`

use clap::Subcommand;
use wharf_api::{LimitClass, LimitPer, NewRateLimit, RateLimit, Seconds, paths};
use wharf_client::server::Call;

use crate::output::{Show, yes};
use crate::parse::{Rate, span};
use crate::session::Session;
use crate::verb::Verb;
use crate::{Error, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// List how often what may be done
    List,
    /// Set a limit
    #[command(
        after_help = "Examples:\n  wharf limits set manifest-pulls anonymous 100/6h\n  wharf limits set pushes caller none"
    )]
    Set {
        /// What: manifest-pulls, blob-pulls, pushes, sign-ins, tokens, changes or lists
        class: LimitClass,
        /// For each of what: caller, anonymous, address or repository
        per: LimitPer,
        /// How often, as in 100/6h, or none for no limit
        rate: Rate,
    },
    /// Go back to the server's own limit
    Unset {
        /// What: manifest-pulls, blob-pulls, pushes, sign-ins, tokens, changes or lists
        class: LimitClass,
        /// For each of what: caller, anonymous, address or repository
        per: LimitPer,
    },
}

impl Show for RateLimit {
    const COLUMNS: usize = 4;

    fn show(&self) -> Vec<(&'static str, String)> {
        // As `set` takes it.
        let rate = self.requests.map(|requests| format!("{requests}/{}", span(self.seconds)));
        vec![
            ("class", self.class.to_string()),
            ("per", self.per.to_string()),
            ("rate", rate.unwrap_or_else(|| "none".into())),
            ("default", yes(self.is_default)),
        ]
    }
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List => session.list::<RateLimit>(Call::get(paths::limits()), "there are no limits").await,
            Self::Set { class, per, rate: Rate(rate) } => {
                // A limit that is none still has a time, which nothing looks at.
                let hour = || Seconds::try_from(3600).map_err(|error| Error::Failed(error.to_string()));
                let (requests, seconds) = match rate {
                    Some((requests, seconds)) => (Some(requests), seconds),
                    None => (None, hour()?),
                };
                let call =
                    Call::put(paths::limit(class.as_str(), per.as_str())).body(&NewRateLimit { requests, seconds });
                session.set::<RateLimit>(call, format!("the limit on {class} per {per} is set")).await
            }
            Self::Unset { class, per } => {
                let call = Call::delete(paths::limit(class.as_str(), per.as_str()));
                session.act(call, format!("the limit on {class} per {per} is the server's own again")).await
            }
        }
    }
}
