use wharf_e2e::wait_for;

use super::*;

/// Larger than what arrives before a signal does.
const LARGE: usize = 96 << 20;

#[test]
fn ctrl_c_leaves_no_half_file() {
    let yard = Yard::new();
    let layer = yard.sandbox.path("large");
    fs::write(&layer, wharf_e2e::blob(&mut fastrand::Rng::new(), LARGE)).unwrap();
    yard.sandbox.ok(&format!("tar -C {} -cf {} large", yard.sandbox.folder().display(), yard.sandbox.at("large.tar")));
    let image = format!("{}/team/large:v1", yard.wharf.host());
    yard.sandbox.ok(&format!("crane append --new_layer {} --new_tag {image}", yard.sandbox.at("large.tar")));
    let line = format!("{} pull {image} --to oci:{}:v1", binary().display(), yard.sandbox.at("work/layout"));
    let mut terminal = yard.sandbox.terminal(&line);
    let blobs = yard.sandbox.path("work/layout/blobs/sha256");
    wait_for("the layer is on its way", 60, || {
        fs::read_dir(&blobs).is_ok_and(|mut files| files.next().is_some()).then_some(())
    });
    terminal.interrupts();
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    let left: Vec<String> = files(&blobs).into_iter().filter(|name| name.len() != 64).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    yard.run("digest oci:layout:v1").fails();
    // And it can be had after all.
    yard.ok(&format!("pull {image} --to oci:layout:v1"));
    yard.ok("verify oci:layout:v1");
}

#[test]
fn bars_are_for_terminals_and_lines_for_logs() {
    let mut yard = Yard::new();
    let image = yard.image("team/app:v1");
    let logged = yard.run(&format!("pull {image} --to oci:lines"));
    assert!(logged.stderr.contains("layer") && logged.stderr.contains("copied"), "{logged}");
    assert!(!logged.stderr.contains('\u{1b}'), "{logged}");
    yard.sandbox.set("TERM", "xterm");
    // A terminal's program does not begin in the sandbox.
    let bars = yard.sandbox.at("work/bars");
    let terminal = yard.sandbox.terminal(&format!("{} pull {image} --to oci:{bars}", binary().display()));
    terminal.sees("total");
    let (code, screen) = terminal.ends();
    assert!(code == 0 && screen.contains("work/bars is sha256:"), "{screen}");
    let quiet = yard.run(&format!("pull -q {image} --to oci:quiet"));
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.ok(), yard.digest("oci:quiet"));
}

#[test]
fn a_mirror_is_read_and_its_registry_where_it_fails() {
    let yard = Yard::new();
    let (host, peer) = (yard.wharf.host(), yard.peer.clone());
    let image = yard.image("team/app:v1");
    yard.ok(&format!("copy {image} docker://{peer}/mirror/app:v2"));
    let conf = format!(
        "[[registry]]\nprefix = \"registry.example/team\"\nlocation = \"{host}/team\"\ninsecure = true\n\
        [[registry.mirror]]\nlocation = \"{peer}/mirror\"\ninsecure = true\n\
        [[registry]]\nlocation = \"registry.example/bad\"\nblocked = true\n"
    );
    yard.sandbox.write("registries.conf", &conf);
    let digest = yard.ok("digest registry.example/team/app:v2");
    let own = yard.run("digest registry.example/team/app:v1");
    assert!(own.stderr.contains("has no v1"), "{own}");
    assert_eq!(own.ok(), digest);
    yard.run("digest registry.example/bad/app:v1").fails_with("blocks registry.example/bad");
    // Where certificates are to be looked at, this machine is no exception.
    yard.run(&format!("digest --tls-verify {peer}/mirror/app:v2")).fails_with("cannot reach");
    yard.ok(&format!("digest --tls-verify=false {peer}/mirror/app:v2"));
}
