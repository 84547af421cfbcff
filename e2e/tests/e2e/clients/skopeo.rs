//! skopeo

use wharf_e2e::{Sandbox, Wharf};

use super::{assert_gone, assert_tags, over_http, over_tls, push_index, sign_in};

#[test]
fn skopeo_copies_syncs_and_deletes_over_http() {
    let (wharf, sandbox) = over_http();
    whole_round(&wharf, &sandbox);
}

#[test]
fn skopeo_copies_syncs_and_deletes_over_tls() {
    let (wharf, sandbox) = over_tls();
    whole_round(&wharf, &sandbox);
}

fn whole_round(wharf: &Wharf, sandbox: &Sandbox) {
    let verify = wharf.ca().is_some();
    let (tls, src, dest) =
        (format!("--tls-verify={verify}"), format!("--src-tls-verify={verify}"), format!("--dest-tls-verify={verify}"));
    let host = wharf.host();
    let index = push_index(wharf, "team/multi", "1");
    let multi = format!("docker://{host}/team/multi:1");
    sandbox.run(&format!("skopeo inspect {tls} {multi}")).fails_with("unauthorized");
    sign_in(
        wharf,
        sandbox,
        &format!("skopeo login {tls} -u admin --password-stdin {host}"),
        "invalid username/password",
    );

    sandbox.ok(&format!("skopeo copy --all {src} {dest} {multi} docker://{host}/team/copy:1"));
    assert_eq!(wharf.api().digest("team/copy", "1"), index, "a copy of an index keeps its digest");
    let layout = format!("oci:{}:1", sandbox.at("layout"));
    sandbox.ok(&format!("skopeo copy --all {src} {multi} {layout}"));
    sandbox.ok(&format!("skopeo copy --all {dest} {layout} docker://{host}/team/back:2"));
    assert_eq!(wharf.api().digest("team/back", "2"), index);

    let image = format!("docker://{host}/team/multi:arm64");
    let inspected = sandbox.ok(&format!("skopeo inspect {tls} --format '{{{{.Digest}}}} {{{{.RepoTags}}}}' {image}"));
    assert_eq!(inspected, format!("{} [1 amd64 arm64]", wharf.api().digest("team/multi", "arm64")));
    let tags = sandbox.ok(&format!("skopeo list-tags {tls} docker://{host}/team/multi"));
    assert!(tags.contains("\"amd64\"") && tags.contains("\"arm64\""), "{tags}");
    std::fs::create_dir(sandbox.path("sync")).unwrap();
    sandbox.ok(&format!("skopeo sync --all {src} --src docker --dest dir {host}/team/multi {}", sandbox.at("sync")));

    // It deletes the manifest that the tag stands for, and so every tag of that manifest.
    sandbox.ok(&format!("skopeo delete {tls} docker://{host}/team/copy:1"));
    assert_gone(wharf, "team/copy", "1");
    assert_gone(wharf, "team/copy", &index);
    assert_tags(wharf, "team/copy", &[]);
    sandbox.run(&format!("skopeo inspect {tls} docker://{host}/team/copy:1")).fails_with("manifest unknown");
}
