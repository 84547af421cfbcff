//! Names that files have in an image.

use std::path::{Component, Path};

use crate::tar::TreePath;

/// The name that a path gets: as it was written, if that leads downwards from here, else its last part. Errors with a
/// reason.
pub(super) fn of(path: &Path) -> Result<TreePath, String> {
    let parts: Vec<Component<'_>> = path.components().filter(|part| *part != Component::CurDir).collect();
    let is_below = parts.iter().all(|part| matches!(part, Component::Normal(_)));
    let named = if is_below { Some(path.as_os_str()) } else { path.file_name() };
    let Some(named) = named else {
        return Err("its name leads upwards: name it by where it lies".to_owned());
    };
    let text = named.to_str().ok_or("its name is not UTF-8, and names in images are")?;
    TreePath::parse(text.as_bytes())
}

/// A name that somebody else gave. Errors with a reason.
pub(super) fn parse(text: &str) -> Result<TreePath, String> {
    if text.starts_with('/') {
        return Err(format!("the name {text:?} is absolute"));
    }
    let path = TreePath::parse(text.as_bytes())?;
    if path.names().next().is_some_and(|name| name.starts_with(crate::disk::UNFINISHED.as_bytes())) {
        return Err(format!("the name {text:?} begins as names of unfinished files do"));
    }
    Ok(path)
}

/// As it is written into a manifest.
pub(super) fn text(title: &TreePath) -> String {
    if title.is_root() { ".".to_owned() } else { String::from_utf8_lossy(title.as_bytes()).into_owned() }
}
