//! oras, which is in no package registry: `WHARF_E2E_ORAS` says where it is.

use wharf_e2e::{Sandbox, Wharf, say, variable};

use super::{assert_gone, assert_tags, over_http, over_tls, sign_in};

#[test]
fn oras_pushes_attaches_and_discovers_over_http() {
    let Some(oras) = oras() else { return };
    let (wharf, sandbox) = over_http();
    whole_round(&oras, &wharf, &sandbox, "--plain-http", "--from-plain-http --to-plain-http");
}

#[test]
fn oras_pushes_attaches_and_discovers_over_tls() {
    let Some(oras) = oras() else { return };
    let (wharf, sandbox) = over_tls();
    let ca = wharf.ca().unwrap();
    let ca = ca.display();
    whole_round(&oras, &wharf, &sandbox, &format!("--ca-file {ca}"), &format!("--from-ca-file {ca} --to-ca-file {ca}"));
}

fn oras() -> Option<String> {
    let oras = variable("ORAS");
    if oras.is_none() {
        say("oras is not tested: WHARF_E2E_ORAS does not say where its executable is");
    }
    oras
}

fn whole_round(oras: &str, wharf: &Wharf, sandbox: &Sandbox, how: &str, between: &str) {
    let host = wharf.host();
    let run = |line: &str| sandbox.ok(&format!("{oras} {line}"));
    let repo = format!("{host}/team/oras");
    sandbox.write("work/hello.txt", "hello");
    sandbox.write("work/dir/a", "a");
    let push = format!("push {how} {repo}:1 --artifact-type application/x-wharf hello.txt:text/plain dir");
    sandbox.run(&format!("{oras} {push}")).fails_with("unauthorized");
    sign_in(wharf, sandbox, &format!("{oras} login -u admin --password-stdin {how} {host}"), "unauthorized");
    run(&push);
    let digest = run(&format!("resolve {how} {repo}:1"));
    assert_eq!(digest, wharf.api().digest("team/oras", "1"));
    run(&format!("pull {how} {repo}:1 -o pulled"));
    assert_eq!(std::fs::read_to_string(sandbox.path("work/pulled/hello.txt")).unwrap(), "hello");

    run(&format!("attach {how} {repo}:1 --artifact-type application/x-sig hello.txt"));
    let found = run(&format!("discover {how} --format json {repo}:1"));
    assert!(found.contains("application/x-sig"), "{found}");
    run(&format!("cp -r {between} {repo}:1 {host}/team/copy:1"));
    let found = run(&format!("discover {how} --format json {host}/team/copy:1"));
    assert!(found.contains("application/x-sig"), "referrers are copied: {found}");
    run(&format!("tag {how} {repo}:1 2 3"));
    assert_eq!(run(&format!("repo tags {how} {repo}")).lines().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(run(&format!("repo ls {how} {host}")).lines().collect::<Vec<_>>(), ["team/copy", "team/oras"]);
    run(&format!("blob push {how} {repo} hello.txt"));
    run(&format!("manifest delete {how} --force {repo}:3"));
    assert_gone(wharf, "team/oras", &digest);
    assert_tags(wharf, "team/oras", &[]);
}
