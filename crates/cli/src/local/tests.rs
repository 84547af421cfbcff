use super::{names_of, spellings, storage_of};

#[test]
fn a_name_is_looked_for_with_its_host_then_as_built_here_then_bare() {
    let names = |text: &str| names_of(&text.parse().unwrap());
    let full = ["registry.example.com/team/app:v1", "localhost/team/app:v1", "team/app:v1"];
    assert_eq!(names("registry.example.com/team/app:v1"), full);
    assert_eq!(names("h:5000/app"), ["h:5000/app:latest", "localhost/app:latest", "app:latest"]);
}

#[test]
fn a_name_without_a_host_is_podmans_or_docker_hubs() {
    assert_eq!(spellings("app:v1"), ["app:v1", "localhost/app:v1", "docker.io/library/app:v1"]);
    assert_eq!(spellings("quay.io/app"), ["quay.io/app"]);
    // An id may be a name, too.
    assert_eq!(spellings("0123abcd")[0], "0123abcd");
}

#[test]
fn a_storage_may_be_written_before_the_name() {
    for written in ["[vfs@/data/images]app:v1", "[vfs@/data/images+/run/images:vfs.option=1]app:v1"] {
        let (storage, name) = storage_of(written).unwrap();
        assert_eq!(name, "app:v1");
        assert!(format!("{storage:?}").contains("driver: \"vfs\", roots: [\"/data/images\"]"), "{storage:?}");
    }
    for bad in ["[vfs@relative]app", "[vfs]app", "[]app"] {
        assert!(storage_of(bad).unwrap_err().to_string().contains("names no storage"), "{bad}");
    }
}
