use super::EXIT_CODES;

#[test]
fn the_guide_has_the_same_exit_codes() {
    let guide = include_str!("../../../../docs/cli.md").replace('`', "");
    for (code, meaning) in EXIT_CODES {
        let row = format!("| {code} | {meaning} |");
        assert!(guide.contains(&row), "docs/cli.md does not have: {row}");
    }
}
