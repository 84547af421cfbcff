//! Which images there are at a source, and what each is called where it goes.

use std::path::{Path, PathBuf};

use wharf_image::archive::{DockerArchive, Limits};
use wharf_image::layout::{Layout, REF_NAME, repository_of};
use wharf_oci::{ImageName, Tag};

use super::Filter;
use crate::listing::is_of_programs;
use crate::place::{AtRegistry, Place};
use crate::reach::Reach;
use crate::stream::blocking;
use crate::{Error, Result, environment};

/// Folders in folders that are looked through for images.
const DEEPEST: usize = 16;

/// One image to carry.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) place: Place,
    /// What it is called where it goes.
    pub(crate) name: String,
}

impl Item {
    /// Where it goes.
    pub(crate) fn repository(&self) -> &str {
        repository_of(&self.name).unwrap_or(&self.name)
    }

    /// A tag that programs made for an image, and not one of its names.
    pub(crate) fn is_of_programs(&self) -> bool {
        self.name.rsplit_once(':').is_some_and(|(_, tag)| is_of_programs(tag))
    }
}

/// A repository to carry: what of it is meant, and what of that there is.
pub(crate) struct Whole {
    /// What it is called where it goes.
    pub(crate) name: String,
    pub(crate) filter: Filter,
    pub(crate) tags: Vec<String>,
}

/// The images of one place.
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    /// What may be pruned by, if it is a whole repository.
    pub(crate) whole: Option<Whole>,
}

/// The images of a repository, or the one that is named.
pub(crate) async fn of_repository(reach: &Reach, at: &AtRegistry, filter: Filter, scoped: bool) -> Result<Found> {
    let full = reach.full(at)?;
    let item = |image: ImageName| Item { name: named(&image.to_string(), scoped), place: registry(image) };
    if full.tag.is_some() || full.digest.is_some() {
        return Ok(Found { items: vec![item(full)], whole: None });
    }
    let tags: Vec<String> = match filter.named() {
        Some(named) => named.to_vec(),
        // The registry's own list: a mirror may have less.
        None => reach.to_write(&full)?.tags().await?.into_iter().filter(|tag| filter.has(tag)).collect(),
    };
    let items = tags.iter().map(|tag| with(&full, tag).map(item)).collect::<std::result::Result<_, _>>();
    let items = items.map_err(|problem: String| match filter.named() {
        Some(_) => Error::Usage(format!("{full}: {problem}")),
        None => Error::Failed(format!("{full}: its registry lists what is no tag: {problem}")),
    })?;
    let whole = Whole { name: named(&full.to_string(), scoped), filter, tags };
    Ok(Found { items, whole: Some(whole) })
}

/// What a repository is called where it goes.
pub(crate) fn repository_name(reach: &Reach, at: &AtRegistry, scoped: bool) -> Result<String> {
    Ok(named(&reach.full(at)?.to_string(), scoped))
}

fn registry(image: ImageName) -> Place {
    Place::Registry(AtRegistry { image, is_docker: false })
}

/// An image of the repository, by tag or digest.
fn with(repository: &ImageName, text: &str) -> std::result::Result<ImageName, String> {
    if text.contains(':') {
        let digest = text.parse().map_err(|error: wharf_oci::DigestError| error.to_string())?;
        return Ok(ImageName { digest: Some(digest), ..repository.clone() });
    }
    let tag = text.parse().map_err(|error: wharf_oci::TagError| error.to_string())?;
    Ok(ImageName { tag: Some(tag), ..repository.clone() })
}

/// The last part alone, unless names are to be whole.
fn named(full: &str, scoped: bool) -> String {
    if scoped { full.to_owned() } else { full.rsplit('/').next().unwrap_or(full).to_owned() }
}

/// The `dir:` images below a folder, or in it.
pub(crate) async fn of_folders(path: &Path, scoped: bool) -> Result<Vec<Item>> {
    let root = path.to_owned();
    let found = blocking(move || {
        let mut found = vec![];
        look(&root, DEEPEST, &mut found)?;
        found.sort();
        Ok(found)
    });
    let item = |folder: PathBuf| {
        let below = folder.strip_prefix(path).unwrap_or(&folder);
        let below = if below.as_os_str().is_empty() { Path::new(path.file_name().unwrap_or_default()) } else { below };
        let name = named(&below.to_string_lossy(), scoped);
        Item { place: Place::Folder(folder), name }
    };
    Ok(found.await?.into_iter().map(item).collect())
}

fn look(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if folder.join("manifest.json").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(Error::file(folder))? {
        let entry = entry.map_err(Error::file(folder))?;
        // A link could lead round in circles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            look(&entry.path(), depth - 1, found)?;
        }
    }
    Ok(())
}

/// The images of a layout that have names; one that is no image's name is taken for a tag. A tag that programs made for an
/// image of no repository is none of the folder's repository either: it goes along with its image, or stays.
pub(crate) async fn of_layout(path: &Path, scoped: bool) -> Result<Vec<Item>> {
    let root = path.to_owned();
    let entries = blocking(move || Ok(Layout::open(root)?.entries()?)).await?;
    let folder = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let item = |name: &String| {
        let full = if repository_of(name).is_some() { name.clone() } else { format!("{folder}:{name}") };
        let place = Place::Layout { path: path.to_owned(), name: Some(name.clone()) };
        Item { place, name: named(&full, scoped) }
    };
    let names = entries.iter().filter_map(|entry| entry.annotations.get(REF_NAME));
    Ok(names.filter(|name| !is_of_programs(name)).map(item).collect())
}

/// The images of an archive that have names, by the first of them.
pub(crate) async fn of_archive(path: &Path, scoped: bool) -> Result<Vec<Item>> {
    let file = path.to_owned();
    let names = blocking(move || {
        let archive = DockerArchive::open(&file, &Limits::usual(environment::temporary()))?;
        Ok(archive.names().filter_map(|names| names.first().cloned()).collect::<Vec<String>>())
    });
    let item = |image: String| {
        let name = named(&image, scoped);
        Item { place: Place::DockerArchive { path: path.to_owned(), image: Some(image) }, name }
    };
    Ok(names.await?.into_iter().map(item).collect())
}

/// Tags of `name`, of which these are `there`, that a filter covers and the source has no more. What programs made stays;
/// so does everything where the source has nothing of what is meant, unless that is meant too (`or_all`).
pub(crate) fn outdated(wholes: &[Whole], name: &str, there: &[String], or_all: bool) -> Vec<Tag> {
    let counts = |whole: &&Whole| whole.name == name && (or_all || !whole.tags.is_empty());
    let wholes: Vec<&Whole> = wholes.iter().filter(counts).collect();
    let is_gone = |tag: &&String| {
        let is_covered = wholes.iter().any(|whole| whole.filter.has(tag));
        is_covered && !is_of_programs(tag) && !wholes.iter().any(|whole| whole.tags.contains(tag))
    };
    there.iter().filter(is_gone).filter_map(|tag| tag.parse().ok()).collect()
}
