use super::*;

#[test]
fn legal_names_are_taken() {
    for name in ["a", "alpine", "team/app", "a.b/c_d/e__f/g-h/i---j", "0/1", "blobs/uploads", "x/manifests/tags/list"] {
        assert_eq!(name.parse::<RepoName>().unwrap().asked(), name);
    }
}

#[test]
fn illegal_names_are_refused() {
    for name in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "team/App",
        "a..b",
        "a___b",
        "a._b",
        "-a",
        "a-",
        "a.",
        "_a",
        "a b",
        "a/../b",
        ".",
        "..",
        "a%2fb",
        "caf\u{e9}",
        "a\0b",
        "a\\b",
        "a:b",
        "a@b",
    ] {
        assert!(matches!(name.parse::<RepoName>(), Err(NameError::Malformed(_))), "{name:?}");
    }
}

#[test]
fn a_name_may_have_255_characters_and_no_more() {
    assert!(format!("a/{}", "a".repeat(253)).parse::<RepoName>().is_ok());
    assert_eq!(format!("a/{}", "a".repeat(254)).parse::<RepoName>(), Err(NameError::TooLong(256)));
    let short = "a".repeat(255 - "library/".len());
    let canonical = short.parse::<RepoName>().unwrap().as_str().to_owned();
    assert!(canonical.parse::<RepoName>().is_ok(), "what is stored can be read again");
    assert_eq!(format!("{short}a").parse::<RepoName>(), Err(NameError::TooLong(256)));
}

#[test]
fn an_org_is_what_a_name_can_begin_with() {
    assert!(RepoName::is_org("team") && RepoName::is_org(&"a".repeat(253)));
    for bad in ["", "Team", "a/b", "a--", &"a".repeat(254)] {
        assert!(!RepoName::is_org(bad), "{bad}");
    }
}

#[test]
fn a_short_name_and_its_library_form_are_one_repository() {
    let short: RepoName = "alpine".parse().unwrap();
    let long: RepoName = "library/alpine".parse().unwrap();
    assert_eq!(short, long);
    assert_eq!((short.as_str(), short.asked(), short.org()), ("library/alpine", "alpine", "library"));
    assert_eq!((long.as_str(), long.asked()), ("library/alpine", "library/alpine"));
}
