//! The registries of one run: where each is, what is believed there, and whom to be.
//!
//! A registry that is a context's is asked as who is signed in there; any other as the files of podman and docker say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use wharf_client::credentials::Credentials;
use wharf_client::registry::{Address, Credential, Endpoint, Identity, Registry, Repository, Trust};
use wharf_oci::{ImageName, Reference, Tag};

use crate::certificates::Certificates;
use crate::contexts::{Context, Contexts, Store};
use crate::place::AtRegistry;
use crate::registries::{Registries, Short, Spot};
use crate::session::Session;
use crate::{Error, Result, environment};

/// How registries are spoken to; the words of podman and skopeo.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Access {
    /// File with sign-ins for registries [default: those of podman and docker]
    #[arg(long, value_name = "FILE", help_heading = "Registries")]
    pub(crate) authfile: Option<PathBuf>,
    /// Folder with certificates to trust (*.crt) and to show (*.cert, *.key) [default: certs.d]
    #[arg(long, value_name = "FOLDER", help_heading = "Registries")]
    pub(crate) cert_dir: Option<PathBuf>,
    /// Look at certificates; =false takes any, and plain http
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        help_heading = "Registries"
    )]
    pub(crate) tls_verify: Option<bool>,
}

/// See the module.
pub(crate) struct Reach {
    access: Access,
    conf: Registries,
    contexts: Contexts,
    store: Store,
    asked: Option<String>,
    /// By host, by repository where sign-ins may be for parts of the registry, and by whether anybody is believed there.
    open: Mutex<BTreeMap<(String, String, bool), Registry>>,
}

impl Reach {
    /// Reads the files, asks nobody.
    pub(crate) fn new(session: &Session, access: Access) -> Result<Self> {
        Ok(Self {
            access,
            conf: environment::registries_files().read()?,
            contexts: session.store.contexts()?,
            store: session.store.clone(),
            asked: session.asked.clone(),
            open: Mutex::default(),
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
            Ok(name) => return Ok(on(image, &address(self.contexts.get(&name)?)?.host())),
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
            Ok(name) => Some(address(self.contexts.get(&name)?)?.host()),
            Err(Error::NotSignedIn(_)) => None,
            Err(error) => return Err(error),
        };
        let mut all: Vec<String> = own.into_iter().collect();
        all.extend(self.conf.searched().iter().filter(|host| !all.contains(host)).cloned().collect::<Vec<_>>());
        Ok(all)
    }

    fn repository(&self, spot: &Spot) -> Result<Repository> {
        let host = spot.image.host.clone().unwrap_or_default();
        let (context, insecure) = self.trusting(&host, spot.insecure)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let part = if context.is_some() { String::new() } else { spot.image.name.asked().to_owned() };
        let key = (host.clone(), part, insecure);
        if let Some(registry) = open.get(&key) {
            return Ok(registry.repository(&spot.image.name));
        }
        let registry = Registry::new(self.endpoint(&host, context, insecure)?, self.credential(context, &spot.image)?)?;
        let repository = registry.repository(&spot.image.name);
        open.insert(key, registry);
        Ok(repository)
    }

    /// The context of a host, and whether anybody is believed there: as the command line says, else as either file does.
    fn trusting(&self, host: &str, insecure: bool) -> Result<(Option<(&String, &Context)>, bool)> {
        let mut found = None;
        for (name, context) in &self.contexts.known {
            let is_meant = self.contexts.meant(self.asked.as_deref()).is_ok_and(|meant| meant == *name);
            if address(context)?.host() == host && (found.is_none() || is_meant) {
                found = Some((name, context));
            }
        }
        let configured = insecure || found.is_some_and(|(_, context)| context.insecure);
        Ok((found, self.access.tls_verify.map_or(configured, |verify| !verify)))
    }

    fn endpoint(&self, host: &str, context: Option<(&String, &Context)>, insecure: bool) -> Result<Endpoint> {
        let address = match context {
            Some((_, context)) => address(context)?,
            None => Address::parse(api_host(host), true)?,
        };
        let certificates = match &self.access.cert_dir {
            Some(folder) => Certificates::in_folder(folder)?,
            None => Certificates::of(host, &environment::certificate_folders())?,
        };
        let mut authorities = certificates.authorities;
        authorities.extend(context.and_then(|(_, context)| context.ca.clone()));
        let identity = certificates.client.map(|(certificate, key)| Identity { certificate, key });
        let trust = Trust { authorities, identity, insecure };
        Ok(Endpoint { trust, or_http: insecure, ..Endpoint::new(address) })
    }

    /// The context's sign-in, unless a file is named; else what podman and docker know.
    fn credential(&self, context: Option<(&String, &Context)>, image: &ImageName) -> Result<Credential> {
        if let (Some((name, _)), None) = (context, &self.access.authfile)
            && let Some(kept) = self.store.kept(name)?
        {
            return Ok(kept.credential());
        }
        let credentials = Credentials::new(environment::sign_ins(self.access.authfile.clone()));
        let found = credentials.find(image.host.as_deref().unwrap_or_default(), image.name.asked())?;
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

/// Docker Hub has two names, and calls one-component names `library/…`.
fn of_hub(image: ImageName) -> Result<ImageName> {
    if !matches!(image.host.as_deref(), Some(ImageName::DOCKER_HUB | "index.docker.io")) {
        return Ok(image);
    }
    let name = named(image.name.as_str())?.name;
    Ok(ImageName { host: Some(ImageName::DOCKER_HUB.into()), name, ..image })
}

/// Docker Hub's images are served under another name than they have.
fn api_host(host: &str) -> &str {
    if host == ImageName::DOCKER_HUB { "registry-1.docker.io" } else { host }
}

fn address(context: &Context) -> Result<Address> {
    Ok(Address::parse(&context.server, false)?)
}

#[cfg(test)]
mod tests;
