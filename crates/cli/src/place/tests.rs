use super::*;

fn place(text: &str) -> Place {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn places_are_written_as_they_are_read() {
    for text in [
        "team/app:v1",
        "localhost:5000/app",
        "docker://registry.example.com/team/app:v1",
        "oci:/tmp/layout",
        "oci:layout:v1",
        "oci:layout:registry.example.com/team/app:v1",
        "oci-archive:image.tar:v1",
        "docker-archive:image.tar:team/app:v1",
        "dir:/tmp/image",
        "dir:/tmp/with:colon",
        "docker-daemon:team/app:v1",
        "containers-storage:localhost/team/app:v1",
        "containers-storage:[vfs@/data/images]team/app@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        assert_eq!(place(text).to_string(), text);
    }
}

#[test]
fn a_path_ends_at_the_first_colon() {
    let expected = Place::Layout { path: "layout".into(), name: Some("a:b".into()) };
    assert_eq!(place("oci:layout:a:b"), expected);
    assert_eq!(place("oci:layout:"), Place::Layout { path: "layout".into(), name: None });
}

#[test]
fn docker_names_are_told_from_those_of_the_context() {
    let Place::Registry(docker) = place("docker://alpine") else { panic!("no registry") };
    let Place::Registry(bare) = place("alpine") else { panic!("no registry") };
    assert!(docker.is_docker && !bare.is_docker && docker.image == bare.image);
}

#[test]
fn what_is_no_place_is_refused_with_what_would_be() {
    for text in ["oci:", "dir:", "docker-archive::x", "containers-storage:", "docker-daemon:", "ostree:x"] {
        let error = text.parse::<Place>().unwrap_err();
        assert!(error.contains("expected [HOST/]NAME"), "{text}: {error}");
    }
    assert!("docker://Team/App".parse::<Place>().is_err());
}

#[test]
fn a_place_is_not_taken_for_an_image_of_that_name() {
    for text in ["oci:foo", "dir:x", "containers-storage:app", "docker-archive:app.tar"] {
        let error = text.parse::<AtRegistry>().unwrap_err();
        assert!(error.contains("wharf copy"), "{text}: {error}");
    }
    for text in ["https://registry.example.com/team/app:v1", "http://localhost:5000/team/app:v1"] {
        let error = text.parse::<Place>().unwrap_err();
        assert!(error.contains("without http") && error.contains("--tls-verify"), "{text}: {error}");
    }
    assert!("docker://dir:latest".parse::<AtRegistry>().is_ok());
}

#[test]
fn a_file_is_not_taken_for_an_image_that_is_written() {
    for text in ["app.tar", "team/app:v1", "localhost:5000/app"] {
        let error = with_transport(text).unwrap_err();
        assert!(error.contains(&format!("oci-archive:{text}")), "{text}: {error}");
    }
    assert!(with_transport("docker-archive").unwrap_err().contains("docker-archive:NAME"));
    for text in ["oci:app.tar", "docker://localhost:5000/app", "dir:x"] {
        assert_eq!(with_transport(text), Ok(place(text)));
    }
    assert!(destination("app.tar").unwrap_err().contains("app.tar:latest"));
    for text in ["team/app", "app", "app.tar:latest", "r.example/app.tar", "oci-archive:app.tar"] {
        assert_eq!(destination(text), Ok(place(text)));
    }
}
