//! Names become addresses here and nowhere else, and what leaves here has been checked: the connection is made to
//! that very address, so a name that answers differently the next time gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Allowed, Error};

/// Looks a name up: the system, or a test.
pub(super) type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync>;

/// As the system resolves names.
pub(super) fn system() -> Lookup {
    Arc::new(|host: String| {
        async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    })
}

/// Resolves to addresses that may be gone to.
pub(super) struct Guarded {
    pub(super) lookup: Lookup,
    pub(super) allowed: Arc<Allowed>,
    /// Only where the operator allowed the network: what is sent can be read on the way.
    pub(super) in_clear: bool,
}

impl Guarded {
    /// Why not to go to `address`, which `host` is or resolves to.
    pub(super) fn check(&self, host: &str, address: IpAddr) -> Result<(), Error> {
        let host = host.to_owned();
        match self.allowed.refuses(address) {
            Some(what) => Err(Error::Refused { host, address, what }),
            None if self.in_clear && !self.allowed.contains(address) => Err(Error::InClear { host }),
            None => Ok(()),
        }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let guarded =
            Self { lookup: Arc::clone(&self.lookup), allowed: Arc::clone(&self.allowed), in_clear: self.in_clear };
        async move {
            let found = (guarded.lookup)(host.clone()).await;
            let found = found.map_err(|error| Error::Unresolved { host: host.clone(), reason: error.to_string() })?;
            let mut refused = Error::Unresolved { host: host.clone(), reason: "it has no address".into() };
            let mut checked = vec![];
            for address in found {
                match guarded.check(&host, address) {
                    Ok(()) => checked.push(SocketAddr::new(address, 0)),
                    Err(error) => refused = error,
                }
            }
            if checked.is_empty() {
                return Err(Box::new(refused) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(checked.into_iter()) as Addrs)
        }
        .boxed()
    }
}
