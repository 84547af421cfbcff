//! The operator's commands while a server runs: a unix socket in the data folder, for its owner only.
//!
//! One JSON object a line each way. Who may open the socket may do everything, as who may read the folder could.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use wharf_registry::{Registry, Secret};

/// Bytes of a request, at most.
const LONGEST: u64 = 64 * 1024;
const NAME: &str = "control.sock";

/// What an operator may ask a running server.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Give a user a new password: this one, or a random one.
    ResetPassword { user: String, password: Option<String> },
    /// How the database is.
    DatabaseStatus,
}

/// What it answers. Not `Debug`: one of them is a password.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The password now in force; `None` when there is no such user.
    Password { password: Option<String> },
    /// Schema and size of the database.
    Database { applied: u32, known: u32, bytes: u64 },
    /// It could not.
    Failed { reason: String },
}

/// Opens the socket. One left by a server that died is replaced: the folder's lock says that it is dead.
pub(crate) fn listen(folder: &Path) -> anyhow::Result<UnixListener> {
    let (_folder, path) = reachable(folder)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(&path).with_context(|| format!("cannot make {}", folder.join(NAME).display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until dropped.
pub(crate) async fn serve(listener: UnixListener, registry: Arc<Registry>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let registry = Arc::clone(&registry);
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &registry).await {
                        tracing::warn!(%error, "an operator's command was cut short");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the operator's socket failed");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, registry: &Registry) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(LONGEST)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => answer(registry, request).await,
        Err(error) => Answer::Failed { reason: format!("not a command that this server knows: {error}") },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    Ok(write.write_all(&line).await?)
}

/// Does what is asked, whether over the socket or by a command that holds the folder itself.
pub(crate) async fn answer(registry: &Registry, request: Request) -> Answer {
    let outcome = match request {
        Request::ResetPassword { user, password } => {
            let password = registry.reset_password(&user, password.map(Secret::new)).await;
            // It leaves towards whoever asked for it, over a socket only they can open.
            password.map(|password| Answer::Password { password: password.map(|secret| secret.expose().to_owned()) })
        }
        Request::DatabaseStatus => registry.status().await.map(|status| Answer::Database {
            applied: status.schema.applied,
            known: status.schema.known,
            bytes: status.database_size,
        }),
    };
    outcome.unwrap_or_else(|error| Answer::Failed { reason: error.to_string() })
}

/// Asks the server that holds the folder.
pub(crate) fn ask(folder: &Path, request: &Request) -> anyhow::Result<Answer> {
    let (_folder, path) = reachable(folder)?;
    let stream = std::os::unix::net::UnixStream::connect(&path);
    let mut stream = stream.with_context(|| format!("cannot reach the server by {}", folder.join(NAME).display()))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(&stream).read_line(&mut reply)?;
    serde_json::from_str(&reply).map_err(|error| anyhow!("the server's answer cannot be read: {error}"))
}

/// The socket's path through the open folder: a socket's own path may have 107 bytes, a folder's far more.
fn reachable(folder: &Path) -> anyhow::Result<(std::fs::File, std::path::PathBuf)> {
    let open = std::fs::File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    let path = format!("/proc/self/fd/{}/{NAME}", open.as_raw_fd());
    Ok((open, path.into()))
}
