//! `wharf copy` on its way: killed, interrupted, and measured.

mod damaged;
mod memory;
mod resuming;

use std::path::Path;

use wharf_e2e::{Ran, Sandbox, Wharf, binary};

/// A registry that images are carried to: what a client has to say to it.
struct Goal {
    sandbox: Sandbox,
    host: String,
    curl: String,
}

impl Goal {
    /// Wharfinger, by the way of `host`; somebody has signed in there.
    fn wharfinger(wharf: &Wharf, host: String) -> Self {
        let (sandbox, curl) = (Sandbox::of(wharf), format!("curl -sSf -u admin:'{}'", wharf.password()));
        let goal = Self { sandbox, host, curl };
        let login = Goal::line(&format!("auth login {} -u admin --password-stdin", goal.host));
        goal.sandbox.feed(wharf.password(), &login).ok();
        goal
    }

    fn line(arguments: &str) -> String {
        format!("{} {arguments}", binary().display())
    }

    fn copy_from(&self, layout: &str) -> String {
        Self::line(&format!("copy --dest-tls-verify=false oci:{layout} {}/team/large:v1", self.host))
    }

    /// Fails unless a blob is there, byte for byte.
    fn assert_same(&self, digest: &str, file: &Path) -> Ran {
        let url = format!("http://{}/v2/team/large/blobs/{digest}", self.host);
        self.sandbox.shell(&format!("{} -L {url} | cmp - {}", self.curl, file.display()))
    }

    /// Where the client notes what it has begun.
    fn notes(&self) -> Vec<String> {
        let folder = self.sandbox.path("home/.local/state/wharf/uploads");
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}
