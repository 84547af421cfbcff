use super::*;

/// What `skopeo sync` and `wharf sync` are both told.
fn list(yard: &Yard, password: &str) -> String {
    format!(
        "'{}':\n  tls-verify: false\n  credentials: {{username: admin, password: '{password}'}}\n  \
        images:\n    team/app: [v1, v2]\n    team/other: []\n  images-by-tag-regex:\n    team/many: ^1[.]\n",
        yard.wharf.host()
    )
}

fn filled(yard: &Yard) {
    let image = yard.image("team/app:v1");
    let host = yard.wharf.host();
    for tag in ["app:v2", "app:unnamed", "other:latest", "many:1.0", "many:1.1", "many:2.0"] {
        yard.ok(&format!("copy {image} {host}/team/{tag}"));
    }
}

/// Every file of a `dir:` image but the one that says which program's version wrote it.
fn image_of(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let names = files(folder).into_iter().filter(|name| name != "version");
    names.map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap())).collect()
}

#[test]
fn a_list_means_the_same_to_skopeo() {
    let yard = Yard::new();
    filled(&yard);
    yard.sandbox.write("work/list.yml", &list(&yard, yard.wharf.password()));
    for flags in ["", "--scoped"] {
        let (ours, theirs) = (format!("ours{flags}"), format!("theirs{flags}"));
        yard.sandbox.ok(&format!("mkdir {theirs}"));
        yard.ok(&format!("sync {flags} yaml:list.yml dir:{ours}"));
        yard.sandbox.ok(&format!("skopeo sync {flags} --src yaml --dest dir list.yml {theirs}"));
        let found = |name: &str| yard.sandbox.ok(&format!("find {name} -name manifest.json -printf %P\\n"));
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let folders = sorted(found(&ours));
        assert_eq!(folders.len(), 5, "{folders:?}");
        assert_eq!(folders, sorted(found(&theirs)));
        for folder in folders {
            let below =
                |root: &str| yard.sandbox.path(&format!("work/{root}/{}", folder.trim_end_matches("/manifest.json")));
            assert_eq!(image_of(&below(&ours)), image_of(&below(&theirs)), "{folder}");
        }
    }
    // Each carries what the other wrote.
    let peer = &yard.peer;
    yard.sandbox.ok(&format!("skopeo sync --dest-tls-verify=false --src dir --dest docker ours {peer}/skopeo"));
    yard.ok(&format!("sync dir:theirs {peer}/wharf"));
    for name in ["app:v1", "app:v2", "other:latest", "many:1.0", "many:1.1"] {
        let digest = yard.digest(&format!("docker://{peer}/skopeo/{name}"));
        assert_eq!(digest, yard.digest(&format!("docker://{peer}/wharf/{name}")), "{name}");
        assert_eq!(digest, yard.digest(&format!("docker://{}/team/app:v1", yard.wharf.host())), "{name}");
    }
    // Registry to registry, both by the same list.
    yard.sandbox.ok(&format!("skopeo sync --dest-tls-verify=false --src yaml --dest docker list.yml {peer}/again"));
    let again = yard.ok(&format!("sync --json yaml:list.yml docker://{peer}/again"));
    let summary: Value = serde_json::from_str(again.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["unchanged"], &summary["copied"]), (&json!(5), &json!(0)), "{again}");
}

#[test]
fn a_secret_of_a_list_is_in_no_command_line_and_no_output() {
    let yard = Yard::new();
    filled(&yard);
    yard.sandbox.write("registries.conf", "");
    yard.sandbox.write("work/list.yml", &list(&yard, "not-the-password"));
    let ran = yard.run("sync yaml:list.yml dir:out");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("not-the-password"), "{ran}");
    ran.fails_with("4 failed");
    yard.sandbox.write("work/bad.yml", &list(&yard, "not-the-password").replace("images:", "image:"));
    let bad = yard.run("sync yaml:bad.yml dir:out");
    assert!(!bad.stderr.contains("not-the-password"), "{bad}");
    bad.fails_with("bad.yml: this is no list of images by registry");
}

#[test]
fn a_registry_of_another_kind_is_filled_and_says_what_it_cannot_delete() {
    let yard = Yard::new();
    filled(&yard);
    let (host, peer) = (yard.wharf.host(), yard.peer.clone());
    yard.ok(&format!("sync {host}/team/many {peer}/mirror --tags-semver '>= 1.0, < 2'"));
    let mut tags: Vec<String> = yard.ok(&format!("tags list {peer}/mirror/many")).lines().map(str::to_owned).collect();
    tags.sort();
    assert_eq!(tags, ["1.0", "1.1"]);
    yard.ok(&format!("copy {host}/team/many:2.0 {peer}/mirror/many:0.9"));
    let refused = yard.run(&format!("sync {host}/team/many {peer}/mirror --prune"));
    assert!(!refused.stderr.contains("wharf delete"), "other tags would be lost: {refused}");
    refused.fails_with("this image has 3 other tags, 1.0, 1.1, 2.0, and stays");
    // And from there to ours, where what is gone can go.
    yard.ok(&format!("sync {peer}/mirror/many {host}/back"));
    yard.ok(&format!("copy {host}/team/many:2.0 {host}/back/many:3.0"));
    let pruned = yard.ok(&format!("sync {peer}/mirror/many {host}/back --prune --yes"));
    assert!(pruned.contains("back/many:3.0 is deleted"), "{pruned}");
    assert!(!yard.ok(&format!("tags list {host}/back/many")).contains("3.0"));
}

#[test]
fn pruning_asks_at_a_terminal() {
    let yard = Yard::new();
    filled(&yard);
    let host = yard.wharf.host();
    for name in ["v1", "gone"] {
        yard.ok(&format!("copy {host}/team/app:v1 {host}/mirror/app:{name}"));
    }
    let line = format!("{} sync --prune {host}/team/app {host}/mirror", binary().display());
    let mut terminal = yard.sandbox.terminal(&line);
    terminal.sees(&format!("Delete 1 tag that the source has no more: {host}/mirror/app:gone? [y/N] "));
    terminal.types("n");
    let (code, screen) = terminal.ends();
    assert!(code == 1 && screen.contains("nothing was deleted"), "{screen}");
    assert!(yard.ok(&format!("tags list {host}/mirror/app")).contains("gone"));
    yard.ok(&format!("sync --prune --yes {host}/team/app {host}/mirror"));
    assert!(!yard.ok(&format!("tags list {host}/mirror/app")).contains("gone"));
}
