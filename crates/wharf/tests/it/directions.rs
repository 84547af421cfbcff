//! Which room may use which, and what nobody may.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// HOUSE.md, rooms, directions. A room that is not here may not exist.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wharf", &["server", "cli"]),
    ("server", &["http", "registry", "meta", "blob", "client", "oci"]),
    ("cli", &["client", "image", "api", "oci"]),
    ("http", &["registry", "api", "oci"]),
    ("registry", &["meta", "blob", "client", "image", "oci"]),
    ("operator", &["client", "api", "oci"]),
    ("client", &["api", "oci"]),
    ("image", &["oci"]),
    ("meta", &["oci"]),
    ("blob", &["oci"]),
    ("api", &["oci"]),
    ("oci", &[]),
    ("testkit", &["api", "blob", "client", "http", "meta", "oci", "registry", "server"]),
    ("e2e", &["testkit", "oci"]),
    ("bench", &["client", "testkit"]),
];

/// Crates that must not be linked, and why.
const BANNED: &[(&str, &str)] = &[
    ("ring", "one TLS and signature provider: aws-lc-rs"),
    ("openssl-sys", "rustls only; the binary depends on no system library"),
    ("native-tls", "rustls only"),
    ("tokio-tar", "unmaintained, RUSTSEC-2025-0111"),
    ("serde_yaml", "unmaintained"),
    ("sqlx", "links a second sqlite3, and costs ten times as much per read"),
];

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).other_options(vec!["--offline".into()]).exec().unwrap()
}

fn room(package: &Package) -> &str {
    package.name.strip_prefix("wharf-").unwrap_or(&package.name)
}

#[test]
fn rooms_use_only_what_the_house_draws() {
    let metadata = metadata();
    let rules: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let rooms: BTreeSet<&str> = metadata.workspace_packages().into_iter().map(room).collect();
    for package in metadata.workspace_packages() {
        let allowed = rules.get(room(package)).unwrap_or_else(|| panic!("{} has no place in the house", package.name));
        for dependency in &package.dependencies {
            let Some(used) = dependency.name.strip_prefix("wharf-").filter(|used| rooms.contains(used)) else {
                continue;
            };
            let for_tests = dependency.kind == DependencyKind::Development && used == "testkit";
            assert!(for_tests || allowed.contains(&used), "{} must not use {used}", room(package));
        }
    }
}

#[test]
fn every_room_inherits_the_lints() {
    for package in metadata().workspace_packages() {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{} does not inherit the workspace's lints", package.name);
    }
}

/// Asks `cargo tree`: the lock file, and cargo's metadata with it, also list optional crates that nothing turns on.
#[test]
fn nothing_banned_is_linked() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let mut tree = std::process::Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--workspace", "--target", "all", "--edges", "normal,build", "--prefix", "none"]);
    let tree = tree.args(["--manifest-path", manifest]).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let linked: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(linked.contains("rustls"), "the tree is not ours: {tree}");
    for (name, reason) in BANNED {
        assert!(!linked.contains(name), "{name} is linked: {reason}");
    }
}
