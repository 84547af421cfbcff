use super::found::outdated;
use super::list::Listed;
use super::*;
use crate::reach::Access;

fn whole(name: &str, filter: Filter, tags: &[&str]) -> Whole {
    Whole { name: name.into(), filter, tags: tags.iter().map(ToString::to_string).collect() }
}

fn gone(wholes: &[Whole], there: &[&str]) -> Vec<String> {
    let there: Vec<String> = there.iter().map(ToString::to_string).collect();
    outdated(wholes, "app", &there, false).iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_pruned_was_meant_and_is_at_no_source_any_more() {
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let there = ["v1", "v2", "old", signature.as_str()];
    assert_eq!(gone(&[whole("app", Filter::default(), &["v1"])], &there), ["v2", "old"]);
    let versions = || Filter::by_regex("^v").unwrap();
    assert_eq!(gone(&[whole("app", versions(), &["v1"])], &there), ["v2"]);
    let both = [whole("app", versions(), &["v1"]), whole("app", Filter::these(vec!["v2".into()]), &["v2"])];
    assert!(gone(&both, &there).is_empty());
    assert!(gone(&[whole("app", Filter::default(), &[])], &there).is_empty(), "a source without images is a mistake");
    assert!(gone(&[whole("other", Filter::default(), &["v1"])], &there).is_empty());
    let there: Vec<String> = there.iter().map(ToString::to_string).collect();
    assert_eq!(outdated(&[whole("app", versions(), &[])], "app", &there, true).len(), 2, "unless it is meant");
}

#[test]
fn places_are_told_apart() {
    let from = |text: &str| text.parse::<Whence>().unwrap();
    assert!(matches!(from("yaml:a/b.yml"), Whence::List(_)));
    assert!(matches!(from("dir:a"), Whence::Folders(_)));
    assert!(matches!(from("oci:a"), Whence::Layout(_)));
    assert!(matches!(from("docker://quay.io/a/b"), Whence::Repository(_)));
    assert!(matches!(from("docker-archive:a.tar"), Whence::DockerArchive(_)));
    assert_eq!(in_words_of(Some("docker"), "quay.io/a/b"), "docker://quay.io/a/b");
    assert_eq!(in_words_of(Some("docker"), "docker://quay.io/a/b"), "docker://quay.io/a/b");
    assert_eq!(in_words_of(Some("yaml"), "/a/b.yml"), "yaml:/a/b.yml");
    for text in ["yaml:", "oci:a:v1", "oci-archive:a", "docker-archive:a:b", "UPPER"] {
        text.parse::<Whence>().unwrap_err();
    }
    let to = |text: &str, name: &str| text.parse::<Whither>().unwrap().place(name).unwrap().to_string();
    assert_eq!(to("r.example/team/", "app:v1"), "r.example/team/app:v1");
    assert_eq!(to("r.example:5000", "app:v1"), "r.example:5000/app:v1");
    assert_eq!(to("localhost", "quay.io/a/b:v1"), "localhost/quay.io/a/b:v1");
    assert_eq!(to("team", "app:v1"), "team/app:v1");
    assert_eq!(to("dir:a/b", "app:v1"), "dir:a/b/app:v1");
    assert_eq!(to("oci:a", "app:v1"), "oci:a:app:v1");
    for text in ["r.example/team:v1", "oci:a:v1", "docker-archive:a"] {
        text.parse::<Whither>().unwrap_err();
    }
}

fn list(text: &str) -> Result<Vec<Listed>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    read(file.path(), &Access::default())
}

#[test]
fn a_list_of_skopeos_is_read() {
    let all = list(
        "quay.io:\n  tls-verify: false\n  images:\n    all: []\n    none:\n    some: ['1.0', \"sha256:00\"]\n  \
        images-by-tag-regex:\n    regex: ^1\\.\n  images-by-semver:\n    versions: '>= 1.2'\n  \
        credentials:\n    username: jane\n    password: hush\nr.example:\n  images:\n    a/b: [latest]\n",
    )
    .unwrap();
    let names = |listed: &Listed| listed.repositories.iter().map(|(at, _)| at.to_string()).collect::<Vec<_>>();
    let quay = ["all", "none", "some", "regex", "versions"].map(|name| format!("docker://quay.io/{name}"));
    assert_eq!((names(&all[0]), names(&all[1])), (quay.to_vec(), vec!["docker://r.example/a/b".to_owned()]));
    let filters: Vec<&Filter> = all[0].repositories.iter().map(|(_, filter)| filter).collect();
    assert!(filters[0].has("x") && filters[0].named().is_none() && filters[1].has("x"));
    assert_eq!(filters[2].named().unwrap(), ["1.0", "sha256:00"]);
    assert!(filters[3].has("1.5") && !filters[3].has("2.1.0"));
    assert!(filters[4].has("1.5") && !filters[4].has("1.1"));
    let access: Vec<&Access> = all.iter().map(|listed| &listed.access).collect();
    assert_eq!((access[0].tls_verify, access[1].tls_verify), (Some(false), None));
    assert_eq!(access[0].login.as_ref().unwrap().user(), "jane");
    assert!(access[1].login.is_none() && !format!("{:?}", access[0]).contains("hush"));
}

#[test]
fn what_is_no_list_is_refused_without_its_secrets() {
    for text in [
        "quay.io:\n  credentials: {username: jane, password: [hush]}\n",
        "quay.io:\n  credentials: {username: jane, passwort: hush}\n",
        "quay.io:\n  image: {a: []}\n",
        "quay.io:\n  images-by-tag-regex: {a: '('}\n",
        "quay.io:\n  images-by-semver: {a: newest}\n",
        "- hush\n",
        "quay.io: &a [*a, *a]\n",
        "{hush",
        "",
        "quay.io:\n  images: {'a:v1': []}\n",
        "quay.io:\n  images: {'../a': []}\n",
    ] {
        let error = list(text).err().unwrap_or_else(|| panic!("{text}"));
        assert!(matches!(error, Error::Usage(_)) && !error.to_string().contains("hush"), "{error}");
    }
}
