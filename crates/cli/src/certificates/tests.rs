use super::*;

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    folder
}

#[test]
fn the_first_folder_that_knows_the_host_counts_alone() {
    let own = folder(&["other.example/ca.crt"]);
    let system = folder(&["a.example:5000/ca.crt", "a.example:5000/me.cert", "a.example:5000/me.key"]);
    let later = folder(&["a.example:5000/other.crt"]);
    let folders = [own.path().to_owned(), system.path().to_owned(), later.path().to_owned()];
    let found = Certificates::of("a.example:5000", &folders).unwrap();
    let at = |name: &str| system.path().join("a.example:5000").join(name);
    assert_eq!(found, Certificates { authorities: vec![at("ca.crt")], client: Some((at("me.cert"), at("me.key"))) });
    assert_eq!(Certificates::of("a.example", &folders).unwrap(), Certificates::default());
}

#[test]
fn half_a_pair_is_an_error_that_names_the_other_half() {
    let keyless = folder(&["h/me.cert"]);
    let error = Certificates::of("h", &[keyless.path().to_owned()]).unwrap_err().to_string();
    assert!(error.contains("h/me.key is missing"), "{error}");
    let certless = folder(&["h/me.key"]);
    let error = Certificates::of("h", &[certless.path().to_owned()]).unwrap_err().to_string();
    assert!(error.contains("h/me.cert is missing"), "{error}");
}
