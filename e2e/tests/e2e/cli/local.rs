//! Images that podman keeps on this machine, pushed without any podman.

use wharf_e2e::{Ran, Sandbox, Wharf, binary, say};

use super::Person;

/// Somebody with an image of two layers, `localhost/team/app:v1`, built here.
fn builder() -> (Wharf, Person) {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    build(&person.sandbox, "podman");
    (wharf, person)
}

fn build(sandbox: &Sandbox, podman: &str) {
    let base = sandbox.base();
    sandbox.ok(&format!("{podman} import {base} localhost/base:v1"));
    sandbox.write("work/file", "a file\n");
    sandbox.write("work/Containerfile", "FROM localhost/base:v1\nCOPY file /etc/file\nLABEL a=b\n");
    sandbox.ok(&format!("{podman} build -q -t localhost/team/app:v1 ."));
}

fn podman_login(wharf: &Wharf, sandbox: &Sandbox) {
    sandbox.feed(wharf.password(), &format!("podman login -u admin --password-stdin {}", wharf.host())).ok();
}

/// Id, which is the digest of its configuration, and the digests of its layers' content.
fn contents(sandbox: &Sandbox, podman: &str, image: &str) -> String {
    sandbox.ok(&format!("{podman} image inspect --format '{{{{.Id}}}} {{{{.RootFS.Layers}}}}' {image}"))
}

#[test]
fn what_podman_built_is_found_and_pushed_and_pulled_back_as_it_was() {
    let (wharf, person) = builder();
    let (sandbox, host) = (&person.sandbox, wharf.host());
    let built = contents(sandbox, "podman", "localhost/team/app:v1");

    let pushed = person.wharf("push team/app:v1 --tag latest");
    assert!(pushed.stderr.contains("taking containers-storage:localhost/team/app:v1"), "{pushed}");
    pushed.ok();
    let digest = wharf.api().digest("team/app", "v1");
    assert_eq!(wharf.api().digest("team/app", "latest"), digest);
    // A second time everything is there, though podman does not keep what was sent.
    let again = person.wharf("push team/app:v1");
    assert!(!again.stderr.contains("copied"), "{again}");
    assert_eq!(wharf.api().digest("team/app", "v1"), digest);

    podman_login(&wharf, sandbox);
    sandbox.ok("podman rmi -af");
    sandbox.ok(&format!("podman pull {host}/team/app:v1"));
    assert_eq!(contents(sandbox, "podman", &format!("{host}/team/app:v1")), built);
    person.wharf("push team/app:v9").fails_with("podman has none");
}

#[test]
fn a_list_of_podmans_is_pushed_with_its_images() {
    let (wharf, person) = builder();
    let sandbox = &person.sandbox;
    sandbox.ok("podman manifest create localhost/team/all:v1 containers-storage:localhost/team/app:v1");
    person.wharf("push team/all:v1 --all").ok();
    let list = wharf.api().get("/v2/team/all/manifests/v1").expect(200).json();
    let child = list["manifests"][0]["digest"].as_str().unwrap();
    wharf.api().get(&format!("/v2/team/all/manifests/{child}")).expect(200);
    podman_login(&wharf, sandbox);
    sandbox.ok(&format!("podman pull {}/team/all:v1", wharf.host()));
}

#[test]
fn what_podman_pulled_keeps_its_digest() {
    let (wharf, person) = builder();
    let (sandbox, host) = (&person.sandbox, wharf.host());
    podman_login(&wharf, sandbox);
    // Compressed by podman, so that nobody could make the same bytes again.
    for (repository, flags) in [("team/oci", "--format oci"), ("team/docker", "--format v2s2")] {
        let image = format!("{host}/{repository}:v1");
        sandbox.ok(&format!("podman push {flags} localhost/team/app:v1 {image}"));
        let digest = wharf.api().digest(repository, "v1");
        sandbox.ok("podman rmi -af");
        sandbox.ok(&format!("podman pull {image}"));
        person.wharf(&format!("push {repository}:v2 --from containers-storage:{image}")).ok();
        assert_eq!(wharf.api().digest(repository, "v2"), digest, "{repository}");
        // Elsewhere it is compressed anew, and is the same image.
        let before = contents(sandbox, "podman", &image);
        person.wharf(&format!("push other/app:v1 --from containers-storage:{host}/{repository}@{digest}")).ok();
        sandbox.ok("podman rmi -af");
        sandbox.ok(&format!("podman pull {host}/other/app:v1"));
        assert_eq!(contents(sandbox, "podman", &format!("{host}/other/app:v1")), before, "{repository}");
        sandbox.ok(&format!("podman tag {host}/other/app:v1 localhost/team/app:v1"));
    }
}

