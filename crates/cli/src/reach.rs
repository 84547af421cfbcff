//! The registries of one run: where each is, what is believed there, and whom to be.
//!
//! A registry that is a context's is asked as who is signed in there; any other as the files of podman and docker say.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use tokio::sync::OnceCell;
use wharf_client::credentials::{Credentials, Login, Source};
use wharf_client::registry::{
    Address, Credential, Endpoint, Identity, Registry, Repository, ResumeStore, Trust, Words,
};
use wharf_oci::{ImageName, Reference, Tag, hub};

use crate::certificates::Certificates;
use crate::contexts::{Context, Contexts, Store, Whose};
use crate::habits::Instead;
use crate::place::AtRegistry;
use crate::registries::{Registries, Short, Spot};
use crate::session::Session;
use crate::stream::blocking;
use crate::{Error, Result, environment};

/// How registries are spoken to; the words of podman and skopeo.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Access {
    /// Folder with certificates to trust (*.crt) and to show (*.cert, *.key) [default: certs.d]
    #[arg(long, value_name = "FOLDER", help_heading = "Registries")]
    pub(crate) cert_dir: Option<PathBuf>,
    /// File with sign-ins for registries, alone [default: the contexts, then those of podman and docker]
    #[arg(long, value_name = "FILE", help_heading = "Registries")]
    pub(crate) authfile: Option<PathBuf>,
    /// Be nobody there
    #[arg(long, conflicts_with = "authfile", help_heading = "Registries")]
    pub(crate) no_creds: bool,
    /// Look at certificates; =false takes any, and plain http [default: true, where this machine itself may speak http]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        help_heading = "Registries"
    )]
    pub(crate) tls_verify: Option<bool>,
    /// What is done anyway, said in skopeo's word
    #[arg(long, hide = true, value_name = "N")]
    pub(crate) retry_times: Option<u32>,
    /// No policy is checked here anyway
    #[arg(long, hide = true)]
    pub(crate) insecure_policy: bool,
    #[command(flatten)]
    pub(crate) instead: Instead,
    /// Whom to be, as a list of images says.
    #[arg(skip)]
    pub(crate) login: Option<Login>,
}

/// See the module.
pub(crate) struct Reach {
    access: Access,
    conf: Registries,
    contexts: Contexts,
    store: Store,
    asked: Option<String>,
    open: Mutex<Vec<Open>>,
    uploads: OnceCell<Option<ResumeStore>>,
}

/// A registry that was spoken to.
struct Open {
    host: String,
    /// Whether anybody is believed there.
    insecure: bool,
    /// Repositories of one registry may have sign-ins of their own.
    who: Credential,
    registry: Registry,
}

/// Where unfinished uploads are kept, without those that nobody goes on with.
async fn swept_uploads() -> Result<Option<ResumeStore>> {
    let Some(folder) = environment::state_folder() else { return Ok(None) };
    let store = ResumeStore::new(folder.join("uploads"));
    blocking(move || {
        store.sweep();
        Ok(Some(store))
    })
    .await
}

impl Reach {
    /// Where unfinished uploads are kept, if anywhere. Those that nobody goes on with are taken away once.
    pub(crate) async fn uploads(&self) -> Result<Option<ResumeStore>> {
        self.uploads.get_or_try_init(swept_uploads).await.cloned()
    }

    /// Reads the files, asks nobody.
    pub(crate) fn new(session: &Session, access: Access) -> Result<Self> {
        Ok(Self {
            access,
            conf: environment::registries_files().read()?,
            contexts: session.store.contexts()?,
            store: session.store.clone(),
            asked: session.asked.clone(),
            open: Mutex::default(),
            uploads: OnceCell::new(),
        })
    }

    /// The name with its registry.
    pub(crate) fn full(&self, at: &AtRegistry) -> Result<ImageName> {
        let image = match (&at.image.host, at.is_docker) {
            (Some(_), _) => at.image.clone(),
            // Aliases do not count there, as with skopeo.
            (None, true) => on(&at.image, ImageName::DOCKER_HUB),
            (None, false) => self.of_context(&at.image)?,
        };
        of_hub(image)
    }

    /// A name without a registry is one of the context's; without any context, what registries.conf makes of it.
    fn of_context(&self, image: &ImageName) -> Result<ImageName> {
        let missing = match self.contexts.meant(self.asked.as_deref()) {
            Ok(name) => return Ok(on(image, &self.contexts.get(&name)?.address()?.host())),
            Err(Error::NotSignedIn(said)) => said,
            Err(error) => return Err(error),
        };
        match self.conf.short(image)? {
            Short::Known(image) => Ok(image),
            Short::OneOf(images) => {
                let images: Vec<String> = images.iter().map(ToString::to_string).collect();
                Err(Error::Usage(format!("{image} may be any of {}: write which", images.join(", "))))
            }
            Short::Unknown => Err(Error::NotSignedIn(format!("{image} names no registry, and {missing}"))),
        }
    }

    /// The repository to write to.
    pub(crate) fn to_write(&self, image: &ImageName) -> Result<Repository> {
        self.repository(&self.conf.write_to(image)?)
    }

    /// The repositories to read from, best first, and what to ask each for.
    pub(crate) fn to_read(&self, image: &ImageName) -> Result<Vec<(Repository, Reference)>> {
        let spots = self.conf.read_from(image)?;
        spots.iter().map(|spot| Ok((self.repository(spot)?, reference(&spot.image)?))).collect()
    }

