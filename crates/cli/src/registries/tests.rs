use super::*;

fn read(files: &[&str]) -> Registries {
    let mut all = Registries::default();
    for text in files {
        all.add(std::path::Path::new("registries.conf"), text).unwrap();
    }
    all
}

fn image(text: &str) -> ImageName {
    text.parse().unwrap()
}

fn places(spots: &[Spot]) -> Vec<String> {
    spots.iter().map(|spot| spot.image.to_string()).collect()
}

#[test]
fn the_longest_prefix_says_where_an_image_lies() {
    let all = read(&[r#"
        [[registry]]
        prefix = "example.com/team"
        location = "inside.example.net:5000/mirror/team"
        insecure = true
        [[registry]]
        location = "example.com"
    "#]);
    let moved = all.write_to(&image("example.com/team/app:v1")).unwrap();
    assert_eq!(
        (moved.image.to_string().as_str(), moved.insecure),
        ("inside.example.net:5000/mirror/team/app:v1", true)
    );
    for kept in ["example.com/teams/app:v1", "example.com:5000/team/app", "example.org/team/app"] {
        let spot = all.write_to(&image(kept)).unwrap();
        assert_eq!((spot.image, spot.insecure), (image(kept), false));
    }
}

#[test]
fn a_prefix_may_stand_for_all_hosts_of_a_domain() {
    let all = read(&["[[registry]]\nprefix = \"*.example.com\"\ninsecure = true\n"]);
    assert!(all.write_to(&image("a.b.example.com:5000/app")).unwrap().insecure);
    assert!(!all.write_to(&image("example.com/app")).unwrap().insecure);
    assert!(!all.write_to(&image("badexample.com/app")).unwrap().insecure);
}

#[test]
fn mirrors_come_first_where_they_serve_what_is_asked() {
    let all = read(&[r#"
        [[registry]]
        location = "example.com"
        [[registry.mirror]]
        location = "one.example.net/all"
        [[registry.mirror]]
        location = "two.example.net"
        pull-from-mirror = "digest-only"
        [[registry.mirror]]
        location = "three.example.net"
        pull-from-mirror = "tag-only"
    "#]);
    let by_tag = places(&all.read_from(&image("example.com/app:v1")).unwrap());
    assert_eq!(by_tag, ["one.example.net/all/app:v1", "three.example.net/app:v1", "example.com/app:v1"]);
    let digest = format!("example.com/app@sha256:{}", "a".repeat(64));
    let by_digest = places(&all.read_from(&image(&digest)).unwrap());
    assert!(by_digest[0].starts_with("one.example.net/all/app@") && by_digest[1].starts_with("two.example.net/app@"));
    assert_eq!(by_digest.len(), 3);
    assert_eq!(all.write_to(&image("example.com/app:v1")).unwrap().image, image("example.com/app:v1"));
}

#[test]
fn mirrors_may_serve_digests_only() {
    let all = read(&[r#"
        [[registry]]
        location = "example.com"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "one.example.net"
    "#]);
    assert_eq!(places(&all.read_from(&image("example.com/app:v1")).unwrap()), ["example.com/app:v1"]);
}

#[test]
fn what_is_blocked_is_neither_read_nor_written() {
    let all = read(&["[[registry]]\nlocation = \"example.com/bad\"\nblocked = true\n"]);
    let refused = all.read_from(&image("example.com/bad/app")).unwrap_err().to_string();
    assert!(refused.contains("blocks example.com/bad"), "{refused}");
    assert!(all.write_to(&image("example.com/bad:v1")).is_err());
    assert!(all.write_to(&image("example.com/good/app")).is_ok());
}

#[test]
fn a_later_file_replaces_entries_and_lists_but_keeps_the_rest() {
    let all = read(&[
        "unqualified-search-registries = [\"a.example\", \"b.example\"]\n[[registry]]\nlocation = \"x.example\"\ninsecure = true\n",
        "unqualified-search-registries = [\"c.example\"]\n[aliases]\napp = \"x.example/team/app\"\n",
        "[[registry]]\nlocation = \"y.example\"\nblocked = true\n",
    ]);
    assert_eq!(all.searched(), ["c.example"]);
    assert!(all.write_to(&image("x.example/app")).unwrap().insecure);
    assert!(all.write_to(&image("y.example/app")).is_err());
    assert_eq!(all.short(&image("app:v1")).unwrap(), Short::Known(image("x.example/team/app:v1")));
}

#[test]
fn a_short_name_is_never_guessed_among_several_registries() {
    let several = read(&["unqualified-search-registries = [\"a.example\", \"b.example\"]\n"]);
    let both = vec![image("a.example/team/app:v1"), image("b.example/team/app:v1")];
    assert_eq!(several.short(&image("team/app:v1")).unwrap(), Short::OneOf(both));
    assert_eq!(read(&[]).short(&image("team/app")).unwrap(), Short::Unknown);
}

#[test]
fn files_are_read_in_order_and_missing_ones_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("d")).unwrap();
    std::fs::write(at("main.conf"), "unqualified-search-registries = [\"main.example\"]").unwrap();
    std::fs::write(at("system.conf"), "this is not read").unwrap();
    std::fs::write(at("d/20.conf"), "unqualified-search-registries = [\"second.example\"]").unwrap();
    std::fs::write(at("d/10.conf"), "unqualified-search-registries = [\"first.example\"]").unwrap();
    std::fs::write(at("d/30.txt"), "this is not read").unwrap();
    let main = vec![at("absent.conf"), at("main.conf"), at("system.conf")];
    let files = Files { main, drop_ins: vec![at("absent"), at("d")], chosen: Some(at("absent")) };
    assert_eq!(files.read().unwrap().searched(), ["second.example"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let mut all = Registries::default();
    for text in ["[[registry]\n", "[[registry]]\ninsecure = true\n", "[registries.search]\nregistries = []\n"] {
        let error = all.add(std::path::Path::new("/etc/x.conf"), text).unwrap_err().to_string();
        assert!(error.starts_with("/etc/x.conf: ") && error.contains("containers-registries.conf(5)"), "{error}");
    }
    let third_line = all.add(std::path::Path::new("/etc/x.conf"), "# one\n\n[[registry\n").unwrap_err().to_string();
    assert!(third_line.starts_with("/etc/x.conf: line 3: "), "{third_line}");
}
