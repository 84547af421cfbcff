//! `wharf access`

use clap::Subcommand;
use wharf_api::{Access, ActionName, PrincipalName, Target, paths};
use wharf_client::server::Call;

use crate::Result;
use crate::output::{Seen, lines, print, print_json, printable};
use crate::session::Session;
use crate::verb::Verb;

#[derive(Debug, Subcommand)]
pub(crate) enum Verbs {
    /// Say whether somebody may do something, and what that rests on
    #[command(after_help = "Examples:\n  wharf access explain alice push team/app\n  \
        wharf access explain team+ci pull team/app\n  wharf access explain anonymous pull team/app --json | jq .is_allowed")]
    Explain {
        /// A user, a robot, or anonymous
        user: PrincipalName,
        /// pull, push, delete, manage or own
        action: ActionName,
        /// An org, or a repository
        #[arg(value_name = "REPOSITORY")]
        target: Target,
    },
}

impl Verb for Verbs {
    async fn run(self, session: &Session) -> Result<()> {
        let Self::Explain { user, action, target } = self;
        let call = Call::get(paths::access()).query("user", Some(user)).query("action", Some(action));
        let call = call.query("target", Some(target));
        let seen: Seen<Access> = session.server().await?.call(call).await?.value;
        if session.out.json {
            return print_json(&seen.raw);
        }
        let access = seen.item;
        let verdict = if access.is_allowed { "yes" } else { "no" };
        if session.out.quiet {
            return print(&format!("{verdict}\n"));
        }
        let mut said = vec![format!("{verdict}: {}", printable(&access.reason))];
        said.extend(access.because.iter().map(|line| format!("  - {}", printable(line))));
        print(&lines(said))
    }
}
