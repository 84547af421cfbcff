//! What the helper says to servers of ours: a password that it is to keep is exchanged, and what it forgets or replaces
//! ends there.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;
use wharf_client::server::Server;
use wharf_oci::hub;

use crate::contexts::{Contexts, Kept, Kind, Whose};
use crate::session::open;
use crate::{Error, Result, sign_ins};

/// docker and podman wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to keep: for a password what the server gives for it, if it is one of ours.
pub(super) fn exchanged(contexts: &Contexts, whose: Whose<'_>, kept: Kept) -> Result<Kept> {
    if kept.kind != Kind::Password {
        return Ok(kept);
    }
    in_time(async {
        let Some(server) = server(contexts, whose).await? else { return Ok(kept) };
        let door = sign_ins::door(&server).await?;
        sign_ins::by_password(server, &door, kept.user, kept.secret).await.map(|(_, kept)| kept)
    })
}

/// Ends what was kept, which is forgotten by now: what hinders is told and no failure.
pub(super) fn end(contexts: &Contexts, whose: Whose<'_>, former: Result<Option<Kept>>) -> Result<()> {
    let outcome = in_time(async {
        let Some(former) = former?.filter(|former| former.kind == Kind::RefreshToken) else { return Ok(()) };
        if let Some(server) = server(contexts, whose).await? {
            sign_ins::end_former(server, &former).await;
        }
        Ok(())
    });
    outcome.or_else(|error| {
        sign_ins::not_ended(&error);
        Ok(())
    })
}

/// That of a context, or a registry that turns out to be one of ours. Others are shown nothing.
async fn server(contexts: &Contexts, whose: Whose<'_>) -> Result<Option<Server>> {
    let host = match whose {
        Whose::Context(name) => return open(contexts, name).map(Some),
        // Docker Hub is known not to be.
        Whose::Registry(host) if hub::is_it(host) => return Ok(None),
        Whose::Registry(host) => host,
    };
    // One that does not answer, or not as ours do, is somebody else's.
    let server = sign_ins::server_at(host, None, false).await?;
    Ok(server.is_ours().await.unwrap_or_default().then_some(server))
}

fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Failed(format!("cannot start: {error}")))?;
    let late = || Error::Failed(format!("the server gave no answer in {} seconds", PATIENCE.as_secs()));
    runtime.block_on(async { timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late())) })
}
