//! Images that other engines keep on this machine: podman's and docker's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf_client::docker::{self, Engine};
use wharf_image::archive::{DockerArchive, DockerDestination, Limits, OciArchive};
use wharf_image::storage::{Places, Storage};
use wharf_image::{Destination, Given, Handed, Source};
use wharf_oci::ImageName;

use crate::place::Place;
use crate::stream::blocking;
use crate::{Error, Result, environment};

/// An image of podman's storage, by a name as people write it. `[DRIVER@FOLDER]` before it says which storage, as in
/// containers-transports(5).
pub(crate) fn in_podman(written: &str) -> Result<Arc<dyn Source>> {
    let (storage, name) = storage_of(written)?;
    for name in spellings(name) {
        if let Some(found) = storage.find(&name)? {
            return Ok(found.open()?.into());
        }
    }
    Err(Error::NotFound(format!("podman has no image {name}; podman images lists those that it has")))
}

/// The storage that is meant, and the rest.
fn storage_of(written: &str) -> Result<(Storage, &str)> {
    let mut podman = environment::podman();
    let Some((which, name)) = written.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return Ok((usual()?, written));
    };
    let (driver, folder) = which.split_once('@').unwrap_or(("", which));
    let folder = folder.split(['+', ':']).next().unwrap_or_default();
    if !Path::new(folder).is_absolute() {
        return Err(Error::Usage(format!("[{which}] names no storage: expected [DRIVER@/FOLDER] or [/FOLDER]")));
    }
    let mut places = Places::at(folder.into());
    if !driver.is_empty() {
        driver.clone_into(&mut places.driver);
    }
    let options = ["--root", folder, "--storage-driver", &places.driver].map(Into::into);
    podman.command.extend(options);
    Ok((Storage::new(places, podman), name))
}

fn usual() -> Result<Storage> {
    let places = Places::find(&environment::storage_surroundings())?;
    let places = places.ok_or_else(|| Error::Failed("there is no home folder to find podman's storage in".into()))?;
    Ok(Storage::new(places, environment::podman()))
}

/// What a name may be called in the storage, which knows full names only: as it is written; else what podman calls what
/// is built here, and what comes from Docker Hub.
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    if let Ok(image) = name.parse::<ImageName>()
        && image.host.is_none()
    {
        all.push(format!("localhost/{name}"));
        all.push(image.spelt_out());
    }
    all
}

/// What podman is to have under a name. One without a host is Docker Hub's, as podman and skopeo read it.
pub(crate) fn into_podman(written: &str) -> Result<Box<dyn Destination>> {
    let (storage, name) = storage_of(written)?;
    let image: ImageName = name.parse().map_err(|error: wharf_oci::ImageNameError| Error::Usage(error.to_string()))?;
    Ok(Box::new(storage.podman().destination(&image.spelt_out())?))
}

/// Docker, where `DOCKER_HOST` says, else its context, else where it is usually.
fn docker() -> Result<Engine> {
    let (host, certificates) = environment::docker_host();
    let (folder, context) = environment::docker_context();
    let host = match (host, folder) {
        (Some(host), _) => Some(docker::Host::parse(&host, certificates.clone())?),
        (None, Some(folder)) => docker::Host::of_context(&folder, context.as_deref())?,
        (None, None) => None,
    };
    let usual = || docker::Host::parse(docker::Host::DEFAULT, certificates);
    Ok(Engine::new(host.map_or_else(usual, Ok)?)?)
}

/// An image of docker's, as docker saves it.
pub(crate) async fn in_docker(name: &str) -> Result<Arc<dyn Source>> {
    let engine = docker()?;
    if engine.find(name).await?.is_none() {
        return Err(Error::NotFound(format!("docker has no image {name}; docker images lists those that it has")));
    }
    let folder = blocking(|| Ok(environment::temporary().folder()?)).await?;
    let path = folder.path().join("image.tar");
    let mut write = tokio::fs::File::create(&path).await.map_err(Error::file(&path))?;
    let mut archive = engine.save(name).await?;
    let copied = tokio::io::copy(&mut archive, &mut write).await;
    copied.map_err(|error| Error::Failed(format!("docker did not give {name}: {error}")))?;
    tokio::io::AsyncWriteExt::flush(&mut write).await.map_err(Error::file(&path))?;
    let limits = Limits::usual(environment::temporary());
    blocking(move || Ok(Arc::new(Given::new(saved(&path, &limits)?, folder)) as Arc<dyn Source>)).await
}

