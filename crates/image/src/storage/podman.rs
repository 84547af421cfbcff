//! What podman itself is asked for: layers whose files only its user namespace may read, images that it keeps in a form
//! that is not known here, and to take images in.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Places;
use crate::archive::OciDestination;
use crate::layout::Layout;
use crate::temporary::Temporary;
use crate::{Error, Given, Handed, Result};

/// How podman is run.
#[derive(Clone, Debug)]
pub struct Podman {
    /// `podman`, and what tells it which storage.
    pub command: Vec<OsString>,
    /// For who is not root: this program, so that `PROGRAM… DRIVER LAYER ROOT…` writes the tar of a layer to standard
    /// output ([`super::Storage::write_layer`]). It is run by `podman unshare`.
    pub layer_writer: Option<Vec<OsString>>,
    /// Where an image is written to that podman has to save: it needs room for all of it.
    pub temporary: Temporary,
}

impl Podman {
    pub(super) fn is_needed_to_read(&self) -> bool {
        self.layer_writer.is_some()
    }

    /// The tar of a layer, read as podman's containers see it.
    pub(super) fn layer(&self, places: &Places, id: &str) -> io::Result<Box<dyn Read + Send>> {
        let mut arguments: Vec<OsString> = vec!["unshare".into()];
        arguments.extend(self.layer_writer.iter().flatten().cloned());
        arguments.extend([OsString::from(&places.driver), id.into()]);
        arguments.extend(places.roots.iter().map(OsString::from));
        Ok(Box::new(Output::of(self.command(arguments))?))
    }

    fn command(&self, arguments: impl IntoIterator<Item = OsString>) -> Command {
        let mut words = self.command.iter();
        let mut command = Command::new(words.next().map_or_else(|| "podman".into(), OsString::clone));
        command.args(words).args(arguments).stdin(Stdio::null());
        command
    }

    /// The image as podman saves it. `reason` says why it has to.
    pub(super) fn save(&self, id: &str, reason: &str) -> Result<Given> {
        let failed = |error: io::Error| Error::Foreign(format!("{reason}; and {error}"));
        let folder = self.temporary.folder()?;
        let layout = folder.path().join("image");
        let mut arguments: Vec<OsString> =
            ["save", "--format", "oci-dir", "--uncompressed", "--output"].map(OsString::from).into();
        arguments.extend([layout.clone().into(), id.into()]);
        let mut output = Output::of(self.command(arguments)).map_err(failed)?;
        io::copy(&mut output, &mut io::sink()).map_err(failed)?;
        Ok(Given::new(Box::new(Layout::open(&layout)?.source(None)?), folder))
    }

    /// An image on its way into podman's storage. `name` is what podman will call it, in full: `localhost/team/app:v1`.
    pub fn destination(&self, name: &str) -> Result<Handed> {
        // It takes a file with an OCI layout, and keeps the name that is in it.
        let begin = |file: &Path| OciDestination::new(file, Some(name), &self.temporary);
        let mut command = self.command(["load", "--quiet"].map(OsString::from));
        let take = move |archive| {
            command.stdin(archive);
            io::copy(&mut Output::of(command)?, &mut io::sink()).map(drop)
        };
        Handed::new("podman", self.temporary.folder()?, begin, take)
    }
}

/// What a program writes: it ends well only when the program does.
struct Output {
    name: String,
    child: Child,
    stdout: ChildStdout,
    stderr: File,
}

impl Output {
    fn of(mut command: Command) -> io::Result<Self> {
        let arguments = command.get_args().take(2).map(|word| word.to_string_lossy());
        let name = format!("{} {}", command.get_program().to_string_lossy(), arguments.collect::<Vec<_>>().join(" "));
        let stderr = tempfile::tempfile()?;
        command.stdout(Stdio::piped()).stderr(stderr.try_clone()?);
        let mut child = command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        Ok(Self { name, child, stdout, stderr })
    }

    /// Waits for its end.
    fn end(&mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("{} failed ({status}): {}", self.name, said(&mut self.stderr))))
    }
}

/// From its last `Error:` on, which may have lines of its own below it; else the last line.
pub(super) fn said(stderr: &mut File) -> String {
    const LONGEST: u64 = 64 << 10;
    let mut bytes = Vec::new();
    // Without its words, that it failed is what can be told.
    let _ = stderr.rewind().and_then(|()| stderr.take(LONGEST).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let start = lines.iter().rposition(|line| line.starts_with("Error")).unwrap_or(lines.len().saturating_sub(1));
    lines[start..].join(" ")
}

impl Read for Output {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.stdout.read(into)?;
        if read == 0 && !into.is_empty() {
            self.end()?;
        }
        Ok(read)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
