//! Images carried and looked at by `wharf`, beside skopeo, podman and crane: on our registry, on Debian's
//! `docker-registry`, and in files.

use std::fs;

use serde_json::{Value, json};
use wharf_e2e::{Daemon, Ran, Sandbox, Wharf, binary, digest_of, free_port};

mod inspecting;
mod manners;
mod syncing;
mod transports;

/// Two registries, and somebody who is signed in to ours by podman's own means.
struct Yard {
    sandbox: Sandbox,
    wharf: Wharf,
    peer: String,
    _daemon: Daemon,
}

impl Yard {
    fn new() -> Self {
        let wharf = Wharf::start();
        let sandbox = Sandbox::of(&wharf);
        let (peer, daemon) = start_peer(&sandbox);
        let insecure = |host: &str| format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n");
        sandbox.write("registries.conf", &format!("{}{}", insecure(&wharf.host()), insecure(&peer)));
        let login = format!("skopeo login --tls-verify=false -u admin --password-stdin {}", wharf.host());
        sandbox.feed(wharf.password(), &login).ok();
        Self { sandbox, wharf, peer, _daemon: daemon }
    }

    fn run(&self, line: &str) -> Ran {
        self.sandbox.run(&format!("{} {line}", binary().display()))
    }

    /// Our command; its standard output.
    fn ok(&self, line: &str) -> String {
        self.run(line).ok()
    }

    /// skopeo does not look at registries.conf for this where it is told which file that is.
    fn skopeo(&self, line: &str) -> String {
        let (verb, words) = line.split_once(' ').expect("a verb and what it is about");
        let flags = match verb {
            "copy" => "--src-tls-verify=false --dest-tls-verify=false",
            _ => "--tls-verify=false",
        };
        self.sandbox.ok(&format!("skopeo {verb} {flags} {words}"))
    }

    /// An image of ours, made by crane: Docker's manifest, one layer in gzip. Its name.
    fn image(&self, name: &str) -> String {
        let (base, reference) = (self.sandbox.base(), format!("{}/{name}", self.wharf.host()));
        self.sandbox.ok(&format!("crane append --new_layer {base} --new_tag {reference}"));
        let set = "--label a=b --env X=y --entrypoint /bin/sh --set-platform linux/amd64";
        self.sandbox.ok(&format!("crane mutate {set} {reference} -t {reference}"));
        reference
    }

    /// The same with OCI's manifest.
    fn oci_image(&self, name: &str) -> String {
        let docker = self.image("team/made:docker");
        let reference = format!("{}/{name}", self.wharf.host());
        self.skopeo(&format!("copy --format oci docker://{docker} docker://{reference}"));
        reference
    }

    fn digest(&self, reference: &str) -> String {
        digest_of(self.skopeo(&format!("inspect --raw {reference}")).as_bytes())
    }

    /// What identifies an image whatever its manifest: its configuration.
    fn config(&self, reference: &str) -> String {
        let raw: Value = serde_json::from_str(&self.skopeo(&format!("inspect --raw {reference}"))).unwrap();
        raw["config"]["digest"].as_str().expect("a configuration").to_owned()
    }
}

/// Debian's registry, which is the classic one; its host.
fn start_peer(sandbox: &Sandbox) -> (String, Daemon) {
    let host = format!("127.0.0.1:{}", free_port());
    let folder = sandbox.at("peer");
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: {host}}}\n\
        storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}\n"
    );
    sandbox.write("peer.yml", &config);
    // It takes every variable that begins with REGISTRY_ for a setting.
    let line = format!("env -u REGISTRY_AUTH_FILE docker-registry serve {}", sandbox.at("peer.yml"));
    let address = host.clone();
    let daemon = sandbox.daemon(&line, "peer.log", || std::net::TcpStream::connect(&address).is_ok());
    (host, daemon)
}

/// Files that are there and not hidden, in order.
fn files(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}
