//! Files in an image, with oras at the other end; trees of files, with podman at the other end.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use wharf_e2e::{Sandbox, Wharf, say, variable};

use super::Person;

/// Path, permissions and content of all below a folder.
fn listed(who: &Sandbox, folder: &str) -> String {
    who.shell(&format!("cd {folder}; find . -not -type d -printf '%P %m %l ' -exec sha256sum {{}} ';' | sort")).ok()
}

fn files(sandbox: &Sandbox) {
    sandbox.write("work/notes.md", "# Notes");
    sandbox.write("work/tree/bin/tool", "#!/bin/sh");
    sandbox.write("work/tree/data/a", &"content ".repeat(10_000));
    symlink("../bin/tool", sandbox.path("work/tree/data/link")).unwrap();
    for (path, mode) in [("work/notes.md", 0o644), ("work/tree/bin/tool", 0o755), ("work/tree/data/a", 0o644)] {
        fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn files_go_to_a_registry_and_back() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    files(&person.sandbox);
    let pushed = person.wharf("push team/files:1 notes.md tree --quiet").ok();
    assert_eq!(pushed, wharf.api().digest("team/files", "1"));
    // The same files have the same digest.
    assert_eq!(person.wharf("push team/files:2 notes.md tree --quiet").ok(), pushed);
    person.wharf("pull team/files:1 out --unpack").ok();
    assert_eq!(listed(&person.sandbox, "out/tree"), listed(&person.sandbox, "tree"));
    person.feed("from a pipe", "push team/pipe:1 - --name log.txt").ok();
    assert_eq!(person.wharf("pull team/pipe:1 - --unpack").ok(), "from a pipe");
    person.wharf("pull team/files:1 - --unpack").fails_with("name a folder");
    // Somebody's own link stays, and nothing is written through it.
    fs::create_dir(person.sandbox.path("work/mine")).unwrap();
    symlink("/tmp", person.sandbox.path("work/mine/tree")).unwrap();
    person.wharf("pull team/files:1 mine --unpack").fails_with("nothing was written");
    assert_eq!(fs::read_dir(person.sandbox.path("work/mine")).unwrap().count(), 1);
}

#[test]
fn oras_pulls_what_wharf_pushes_and_the_reverse() {
    let Some(oras) = variable("ORAS") else {
        return say("files are not exchanged with oras: WHARF_E2E_ORAS does not say where its executable is");
    };
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    files(&person.sandbox);
    let run = |line: &str| person.sandbox.ok(&format!("{oras} {line}"));
    let login = format!("{oras} login -u admin --password-stdin --plain-http {}", person.host);
    person.sandbox.feed(wharf.password(), &login).ok();
    let repo = format!("{}/team/files", person.host);

    person.wharf("push team/files:wharf notes.md tree").ok();
    run(&format!("pull --plain-http {repo}:wharf -o by-oras"));
    run(&format!("push --plain-http {repo}:oras notes.md:text/markdown tree"));
    person.wharf("pull team/files:oras by-wharf --unpack").ok();
    let expected = listed(&person.sandbox, "tree");
    assert_eq!(listed(&person.sandbox, "by-oras/tree"), expected);
    assert_eq!(listed(&person.sandbox, "by-wharf/tree"), expected);
    for folder in ["by-oras", "by-wharf"] {
        assert_eq!(person.sandbox.ok(&format!("cat {folder}/notes.md")), "# Notes");
    }
}

#[test]
fn podman_and_wharf_import_and_export_the_same_files() {
    let wharf = Wharf::start();
    let person = Person::of(&wharf);
    person.signs_in(&wharf);
    let sandbox = &person.sandbox;
    files(sandbox);
    sandbox.ok("ln tree/bin/tool tree/bin/other");
    sandbox.ok("tar -C tree -cf rootfs.tar .");
    let listing = |tar: &str| sandbox.shell(&format!("tar -tf {tar} | sed 's,^\\./,,;s,/$,,' | grep . | sort")).ok();

    person.wharf("import rootfs.tar team/root:1 --change RUN=true").fails_with("says nothing");
    person.wharf("import rootfs.tar team/root:1 --change 'CMD [\"/bin/tool\"]'").ok();
    person.wharf("export team/root:1 -o by-wharf.tar").ok();
    assert_eq!(listing("by-wharf.tar"), listing("rootfs.tar"));
    assert!(person.wharf("diff team/root:1 team/root:1").ok().contains("1 shared"));

    let login = format!("podman login --tls-verify=false -u admin --password-stdin {}", person.host);
    sandbox.feed(wharf.password(), &login).ok();
    // What podman makes of the image, and wharf of what podman imports.
    sandbox.ok(&format!("podman pull --tls-verify=false docker://{}/team/root:1", person.host));
    sandbox.ok(&format!("podman create --name one {}/team/root:1", person.host));
    sandbox.ok("podman export one -o by-podman.tar");
    let by_podman = listing("by-podman.tar");
    for path in listing("rootfs.tar").lines() {
        assert!(by_podman.lines().any(|line| line == path), "{path} is not in {by_podman}");
    }
    sandbox.ok("podman import rootfs.tar localhost/imported:1");
    let to = format!("docker://{}/team/root:2", person.host);
    sandbox.ok(&format!("podman push --tls-verify=false localhost/imported:1 {to}"));
    person.wharf("export team/root:2 -o again.tar").ok();
    assert_eq!(listing("again.tar"), listing("rootfs.tar"));
    let different = person.wharf("diff team/root:1 team/root:2");
    assert_eq!(different.status.code(), Some(1), "{different}");
    assert!(different.to_string().contains("config.Cmd"), "{different}");
}
