use wharf_image::Error as Image;

use super::*;

fn cut() -> registry::Error {
    let (place, what, problem) = ("r.example/app".into(), "blob sha256:…".into(), "connection reset".into());
    registry::Error::Cut { place, what, at: 3, problem }
}

fn missing() -> registry::Error {
    registry::Error::NotFound { place: "r.example/app".into(), what: "blob".into(), said: "unknown".into() }
}

/// As a registry's words come out of readers, into files and into other registries.
fn through_readers(error: fn() -> registry::Error) -> [Error; 4] {
    let read = || io::Error::other(error());
    [
        Error::Registry(error()),
        Error::Image(Image::Incoming(read())),
        Error::Registry(registry::Error::Source {
            place: "other.example/app".into(),
            source: io::Error::other(read()),
        }),
        Error::Read { shown: "r.example/app:v1".into(), source: io::Error::other(Error::Registry(error())) },
    ]
}

#[test]
fn what_a_registry_said_counts_wherever_it_was_being_carried() {
    for error in through_readers(cut) {
        assert_eq!((error.exit_code(), error.is_damage(), error.is_not_found()), (5, false, false), "{error:?}");
    }
    for error in through_readers(missing) {
        assert_eq!((error.exit_code(), error.is_damage(), error.is_not_found()), (4, true, true), "{error:?}");
    }
}

#[test]
fn damage_is_told_from_what_may_go_well_later() {
    let damaged = Image::Damaged { place: "app.tar".into(), reason: "it ends early".into() };
    assert!(Error::Read { shown: "app".into(), source: io::Error::other(damaged) }.is_damage());
    assert!(Error::Read { shown: "app".into(), source: io::ErrorKind::InvalidData.into() }.is_damage());
    assert!(!Error::Read { shown: "app".into(), source: io::Error::other("given up") }.is_damage());
    assert!(!Error::Failed("podman is not here".into()).is_damage());
}

#[test]
fn what_could_not_be_compared_is_not_what_is_different() {
    let failed = |error| Error::NotCompared(Box::new(error)).exit_code();
    assert_eq!(Error::Different("a and b".into()).exit_code(), 1);
    assert_eq!(failed(Error::Failed("the disk is full".into())), 2);
    assert_eq!(failed(Error::NotFound("no such image".into())), 4);
}
