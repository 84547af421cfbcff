//! One sign-in for `wharf`, podman, skopeo and docker.

use std::os::unix::fs::symlink;

use wharf_e2e::{Wharf, binary};

use super::Person;
use crate::clients::docker;

/// bcrypt of `secret`.
const HASH: &str = "$2b$04$l9dUClAOXgyWqAFQOQhOIeTwOtOYDkIw/z8L7WrH0yAYcNiChLM8K";

/// With the program under its other name where programs are found.
fn person(wharf: &Wharf) -> Person {
    let mut person = Person::of(wharf);
    std::fs::create_dir(person.sandbox.path("bin")).unwrap();
    symlink(binary(), person.sandbox.path("bin/docker-credential-wharf")).unwrap();
    let path = person.sandbox.at("bin");
    person.sandbox.set("PATH", &format!("{path}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    person
}

/// Reads an image that only who is signed in may read.
fn readers(person: &Person, digest: &str) -> Vec<String> {
    let host = &person.host;
    let tls = "--tls-verify=false";
    vec![
        format!("skopeo inspect {tls} --format '{{{{.Digest}}}}' docker://{host}/team/app:1"),
        format!("podman pull -q {tls} {host}/team/app@{digest}"),
        format!("{} digest {tls} {host}/team/app:1", binary().display()),
    ]
}

#[test]
fn signing_in_signs_podman_skopeo_and_docker_in_and_signing_out_out() {
    let wharf = Wharf::start();
    let person = person(&wharf);
    let (sandbox, host) = (&person.sandbox, person.host.clone());
    let daemon = docker::daemon(sandbox);
    let docker = docker::command(sandbox, "docker");
    sandbox.ok(&format!("{docker} import {} {host}/team/app:1", sandbox.base()));
    sandbox.run(&format!("{docker} push {host}/team/app:1")).fails_with("unauthorized");

    person.signs_in(&wharf);
    sandbox.ok(&format!("{docker} push {host}/team/app:1"));
    let digest = wharf.api().digest("team/app", "1");
    for line in readers(&person, &digest) {
        sandbox.ok(&line);
    }
    sandbox.ok(&format!("podman push --tls-verify=false {host}/team/app@{digest} {host}/team/other:1"));
    let files = [sandbox.path("auth.json"), sandbox.path("docker/config.json")];
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains("credHelpers") && !text.contains("\"auth\""), "{text}");
    }
    person.wharf("auth logout").ok();
    for line in readers(&person, &digest) {
        sandbox.run(&line).fails();
    }
    sandbox.run(&format!("{docker} push {host}/team/app:1")).fails_with("unauthorized");
    drop(daemon);
}

#[test]
fn what_podman_skopeo_and_docker_sign_in_with_is_good_here_and_gone_when_they_sign_out() {
    let wharf = Wharf::start();
    let mut person = person(&wharf);
    // Where it is set, docker's file is not looked at.
    person.sandbox.unset("REGISTRY_AUTH_FILE");
    let (sandbox, host) = (&person.sandbox, person.host.clone());
    let digest = crate::clients::push_index(&wharf, "team/app", "1");
    let look = format!("digest --tls-verify=false {host}/team/app:1");
    let daemon = docker::daemon(sandbox);
    let docker = docker::command(sandbox, "docker");
    let tls = "--tls-verify=false";
    let tools = [("podman".to_owned(), tls), ("skopeo".to_owned(), tls), (docker, "")];
    for (tool, flags) in &tools {
        person.wharf(&look).fails_with("wharf auth login");
        sandbox.feed(wharf.password(), &format!("{tool} login {flags} -u admin --password-stdin {host}")).ok();
        assert_eq!(person.wharf(&look).ok(), digest, "{tool}");
        sandbox.ok(&format!("{tool} logout {host}"));
    }
    // Once they ask the helper, what they store is the context's.
    person.signs_in(&wharf);
    for (tool, flags) in &tools {
        sandbox.ok(&format!("{tool} logout {host}"));
        person.wharf("auth status").fails_with("wharf auth login");
        sandbox.feed(wharf.password(), &format!("{tool} login {flags} -u admin --password-stdin {host}")).ok();
        person.wharf("auth status").ok();
        assert_eq!(person.wharf(&look).ok(), digest, "{tool}");
    }
    drop(daemon);
}

#[test]
fn another_registry_is_signed_in_to_as_podman_does_it() {
    let wharf = Wharf::start();
    let person = person(&wharf);
    let sandbox = &person.sandbox;
    sandbox.write("htpasswd", &format!("jane:{HASH}\n"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let other = format!("127.0.0.1:{port}");
    let (at, realm) = (sandbox.folder().display(), "auth: {htpasswd: {realm: r, path: ");
    sandbox.write(
        "registry.yml",
        &format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {at}/r}}}}\nhttp: {{addr: '{other}'}}\n{realm}{at}/htpasswd}}}}\n"),
    );
    let ping = format!("curl -s http://{other}/v2/");
    // It takes each variable that begins with REGISTRY_ for a setting of its own.
    let serve = format!("env -u REGISTRY_AUTH_FILE docker-registry serve {}", sandbox.at("registry.yml"));
    let registry = sandbox.daemon(&serve, "registry.log", || sandbox.run(&ping).status.success());
    let login = format!("auth login {other} -u jane --password-stdin");
    person.feed("wrong", &login).fails_with(&other);
    person.feed("secret", &login).ok();
    sandbox.ok(&format!("podman login --get-login {other}"));
    let layout = format!("oci:{}:1", sandbox.at("layout"));
    crate::clients::push_index(&wharf, "team/app", "1");
    person.signs_in(&wharf);
    person.wharf(&format!("copy --tls-verify=false {}/team/app:1 {other}/team/app:1 --all", person.host)).ok();
    sandbox.ok(&format!("skopeo copy --src-tls-verify=false docker://{other}/team/app:1 {layout}"));
    person.wharf(&format!("auth logout {other}")).ok();
    sandbox.run(&format!("skopeo copy --src-tls-verify=false docker://{other}/team/app:1 {layout}")).fails();
    drop(registry);
}
