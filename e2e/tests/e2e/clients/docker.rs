//! docker, with a daemon of its own.

use std::path::Path;

use wharf_e2e::{Daemon, Sandbox, Wharf};

use super::{over_http, over_tls, sign_in};

#[test]
fn docker_pushes_pulls_and_builds_over_http() {
    let (wharf, sandbox) = over_http();
    every_client(&wharf, &sandbox);
}

#[test]
fn docker_pushes_pulls_and_builds_over_tls() {
    let (wharf, sandbox) = over_tls();
    every_client(&wharf, &sandbox);
}

/// Without bridge and iptables: it leaves this machine's network alone.
pub(crate) fn daemon(sandbox: &Sandbox) -> Daemon {
    let at = sandbox.folder().display();
    let flags = "--iptables=false --ip6tables=false --bridge=none --storage-driver vfs";
    let folders = format!("--data-root {at}/d/data --exec-root {at}/d/exec --pidfile {at}/d/pid");
    std::fs::create_dir(sandbox.path("d")).unwrap();
    let ping = format!("curl -sf --unix-socket {at}/d/s http://x/_ping");
    sandbox.daemon(&format!("dockerd {flags} {folders} -H unix://{at}/d/s"), "dockerd.log", || {
        sandbox.run(&ping).status.success()
    })
}

pub(crate) fn command(sandbox: &Sandbox, client: &str) -> String {
    format!("{client} --config {} -H unix://{}", sandbox.at("docker"), sandbox.at("d/s"))
}

/// Debian's client, and beside it a newer one where the machine has it.
fn every_client(wharf: &Wharf, sandbox: &Sandbox) {
    let daemon = daemon(sandbox);
    let base = sandbox.base();
    for (n, client) in ["/usr/bin/docker", "/usr/local/bin/docker"].iter().enumerate() {
        if Path::new(client).exists() || n == 0 {
            whole_round(wharf, sandbox, &command(sandbox, client), &format!("team/d{n}"), &base);
        }
    }
    drop(daemon);
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox, docker: &str, repo: &str, base: &str) {
    let host = wharf.host();
    let image = format!("{host}/{repo}:1");
    sandbox.ok(&format!("{docker} import {base} {image}"));
    sandbox.run(&format!("{docker} push {image}")).fails_with("unauthorized");
    sign_in(wharf, sandbox, &format!("{docker} login -u admin --password-stdin {host}"), "unauthorized");
    sandbox.ok(&format!("{docker} push {image}"));
    sandbox.ok(&format!("{docker} rmi {image}"));
    sandbox.ok(&format!("{docker} pull {image}"));
    let digest = sandbox.ok(&format!("{docker} image inspect --format '{{{{index .RepoDigests 0}}}}' {image}"));
    assert_eq!(digest, format!("{host}/{repo}@{}", wharf.api().digest(repo, "1")));
    sandbox.ok(&format!("{docker} pull {digest}"));
    let said = sandbox.ok(&format!("{docker} run --rm --network none {image} /bin/busybox echo hello"));
    assert_eq!(said, "hello");

    sandbox.ok(&format!("{docker} tag {image} {host}/{repo}/other:1"));
    let pushed = sandbox.ok(&format!("{docker} push {host}/{repo}/other:1"));
    assert!(pushed.contains(&format!("Mounted from {repo}")), "{pushed}");
    build(wharf, sandbox, docker, repo);
    // On loopback the client pushes an index to http:// only, whatever the server speaks.
    if wharf.ca().is_none() {
        multi_platform(wharf, sandbox, docker, repo);
    }
    let found = sandbox.ok(&format!("{docker} search --format '{{{{.Name}}}}' {host}/{repo}"));
    assert!(found.lines().any(|line| line.ends_with(repo)), "{found}");

    sandbox.ok(&format!("{docker} logout {host}"));
    sandbox.ok(&format!("{docker} rmi -f {image}"));
    sandbox.run(&format!("{docker} pull {image}")).fails_with("unauthorized");
}

fn build(wharf: &Wharf, sandbox: &Sandbox, docker: &str, repo: &str) {
    let host = wharf.host();
    let tags = format!("-t {host}/{repo}/built:1 -t {host}/{repo}/built:2");
    let old_builder = format!("env DOCKER_BUILDKIT=0 {docker} build --network none {tags} -");
    sandbox.feed(&format!("FROM {host}/{repo}:1\nLABEL a=b\n"), &old_builder).ok();
    sandbox.ok(&format!("{docker} push -a {host}/{repo}/built"));
    let repo = format!("{repo}/built");
    assert_eq!(wharf.api().digest(&repo, "1"), wharf.api().digest(&repo, "2"));
}

fn multi_platform(wharf: &Wharf, sandbox: &Sandbox, docker: &str, repo: &str) {
    let host = wharf.host();
    let index = format!("{host}/{repo}:multi");
    sandbox.ok(&format!("{docker} manifest create --insecure {index} {host}/{repo}:1"));
    let digest = sandbox.ok(&format!("{docker} manifest push --insecure {index}"));
    assert_eq!(digest.lines().last(), Some(wharf.api().digest(repo, "multi").as_str()));
    sandbox.ok(&format!("{docker} pull {index}"));
}
