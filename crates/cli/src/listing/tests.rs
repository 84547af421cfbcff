use super::*;

#[test]
fn tags_that_only_programs_read_are_told_from_those_of_people() {
    let hex = "a".repeat(64);
    for tag in [format!("sha256-{hex}"), format!("sha256-{hex}.sig"), format!("sha512-{hex}")] {
        assert!(is_of_programs(&tag), "{tag}");
    }
    for tag in ["v1", "sha256-short", "sha256-feature.sig"] {
        assert!(!is_of_programs(tag), "{tag}");
    }
}
