//! What the server prints for a self-signed certificate works as printed.

use std::path::PathBuf;

use wharf_e2e::{Sandbox, Setup, Wharf};

use super::{containerd, docker, podman};

/// The folders that the guide makes on this machine, for a port that only this test has.
struct Guide {
    own: Vec<PathBuf>,
    /// Those that were not there before.
    homes: Vec<PathBuf>,
}

impl Guide {
    /// Runs the printed commands. They say `sudo`; the tests are root.
    fn follow(wharf: &Wharf, sandbox: &Sandbox) -> Self {
        let homes = ["/etc/docker/certs.d", "/etc/containers/certs.d", "/etc/containerd/certs.d"].map(PathBuf::from);
        let own = homes.iter().map(|home| home.join(wharf.host())).collect();
        let guide = Self { own, homes: homes.into_iter().filter(|home| !home.exists()).collect() };
        let printed = wharf.printed();
        let from = printed.find("# docker").unwrap_or_else(|| panic!("no guide:\n{printed}"));
        let to = printed.find("Push an image").unwrap_or_else(|| panic!("no end of the guide:\n{printed}"));
        sandbox.shell(&printed[from..to].replace("sudo ", "")).ok();
        guide
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        for folder in &self.own {
            let _ = std::fs::remove_dir_all(folder);
        }
        for folder in &self.homes {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[test]
fn docker_podman_and_containerd_trust_the_server_as_its_guide_says() {
    let wharf = Setup::new().tls().start();
    let mut sandbox = Sandbox::of(&wharf);
    sandbox.unset("SSL_CERT_FILE");
    let host = wharf.host();
    let (docker_daemon, containerd_daemon) = (docker::daemon(&sandbox), containerd::daemon(&sandbox));
    let (podman, ctr) = (podman::command(&sandbox), containerd::command(&sandbox));
    let docker = docker::command(&sandbox, "/usr/bin/docker");
    let login = "login -u admin --password-stdin";
    sandbox.feed(wharf.password(), &format!("{podman} {login} {host}")).fails_with("certificate");

    let guide = Guide::follow(&wharf, &sandbox);
    sandbox.feed(wharf.password(), &format!("{podman} {login} {host}")).ok();
    sandbox.ok(&format!("{podman} import {} {host}/team/base:1", sandbox.base()));
    sandbox.ok(&format!("{podman} push {host}/team/base:1"));
    sandbox.ok(&format!("skopeo inspect docker://{host}/team/base:1"));
    sandbox.feed(wharf.password(), &format!("{docker} {login} {host}")).ok();
    sandbox.ok(&format!("{docker} pull {host}/team/base:1"));
    let user = format!("-u 'admin:{}'", wharf.password());
    let hosts = "--hosts-dir /etc/containerd/certs.d --snapshotter native";
    sandbox.ok(&format!("{ctr} images pull {hosts} {user} {host}/team/base:1"));
    drop((docker_daemon, containerd_daemon, guide));
}