#[test]
fn a_storage_of_whole_copies_is_read_too() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let (sandbox, at) = (&person.sandbox, person.sandbox.at("vfs"));
    let podman = format!("podman --root {at} --runroot {at}-run --storage-driver vfs");
    build(sandbox, &podman);
    let source = format!("containers-storage:[vfs@{at}]team/app:v1");
    person.wharf(&format!("push team/app:v1 --from {source}")).ok();
    podman_login(&wharf, sandbox);
    sandbox.ok(&format!("podman pull {}/team/app:v1", wharf.host()));
    let pulled = contents(sandbox, "podman", &format!("{}/team/app:v1", wharf.host()));
    assert_eq!(pulled, contents(sandbox, &podman, "localhost/team/app:v1"));
}

/// A user without any ids of others: their containers' root is who they are, and files of mode 0 may be read only in
/// podman's user namespace.
#[test]
fn a_users_image_with_files_that_they_may_not_read_is_pushed() {
    const USER: &str = "setpriv --reuid 47110 --regid 47110 --clear-groups";
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    let mut sandbox = person.sandbox;
    sandbox.unset("CONTAINERS_STORAGE_CONF");
    sandbox.unset("XDG_RUNTIME_DIR");
    sandbox.write("fs/etc/shadow", "secret\n");
    sandbox.write("fs/etc/public", "public\n");
    sandbox
        .shell(&format!(
            "chmod 0 {fs}/etc/shadow && tar -C {fs} -cf {tar} . && mkdir -p {home}/run && cp {program} {at}/wharf && \
         chmod 755 {at} && chown -R 47110:47110 {at}",
            fs = sandbox.at("fs"),
            tar = sandbox.at("work/secret.tar"),
            home = sandbox.at("home"),
            program = binary().display(),
            at = sandbox.folder().display(),
        ))
        .ok();
    let runtime = sandbox.at("home/run");
    sandbox.set("XDG_RUNTIME_DIR", &runtime);
    let run = |line: &str| -> Ran { sandbox.run(&format!("{USER} {line}")) };
    let imported = run("podman import secret.tar localhost/team/secret:v1");
    if imported.stderr.contains("newuidmap") || imported.stderr.contains("user namespace") {
        say(&format!("rootless podman does not run on this machine, so it is not tested: {imported}"));
        return;
    }
    let built = imported.ok();
    let program = sandbox.at("wharf");
    let login = format!("{USER} {program} auth login {} -u admin --password-stdin", wharf.host());
    sandbox.feed(wharf.password(), &login).ok();
    run(&format!("{program} push team/secret:v1")).ok();
    let manifest = wharf.api().get("/v2/team/secret/manifests/v1").expect(200).text();
    assert!(manifest.contains(&built), "{built} is not in {manifest}");
}

#[test]
fn a_large_layer_goes_through_constant_memory() {
    const MOST_MIB: u64 = 100;
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let sandbox = &person.sandbox;
    sandbox.base();
    sandbox
        .shell(&format!(
            "head -c 200M /dev/urandom > {base}/large && tar -C {base} -cf {base}.tar . && rm {base}/large",
            base = sandbox.at("base")
        ))
        .ok();
    sandbox.ok(&format!("podman import {} localhost/team/large:v1", sandbox.at("base.tar")));
    let program = binary().display().to_string();
    let pushed = sandbox.run(&format!("/usr/bin/time -f 'peak %M' {program} push team/large:v1"));
    let peak = pushed.stderr.lines().find_map(|line| line.strip_prefix("peak ")?.parse::<u64>().ok());
    let peak = peak.unwrap_or_else(|| panic!("{pushed}")) / 1024;
    pushed.ok();
    say(&format!("pushing a layer of 200 MiB from podman's storage took {peak} MiB of memory at most"));
    assert!(peak < MOST_MIB, "{peak} MiB");
}

#[test]
fn an_image_of_dockers_is_found_pushed_and_brought_back() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let mut sandbox = person.sandbox;
    let daemon = crate::clients::docker::daemon(&sandbox);
    let socket = format!("unix://{}", sandbox.at("d/s"));
    sandbox.set("DOCKER_HOST", &socket);
    let docker = crate::clients::docker::command(&sandbox, "/usr/bin/docker");
    let base = sandbox.base();
    sandbox.ok(&format!("{docker} import {base} team/app:v1"));
    let id = |image: &str| sandbox.ok(&format!("{docker} image inspect --format '{{{{.Id}}}}' {image}"));
    let built = id("team/app:v1");
    let run = |line: &str| sandbox.run(&format!("{} {line}", binary().display()));

    let pushed = run("push team/app:v1");
    assert!(pushed.stderr.contains("taking docker-daemon:team/app:v1"), "{pushed}");
    pushed.ok();
    let manifest = wharf.api().get("/v2/team/app/manifests/v1").expect(200).text();
    assert!(manifest.contains(&built), "{built} is not in {manifest}");
    // From one engine to the other, and back.
    run("copy docker-daemon:team/app:v1 containers-storage:localhost/team/there:v1").ok();
    sandbox.ok("podman run --rm --network none localhost/team/there:v1 /bin/busybox true");
    sandbox.ok(&format!("{docker} rmi team/app:v1"));
    run("copy containers-storage:localhost/team/there:v1 docker-daemon:team/back:v1").ok();
    assert_eq!(id("team/back:v1"), built);
    drop(daemon);
}
