//! podman

use wharf_e2e::{Sandbox, Wharf};

use super::{assert_tags, over_http, over_tls, sign_in};

#[test]
fn podman_pushes_pulls_and_runs_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, &sandbox);
}

#[test]
fn podman_pushes_pulls_and_runs_over_tls() {
    let (wharf, sandbox) = over_tls();
    whole_round(&wharf, &sandbox);
}

/// By flag: with tmp_dir in containers.conf every run takes 20 s.
pub(crate) fn command(sandbox: &Sandbox) -> String {
    format!("podman --tmpdir {}", sandbox.at("run/libpod"))
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox) {
    let (podman, host, base) = (command(sandbox), wharf.host(), sandbox.base());
    let image = format!("{host}/team/base:1");
    sandbox.ok(&format!("{podman} import --change 'CMD [\"/bin/sh\"]' {base} {image}"));
    sandbox.run(&format!("{podman} push {image}")).fails_with("unauthorized");
    sign_in(wharf, sandbox, &format!("{podman} login -u admin --password-stdin {host}"), "invalid username/password");

    // zstd first: the cache remembers how a blob was compressed.
    sandbox.ok(&format!("{podman} push --compression-format zstd {image} {host}/team/base:zstd"));
    sandbox.ok(&format!("{podman} push --digestfile {} {image}", sandbox.at("digest")));
    let digest = std::fs::read_to_string(sandbox.path("digest")).unwrap();
    assert_eq!(digest, wharf.api().digest("team/base", "1"));
    // Another layer: the cache would offer the zstd one, which Docker's format has no name for.
    sandbox.ok(&format!("{podman} import {} {host}/team/base:docker", sandbox.base()));
    sandbox.ok(&format!("{podman} push --format v2s2 {host}/team/base:docker"));
    assert_tags(wharf, "team/base", &["1", "docker", "zstd"]);

    for reference in [image.clone(), format!("{host}/team/base@{digest}"), format!("{host}/team/base:zstd")] {
        sandbox.ok(&format!("{podman} rmi -a -f"));
        sandbox.ok(&format!("{podman} pull {reference}"));
        let said = sandbox.ok(&format!("{podman} run --rm {reference} /bin/busybox echo hello"));
        assert_eq!(said, "hello");
    }
    multi_platform(wharf, sandbox, &podman);
    search(wharf, sandbox, &podman);
    sandbox.ok(&format!("{podman} logout {host}"));
    sandbox.run(&format!("{podman} pull {host}/team/base:docker")).fails_with("unauthorized");
    let verify = wharf.ca().is_some();
    sandbox.run(&format!("{podman} search --tls-verify={verify} {host}/base")).fails_with("unauthorized");
}

fn multi_platform(wharf: &Wharf, sandbox: &Sandbox, podman: &str) {
    let index = format!("{}/team/multi:1", wharf.host());
    let child = format!("docker://{}/team/base:1", wharf.host());
    sandbox.ok(&format!("{podman} manifest create {index}"));
    sandbox.ok(&format!("{podman} manifest add {index} {child}"));
    sandbox.ok(&format!("{podman} manifest add --arch arm64 {index} docker://{}/team/base:docker", wharf.host()));
    let digest_file = sandbox.at("index-digest");
    sandbox.ok(&format!("{podman} manifest push --all --digestfile {digest_file} {index} docker://{index}"));
    assert_eq!(std::fs::read_to_string(digest_file).unwrap(), wharf.api().digest("team/multi", "1"));
    sandbox.ok(&format!("{podman} manifest rm {index}"));
    sandbox.ok(&format!("{podman} pull {index}"));
}

fn search(wharf: &Wharf, sandbox: &Sandbox, podman: &str) {
    let host = wharf.host();
    let tls = format!("--tls-verify={}", wharf.ca().is_some());
    let found = sandbox.ok(&format!("{podman} search {tls} --format '{{{{.Name}}}}' {host}/base"));
    assert_eq!(found, format!("{host}/team/base"));
    // With --list-tags it prints a table, whatever --format says.
    let table = sandbox.ok(&format!("{podman} search {tls} --list-tags {host}/team/base"));
    let tags: Vec<_> = table.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(tags, ["1", "docker", "zstd"]);
}
