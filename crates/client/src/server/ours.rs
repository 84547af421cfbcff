//! Whether a server is one of ours at all.

use wharf_api::paths;

use super::{Error, LARGEST, Server};
use crate::wire::Again;

impl Server {
    /// Whether it has our admin API, which other registries have not. Nothing is shown to it.
    pub async fn is_ours(&self) -> Result<bool, Error> {
        let url = self.address.at(&paths::whoami());
        let reply = self.transport.send(Again::Yes, LARGEST, |http| http.get(&url)).await?;
        if let Some(error) = self.speaks_tls(&reply) {
            return Err(error);
        }
        let kind = reply.header("content-type").unwrap_or_default();
        // Ours answers with the object to whom it knows, and with a problem (RFC 9457) to all others.
        Ok(kind.starts_with("application/problem+json") || (reply.status.is_success() && kind.contains("json")))
    }
}
