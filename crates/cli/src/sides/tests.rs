use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    access: Access,
}

/// Files, folders, whether certificates are looked at, and whether nobody is asked as; of the source and the destination.
fn ends(line: &str) -> [String; 2] {
    let Line { sides, access } = Line::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
    [sides.source(&access), sides.destination(&access)].map(|end| {
        let shown = |path: Option<PathBuf>| path.map_or("-".to_owned(), |path| path.display().to_string());
        format!("{} {} {:?} {}", shown(end.authfile), shown(end.cert_dir), end.tls_verify, end.no_creds)
    })
}

#[test]
fn what_is_said_of_one_end_wins_over_what_is_said_of_both() {
    assert_eq!(ends("x --authfile a --cert-dir c"), ["a c None false", "a c None false"]);
    assert_eq!(
        ends("x --authfile a --dest-authfile b --src-cert-dir s --tls-verify --dest-tls-verify=false"),
        ["a s Some(true) false", "b - Some(false) false"]
    );
    assert_eq!(ends("x --authfile a --src-no-creds"), ["- - None true", "a - None false"]);
    assert_eq!(ends("x --no-creds --dest-authfile b"), ["- - None true", "b - None false"]);
    assert!(Line::try_parse_from(["x", "--src-no-creds", "--src-authfile", "a"]).is_err());
}
