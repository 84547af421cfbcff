//! containerd and its ctr

use wharf_e2e::{Daemon, Sandbox, Wharf};

use super::{assert_tags, over_http, over_tls, push_index};

#[test]
fn containerd_pulls_runs_and_pushes_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, &sandbox, "--plain-http");
}

#[test]
fn containerd_pulls_runs_and_pushes_over_tls() {
    let (wharf, sandbox) = over_tls();
    let (host, ca) = (wharf.host(), wharf.ca().unwrap());
    let ca = ca.display();
    let hosts = format!("server = \"https://{host}\"\nca = \"{ca}\"\n[host.\"https://{host}\"]\n  ca = \"{ca}\"\n");
    sandbox.write(&format!("hosts/{host}/hosts.toml"), &hosts);
    whole_round(&wharf, &sandbox, &format!("--hosts-dir {}", sandbox.at("hosts")));
}

/// Without the CRI plugin, which wants a network, and the one that makes /opt/containerd.
pub(crate) fn daemon(sandbox: &Sandbox) -> Daemon {
    let at = sandbox.folder().display();
    let config = format!(
        "version = 2\nroot = \"{at}/c/root\"\nstate = \"{at}/c/state\"\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
         [grpc]\naddress = \"{at}/c/s\"\n"
    );
    sandbox.write("c/config.toml", &config);
    let version = format!("{} version", command(sandbox));
    sandbox.daemon(&format!("containerd --config {at}/c/config.toml --log-level warn"), "containerd.log", || {
        sandbox.run(&version).status.success()
    })
}

pub(crate) fn command(sandbox: &Sandbox) -> String {
    format!("ctr -a {}", sandbox.at("c/s"))
}

/// An image in the local store, not in the registry.
pub(crate) fn import(sandbox: &Sandbox, ctr: &str, image: &str) {
    let (base, layout, archive) = (sandbox.base(), sandbox.at("seed"), sandbox.at("seed.tar"));
    let podman = super::podman::command(sandbox);
    sandbox.ok(&format!("{podman} import {base} {image}"));
    sandbox.ok(&format!("{podman} push {image} oci-archive:{archive}:{image}"));
    sandbox.ok(&format!("{ctr} images import --snapshotter native {archive}"));
    let _ = std::fs::remove_dir_all(layout);
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox, how: &str) {
    let daemon = daemon(sandbox);
    let (ctr, host) = (command(sandbox), wharf.host());
    let image = format!("{host}/team/ctr:1");
    let push = |user: &str| sandbox.run(&format!("{ctr} images push {how} {user} {image} {host}/team/seed:1"));
    let pull = |flags: &str| format!("{ctr} images pull {how} --snapshotter native {flags}");
    let user = format!("-u 'admin:{}'", wharf.password());
    import(sandbox, &ctr, &format!("{host}/team/seed:1"));

    push("").fails_with("unauthorized");
    push("-u admin:wrong").fails_with("unauthorized");
    push(&user).ok();
    assert_tags(wharf, "team/ctr", &["1"]);
    sandbox.ok(&format!("{ctr} images rm --sync {host}/team/seed:1"));
    sandbox.run(&pull(&image)).fails_with("unauthorized");
    sandbox.ok(&pull(&format!("{user} {image}")));
    let digest = wharf.api().digest("team/ctr", "1");
    let list = sandbox.ok(&format!("{ctr} images ls name=={image}"));
    assert!(list.contains(&digest), "{list}");
    let said = sandbox.ok(&format!("{ctr} run --rm --snapshotter native {image} c1 /bin/busybox echo hello"));
    assert_eq!(said, "hello");

    // Every platform: its contents are fetched, not unpacked, since these layers are no archives.
    let index = push_index(wharf, "team/multi", "1");
    let multi = format!("{host}/team/multi:1");
    sandbox.ok(&format!("{ctr} content fetch {how} {user} --all-platforms {multi}"));
    sandbox.ok(&format!("{ctr} images push {how} {user} {host}/team/multi-copy:1 {multi}"));
    assert_eq!(wharf.api().digest("team/multi-copy", "1"), index);
    drop(daemon);
}