    /// The registry itself.
    pub(crate) fn registry(&self, host: &str) -> Result<Registry> {
        // Any name will do: entries for parts of a registry say nothing of the whole.
        let image = ImageName { host: Some(host.into()), ..named("a")? };
        self.repository(&self.conf.write_to(&image)?).map(|repository| repository.registry())
    }

    /// The same, for its search: Docker Hub's has an address of its own.
    pub(crate) fn searching(&self, host: &str) -> Result<Registry> {
        self.registry(if host == ImageName::DOCKER_HUB { "index.docker.io" } else { host })
    }

    /// The registries to search when none is named: the context's, and those that registries.conf searches.
    pub(crate) fn searched(&self) -> Result<Vec<String>> {
        let own = match self.contexts.meant(self.asked.as_deref()) {
            Ok(name) => Some(self.contexts.get(&name)?.address()?.host()),
            Err(Error::NotSignedIn(_)) => None,
            Err(error) => return Err(error),
        };
        let mut all: Vec<String> = own.into_iter().collect();
        all.extend(self.conf.searched().iter().filter(|host| !all.contains(host)).cloned().collect::<Vec<_>>());
        Ok(all)
    }

    fn repository(&self, spot: &Spot) -> Result<Repository> {
        let host = spot.image.host.clone().unwrap_or_default();
        let context = self.contexts.of_host(&host, self.asked.as_deref()).into_iter().next();
        let configured = spot.insecure || context.is_some_and(|(_, context)| context.insecure);
        let insecure = self.access.tls_verify.map_or(configured, |verify| !verify);
        let who = self.credential(&host, spot.image.name.asked(), context.map(|(name, _)| name))?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.iter().find(|open| open.host == host && open.insecure == insecure && open.who == who);
        if let Some(open) = known {
            return Ok(open.registry.repository(&spot.image.name));
        }
        let endpoint = self.endpoint(&host, context.map(|(_, context)| context), insecure)?;
        let registry = Registry::new(endpoint, who.clone())?;
        let repository = registry.repository(&spot.image.name);
        open.push(Open { host, insecure, who, registry });
        Ok(repository)
    }

    fn endpoint(&self, host: &str, context: Option<&Context>, insecure: bool) -> Result<Endpoint> {
        let address = match context {
            Some(context) => context.address()?,
            None => Address::parse(hub::api_of(host), true)?,
        };
        let certificates = match &self.access.cert_dir {
            Some(folder) => Certificates::in_folder(folder)?,
            None => Certificates::of(host, &environment::certificate_folders())?,
        };
        let mut authorities = certificates.authorities;
        authorities.extend(context.and_then(|context| context.ca.clone()));
        let identity = certificates.client.map(|(certificate, key)| Identity { certificate, key });
        let trust = Trust { authorities, identity, insecure, words: Words::Images };
        // On this machine nobody is on the way; `wharf auth login` and docker see it so, too.
        let is_here = context.is_none() && address.is_loopback() && self.access.tls_verify != Some(true);
        Ok(Endpoint { trust, or_http: insecure || is_here, ..Endpoint::new(address) })
    }

    /// Who to be: nobody, if that is said; as a list says, or a file that is named, and nobody else; else as who is signed
    /// in to the context, else as the files of podman and docker say.
    fn credential(&self, host: &str, name: &str, context: Option<&str>) -> Result<Credential> {
        if self.access.no_creds {
            return Ok(Credential::Anonymous);
        }
        if let Some(login) = &self.access.login {
            return Ok(login.credential());
        }
        let sources = match (&self.access.authfile, context) {
            (Some(file), _) => {
                // A name that was mistyped would otherwise ask as nobody.
                std::fs::metadata(file).map_err(Error::file(file))?;
                vec![Source::Containers(file.clone())]
            }
            (None, context) => {
                if let Some(context) = context
                    && let Some(kept) = self.store.kept(Whose::Context(context))?
                {
                    return Ok(kept.credential());
                }
                environment::sign_ins(self.conf.helpers())
            }
        };
        let found = Credentials::new(sources).find(host, name)?;
        Ok(found.map_or(Credential::Anonymous, |found| found.login.credential()))
    }
}

/// What to ask a registry for: a digest says more than the tag beside it.
pub(crate) fn reference(image: &ImageName) -> Result<Reference> {
    match (&image.digest, &image.tag) {
        (Some(digest), _) => Ok(Reference::Digest(digest.clone())),
        (None, Some(tag)) => Ok(Reference::Tag(tag.clone())),
        (None, None) => latest().map(Reference::Tag),
    }
}

/// What is meant where nothing is said.
pub(crate) fn latest() -> Result<Tag> {
    ImageName::DEFAULT_TAG.parse().map_err(|error: wharf_oci::TagError| Error::Failed(error.to_string()))
}

fn named(name: &str) -> Result<ImageName> {
    name.parse().map_err(|error: wharf_oci::ImageNameError| Error::Usage(error.to_string()))
}

fn on(image: &ImageName, host: &str) -> ImageName {
    ImageName { host: Some(host.to_owned()), ..image.clone() }
}

/// Docker Hub has several names, and calls one-component names `library/…`.
fn of_hub(image: ImageName) -> Result<ImageName> {
    if !image.host.as_deref().is_some_and(hub::is_it) {
        return Ok(image);
    }
    let name = named(image.name.as_str())?.name;
    Ok(ImageName { host: Some(ImageName::DOCKER_HUB.into()), name, ..image })
}

#[cfg(test)]
mod tests;
