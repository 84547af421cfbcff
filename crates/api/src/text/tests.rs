use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;

use super::*;

#[test]
fn examples_are_what_they_are_examples_of() {
    for (name, _, example, accepts) in ALL {
        assert!(accepts(example), "{name}: {example}");
    }
}

#[test]
fn nothing_is_accepted_that_would_break_a_line_or_a_url() {
    for (name, _, _, accepts) in ALL {
        for text in ["a\nb", "a\0b", "\u{7f}", "\u{85}"] {
            assert!(!accepts(text), "{name}: {text:?}");
        }
        assert!(!accepts(&"a".repeat(513)), "{name} has no end");
    }
}

#[test]
fn lengths_are_of_characters_as_in_json_schema() {
    assert!("é".repeat(500).parse::<Description>().is_ok());
    assert!("é".repeat(501).parse::<Description>().is_err());
}

#[test]
fn an_error_says_what_is_expected() {
    let error = "Team".parse::<Name>().unwrap_err().to_string();
    assert!(error.starts_with("a name is expected to be 1 to 253 lower-case letters and digits"), "{error}");
}

/// Too long ones aside, what the document's pattern allows is what is accepted.
#[test]
fn what_the_patterns_allow_is_accepted() {
    for (name, pattern, _, accepts) in ALL {
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        let texts = string_regex(&pattern.replace("\\u00", "\\x")).unwrap();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..50 {
            let text = texts.new_tree(&mut runner).unwrap().current();
            let long = text.chars().count() > 60 || text.chars().count() < 9;
            assert!(long || accepts(&text), "{name}: {text:?}");
        }
    }
}

proptest! {
    #[test]
    fn names_are_components_of_repository_names(text in "[a-z0-9._-]{1,12}") {
        let is_component = text.parse::<wharf_oci::RepoName>().is_ok();
        prop_assert_eq!(text.parse::<Name>().is_ok(), is_component);
        prop_assert_eq!(text.parse::<Target>().is_ok(), is_component);
        prop_assert_eq!(format!("{text}+ci").parse::<RobotName>().is_ok(), is_component);
    }
}
