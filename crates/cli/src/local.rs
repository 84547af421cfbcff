//! Images that podman keeps on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf_image::Source;
use wharf_image::storage::{Places, Storage};
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

/// Where the image lies that is to be pushed under a name, when nobody says: by that name or as `localhost/…`, which is
/// what podman calls what is built here, or without any host; in podman's storage, in a folder of that name.
pub(crate) async fn found_as(image: &ImageName) -> Result<Place> {
    let names = names_of(image);
    let mut looked = vec![];
    match in_storage(names.clone()).await {
        Ok(Some(name)) => return Ok(Place::Podman(name)),
        Ok(None) => looked.push("podman has none".to_owned()),
        Err(error) => looked.push(format!("podman's images cannot be looked at ({error})")),
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

#[cfg(test)]
mod tests;
