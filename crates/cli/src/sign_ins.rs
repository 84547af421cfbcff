//! Sign-ins at servers of ours: what they give for a password, and how that ends.
//!
//! What a server gave stays good until it is told: whatever forgets a sign-in or keeps another in its place ends it there
//! too. A server that is away keeps nobody from either.

use std::path::PathBuf;

use wharf_api::paths;
use wharf_client::Secret;
use wharf_client::server::{Address, Call, Door, Error as ServerError, Server, WireError};
use wharf_oci::{Algorithm, Digest};

use crate::contexts::{Contexts, Kept, Kind, trust};
use crate::output::note;
use crate::session::open;
use crate::{Error, Result};

/// The server at an address as people give it. One on this machine without a scheme may speak http: so it is taken when it
/// does not answer by TLS, as with images.
pub(crate) async fn server_at(given: &str, ca: Option<&PathBuf>, insecure: bool) -> Result<Server> {
    let address = Address::parse(given, ca.is_some())?;
    let trust = trust(&address.host(), ca, insecure)?;
    let by_tls = Address::parse(given, true)?;
    if by_tls != address {
        let server = Server::new(by_tls, &trust)?;
        match server.is_ours().await {
            Err(ServerError::Wire(WireError::Unreachable { is_distrusted: false, .. })) => {}
            _ => return Ok(server),
        }
    }
    Ok(Server::new(address, &trust)?)
}

/// How the server wants to be asked, for a sign-in.
pub(crate) async fn door(server: &Server) -> Result<Door> {
    Ok(match server.door().await? {
        // One that lets anybody in at `/v2/` does not say where its tokens are; ours are always there.
        Door::Open => Door::Token { realm: format!("{}/token", server.address()), service: "wharf".into() },
        door => door,
    })
}

/// A server that is signed in to by a password, and what to keep of that: what it gives for the password, or the password
/// where it gives nothing.
pub(crate) async fn by_password(server: Server, door: &Door, user: String, password: Secret) -> Result<(Server, Kept)> {
    let password = Kept { user, kind: Kind::Password, secret: password };
    let server = server.signed_in(password.credential()).behind(door.clone());
    if *door == Door::Basic {
        return Ok((server, password));
    }
    let access = server.access_token(door, &["registry:api:*"], true).await.map_err(refused)?;
    let kept = match access.refresh_token {
        Some(token) => Kept { kind: Kind::RefreshToken, secret: token, ..password },
        None => password,
    };
    Ok((server.signed_in(kept.credential()), kept))
}

/// Without advice to sign in: that is what was tried.
pub(crate) fn refused(error: ServerError) -> Error {
    match error {
        ServerError::SignInNeeded { server, said, .. } => Error::NotSignedIn(format!("{server}: {said}")),
        error => Error::Server(error),
    }
}

/// Ends it on the server. An API token was made by itself, and lives on.
pub(crate) async fn end(server: &Server, kept: &Kept) -> Result<()> {
    if kept.kind == Kind::RefreshToken {
        let id = session_id(kept.secret.expose());
        server.call::<serde_json::Value>(Call::delete(paths::own_session(&id))).await?;
    }
    Ok(())
}

/// The same of one that another took the place of, or that is forgotten here: it may be over already, and what hinders is
/// told and no failure.
pub(crate) async fn end_former(server: Server, former: &Kept) {
    match end(&server.signed_in(former.credential()), former).await {
        Ok(()) | Err(Error::Server(ServerError::SignInNeeded { .. })) => {}
        Err(Error::Server(ServerError::Refused(refusal))) if refusal.status.as_u16() == 404 => {}
        Err(error) => not_ended(&error),
    }
}

/// The same of what was kept for a context.
pub(crate) async fn end_of(contexts: &Contexts, context: &str, former: Result<Option<Kept>>) {
    match former.and_then(|former| former.map(|former| Ok((open(contexts, context)?, former))).transpose()) {
        Ok(Some((server, former))) => end_former(server, &former).await,
        Ok(None) => {}
        Err(error) => not_ended(&error),
    }
}

pub(crate) fn not_ended(error: &Error) {
    note(&format!("wharf: the earlier sign-in could not be ended on the server: {error}"));
}

/// What the server calls the sign-in that a refresh token stands for: the SHA-256 of it, which is all that it keeps.
pub(crate) fn session_id(token: &str) -> String {
    Digest::of(Algorithm::Sha256, token.as_bytes()).hex().to_owned()
}