/// What docker is to have under a name.
pub(crate) async fn into_docker(name: &str) -> Result<Box<dyn Destination>> {
    let name: ImageName = name.parse().map_err(|error: wharf_oci::ImageNameError| Error::Usage(error.to_string()))?;
    let (engine, runtime) = (docker()?, tokio::runtime::Handle::current());
    blocking(move || {
        let temporary = environment::temporary();
        let begin = |file: &Path| DockerDestination::new(file, std::slice::from_ref(&name), &temporary);
        let take = move |archive| {
            let loading = engine.load(tokio::fs::File::from_std(archive));
            runtime.block_on(loading).map(drop).map_err(std::io::Error::other)
        };
        Ok(Box::new(Handed::new("docker", temporary.folder()?, begin, take)?) as Box<dyn Destination>)
    })
    .await
}

/// Docker writes both forms into one file; in OCI's the manifests are those that it keeps, if it keeps any.
fn saved(file: &Path, limits: &Limits) -> Result<Box<dyn Source>> {
    if let Ok(archive) = OciArchive::open(file, limits)
        && archive.entries().len() == 1
    {
        return Ok(Box::new(archive.source(None)?));
    }
    Ok(Box::new(DockerArchive::open(file, limits)?.source(None)?))
}

/// Where the image lies that is to be pushed under a name, when nobody says: by that name or as `localhost/…`, which is
/// what podman calls what is built here, or without any host; in podman's storage, at docker, in a folder of that name.
pub(crate) async fn found_as(image: &ImageName) -> Result<Place> {
    let names = names_of(image);
    let mut looked = vec![];
    match in_storage(names.clone()).await {
        Ok(Some(name)) => return Ok(Place::Podman(name)),
        Ok(None) => looked.push("podman has none".to_owned()),
        Err(error) => looked.push(format!("podman's images cannot be looked at ({error})")),
    }
    match at_docker(&names).await {
        Ok(Some(name)) => return Ok(Place::Docker(name)),
        Ok(None) => looked.push("docker has none".to_owned()),
        Err(error) => looked.push(error.to_string()),
    }
    let folder = PathBuf::from(image.name.asked());
    if folder.join("oci-layout").is_file() {
        return Ok(Place::Layout { path: folder, name: image.tag.as_ref().map(ToString::to_string) });
    }
    looked.push(format!("there is no OCI layout in a folder {}", folder.display()));
    let names = names.join(" or ");
    Err(Error::NotFound(format!("no image {names} is on this machine: {}; say where it is: --from", looked.join(", "))))
}

fn names_of(image: &ImageName) -> Vec<String> {
    let bare = ImageName { host: None, ..image.clone() };
    let mut bare = bare.to_string();
    if image.tag.is_none() && image.digest.is_none() {
        bare = format!("{bare}:{}", ImageName::DEFAULT_TAG);
    }
    let hosts = image.host.iter().map(String::as_str).chain(["localhost"]);
    let mut names: Vec<String> = hosts.map(|host| format!("{host}/{bare}")).collect();
    names.push(bare);
    names
}

/// The first of these names that podman has an image by.
async fn in_storage(names: Vec<String>) -> Result<Option<String>> {
    blocking(move || {
        let storage = usual()?;
        for name in names {
            // A bare name is one of Docker Hub there, and would pass for the beginning of an id here.
            let full = name.parse().map_or_else(|_| name.clone(), |image: ImageName| image.spelt_out());
            if storage.find(&full)?.is_some() {
                return Ok(Some(full));
            }
        }
        Ok(None)
    })
    .await
}

/// The first of these names that docker has an image by.
async fn at_docker(names: &[String]) -> Result<Option<String>> {
    let engine = docker()?;
    for name in names {
        if engine.find(name).await?.is_some() {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
