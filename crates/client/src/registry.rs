//! Any registry, by the distribution specification: pull, push, lists, referrers.
//!
//! - What is given was checked: a manifest or blob has the digest that was asked for, or there is an error. Nothing that
//!   was cut is taken for whole.
//! - A credential goes to the registry and to the token endpoint it names, never elsewhere: not along redirects, not
//!   along upload locations on other hosts, not from https to http.
//! - Cut connections, 5xx and 429 are met by waiting and going on from where it was. Whoever answers could be anybody, so
//!   redirects, pages, challenges and repetitions are counted.

mod ask;
mod auth;
mod blobs;
mod content;
mod error;
mod lists;
mod manifests;
mod referrers;
mod setbacks;
mod upload;

use std::sync::Arc;

use http::Method;
use tokio::sync::OnceCell;
use wharf_oci::RepoName;

pub use crate::wire::{Address, Credential, Error as WireError, Identity, Patience, Refusal, Trust, Waiting, Words};
pub use blobs::Blob;
pub use content::{Content, Reader};
pub use error::Error;
pub use lists::Found;
pub use manifests::{Pushed, Stored};
pub use upload::{Landed, Push, ResumeStore};

use crate::wire::{Again, Transport};
use ask::Ask;
use auth::{Auth, LARGEST_HELLO, Needs};

type Result<T> = std::result::Result<T, Error>;

/// Bytes of a manifest, at most: what registries accept at least (distribution-spec §Pushing Manifests).
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// Where a registry is, and how it is to be spoken to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its address.
    pub address: Address,
    /// Whose certificates are believed, and which is shown.
    pub trust: Trust,
    /// Whether it may be spoken to by http when it has no https.
    pub or_http: bool,
    /// How long it is waited for.
    pub patience: Patience,
    /// Bytes that a manifest may have.
    pub largest_manifest: usize,
}

impl Endpoint {
    /// A registry there, trusted as the system trusts, never asked in clear unless the address says http.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            trust: Trust::default(),
            or_http: false,
            patience: Patience { longest_pause: std::time::Duration::from_mins(2), ..Patience::default() },
            largest_manifest: LARGEST_MANIFEST,
        }
    }
}

/// A registry, and who is asking. A clone shares connections and tokens.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    endpoint: Endpoint,
    transport: Transport,
    auth: Auth,
    /// The address that answers: the endpoint's own, or that without TLS.
    base: OnceCell<Address>,
}

/// One repository of a registry.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
    name: RepoName,
}

impl Registry {
    /// Connects to nothing yet. Fails when the certificates to trust or to show cannot be used.
    pub fn new(endpoint: Endpoint, credential: Credential) -> Result<Self> {
        // A connection for each transfer: where one is cut, the others go on, and TLS uses more than one core.
        let transport = Transport::new(endpoint.address.clone(), &endpoint.trust, endpoint.patience, true)?;
        Ok(Self(Arc::new(Shared { endpoint, transport, auth: Auth::new(credential), base: OnceCell::new() })))
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.0.endpoint.address
    }

    /// Tells `watch`, and nobody that was told before, each time that a request is to be sent again.
    pub fn watched_by(&self, watch: impl Fn(&Waiting) + Send + Sync + 'static) {
        self.0.transport.watched_by(watch);
    }

    /// One of its repositories, whether or not there is one of that name.
    pub fn repository(&self, name: &RepoName) -> Repository {
        Repository { shared: Arc::clone(&self.0), name: name.clone() }
    }

    /// Whether it is a registry and takes the credential.
    pub async fn ping(&self) -> Result<()> {
        let url = self.0.url("/v2/").await?;
        let needs = Needs::nothing();
        let ask = Ask::new(Method::GET, url, &needs);
        let heard = self.0.reply(&ask, None).await?;
        if heard.reply.status.is_success() { Ok(()) } else { Err(self.0.refused("/v2/ does not answer", None, &heard)) }
    }
}

impl Repository {
    /// As it is asked for.
    pub fn name(&self) -> &RepoName {
        &self.name
    }

    /// The registry that it is of.
    pub fn registry(&self) -> Registry {
        Registry(Arc::clone(&self.shared))
    }

    /// `host/name`, as images are named.
    pub fn place(&self) -> String {
        self.shared.place(Some(&self.name))
    }
}

impl Shared {
    /// `host/name`, or the host alone.
    fn place(&self, name: Option<&RepoName>) -> String {
        let host = self.endpoint.address.host();
        name.map_or_else(|| host.clone(), |name| format!("{host}/{}", name.asked()))
    }

    /// The address that answers. Only the first request finds out, and only where http is allowed at all.
    async fn base(&self) -> Result<&Address> {
        let address = &self.endpoint.address;
        if !self.endpoint.or_http || address.is_clear() {
            return Ok(self.base.get_or_init(|| async { address.clone() }).await);
        }
        self.base.get_or_try_init(|| self.find_base()).await
    }

    async fn find_base(&self) -> Result<Address> {
        let address = &self.endpoint.address;
        let ask = |address: &Address| {
            let url = address.at("/v2/");
            async move { self.transport.send(Again::No, LARGEST_HELLO, |http| http.get(&url)).await }
        };
        let error = match ask(address).await {
            Ok(reply) => {
                self.opened(address, &reply);
                return Ok(address.clone());
            }
            Err(error) => error,
        };
        // What answers by TLS is asked by nothing less.
        if !matches!(&error, WireError::Unreachable { is_distrusted: false, .. }) {
            return Err(error.into());
        }
        let clear = address.in_clear();
        let reply = ask(&clear).await.map_err(|_| error)?;
        self.opened(&clear, &reply);
        Ok(clear)
    }
}
