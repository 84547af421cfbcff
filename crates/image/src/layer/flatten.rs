//! One tar file of what is left of several.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::tree::{File, Tree};
use crate::error::{Error, Result};
use crate::tar::{Entry, Kind, Reader, TreePath, Writer};

/// What has content, and its names, by where the content is: layer and entry.
type Files<'a> = BTreeMap<(usize, usize), (&'a File, Vec<&'a TreePath>)>;

/// Writes a tree, whose content is read again from the layers that it was made of: `open(n)` is the layer that was put in
/// after `n` others. Folders come first, then what has no content, then files in the order of the layers.
pub(super) fn flatten<R: Read>(
    tree: &Tree,
    open: &mut dyn FnMut(usize) -> Result<Reader<R>>,
    out: impl Write,
) -> Result<()> {
    let mut writer = Writer::new(Outgoing(out));
    let mut rest: Files<'_> = BTreeMap::new();
    for (path, file) in tree.iter() {
        if file.kind == Kind::Directory {
            append(&mut writer, &file.kind, file, path, &mut io::empty())?;
        } else {
            rest.entry(file.id).or_insert_with(|| (file, Vec::new())).1.push(path);
        }
    }
    let (mut files, others): (Files<'_>, Files<'_>) =
        rest.into_iter().partition(|(_, (file, _))| file.kind == Kind::File);
    for (file, names) in others.into_values() {
        append_all(&mut writer, file, &names, &mut io::empty())?;
    }
    for layer in 0..tree.layers() {
        let later = files.split_off(&(layer + 1, 0));
        if !files.is_empty() {
            write_layer(&mut writer, layer, &mut open(layer)?, &files)?;
        }
        files = later;
    }
    writer.finish().map(drop).map_err(Error::incoming)
}

fn write_layer<R: Read>(
    writer: &mut Writer<impl Write>,
    number: usize,
    layer: &mut Reader<R>,
    files: &Files<'_>,
) -> Result<()> {
    let mut at = 0;
    let mut left = files.len();
    while let Some(entry) = layer.next()? {
        if let Some((file, names)) = files.get(&(number, at)) {
            if entry.kind != Kind::File || entry.size != file.size {
                return Err(changed(number));
            }
            append_all(writer, file, names, layer)?;
            left -= 1;
        }
        at += 1;
    }
    if left == 0 { Ok(()) } else { Err(changed(number)) }
}

fn changed(number: usize) -> Error {
    let place = format!("layer {}", number + 1);
    Error::Damaged { place, reason: "it changed while it was read".to_owned() }
}

/// Under its first name, and the others as links to that.
fn append_all(writer: &mut Writer<impl Write>, file: &File, names: &[&TreePath], content: &mut dyn Read) -> Result<()> {
    let [first, others @ ..] = names else { return Ok(()) };
    append(writer, &file.kind, file, first, content)?;
    for other in others {
        append(writer, &Kind::HardLink((*first).clone()), file, other, &mut io::empty())?;
    }
    Ok(())
}

fn append(
    writer: &mut Writer<impl Write>,
    kind: &Kind,
    file: &File,
    path: &TreePath,
    content: &mut dyn Read,
) -> Result<()> {
    let entry = Entry { path: path.clone(), kind: kind.clone(), size: file.size, attributes: file.attributes.clone() };
    writer.append(&entry, content).map_err(Error::incoming)
}

/// Tells failures of where the tree goes from those of where it comes from.
struct Outgoing<W>(W);

impl<W: Write> Write for Outgoing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(outgoing)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(outgoing)
    }
}

fn outgoing(error: io::Error) -> io::Error {
    // What is only to be tried again stays what it is.
    if error.kind() == io::ErrorKind::Interrupted { error } else { io::Error::other(Error::Outgoing(error)) }
}
