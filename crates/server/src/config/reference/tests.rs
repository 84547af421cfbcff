use std::path::Path;

use super::super::tests::from_file;
use super::*;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Fails with the command that renews the committed file.
fn is_committed(name: &str, text: &str) {
    let committed = Path::new(ROOT).join("docs/reference").join(name);
    if std::fs::read_to_string(&committed).is_ok_and(|there| there == text) {
        return;
    }
    let renewed = Path::new(ROOT).join("target").join(name);
    std::fs::create_dir_all(Path::new(ROOT).join("target")).unwrap();
    std::fs::write(&renewed, text).unwrap();
    panic!("docs/reference/{name} is not what the settings say: cp target/{name} docs/reference/{name}");
}

#[test]
fn the_committed_reference_is_that_of_the_settings() {
    is_committed("configuration.md", &reference_markdown());
}

#[test]
fn the_committed_example_is_that_of_the_settings() {
    is_committed("wharf.example.toml", &example_toml());
}

#[test]
fn the_example_changes_nothing_with_or_without_its_comment_signs() {
    let example = example_toml();
    assert_eq!(from_file(&example).unwrap().config, Config::default());
    let uncommented =
        |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
    let bare: Vec<_> = example.lines().map(uncommented).collect();
    let loaded = from_file(&bare.join("\n")).unwrap();
    assert_eq!(loaded.config, Config::default());
    let unsaid = super::super::settings().find(|setting| *loaded.origin(setting.key) == super::super::Origin::Default);
    assert!(unsaid.is_none(), "{unsaid:?}");
}

#[test]
fn every_setting_says_what_it_means_in_at_most_three_sentences() {
    for setting in super::super::settings() {
        let sentences = setting.doc.matches(". ").count() + 1;
        assert!(setting.doc.trim().ends_with('.') && sentences <= 4, "{}", setting.key);
    }
}
