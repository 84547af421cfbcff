//! Archives that lie.

use super::*;

fn image_with(layer: Tar) -> Vec<u8> {
    let images = json!([list("config.json", &json!(["a"]), "layer.tar")]);
    layer.file("config.json", config()).file("manifest.json", images.to_string()).end()
}

/// The error of an archive whose image has these entries for its layer.
fn error(layer: Tar) -> String {
    let place = Place::new();
    place.write(&image_with(layer));
    place.docker(None).unwrap_err()
}

/// An extended header with one record.
fn pax(record: &str) -> Tar {
    let length = record.len() + 4;
    Tar::default().entry("pax", tar::EntryType::XHeader, "", format!("{length} {record}\n").as_bytes())
}

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let place = Place::new();
    put(Box::new(OciDestination::new(&place.path(), None, &place.temporary()).unwrap()));
    let oci = fs::read(place.path()).unwrap();
    let docker = image_with(Tar::default().file("layer.tar", LAYER));
    for (bytes, is_oci) in [(oci, true), (docker, false)] {
        // One block of zeros is enough of an end mark.
        for cut in 0..=bytes.len() - 1024 {
            place.write(&bytes[..cut]);
            let read = if is_oci { place.oci(None) } else { place.docker(None) };
            assert!(read.is_err(), "{cut} of {}", bytes.len());
        }
    }
}

#[test]
fn a_layer_that_is_not_what_the_configuration_says_is_refused() {
    let wrong = error(Tar::default().file("layer.tar", "other content"));
    assert!(wrong.contains("image.tar: entry layer.tar: its content has digest"), "{wrong}");
    let place = Place::new();
    let images = json!([list(&format!("{}.json", sha(b"x").hex()), &Value::Null, "layer.tar")]);
    let tar = Tar::default().file(&format!("{}.json", sha(b"x").hex()), config()).file("layer.tar", LAYER);
    place.write(&tar.file("manifest.json", images.to_string()).end());
    assert!(place.docker(None).unwrap_err().contains("its content has digest"));
}

#[test]
fn layers_and_diff_ids_must_be_as_many() {
    let place = Place::new();
    let images = json!([{"Config": "config.json", "Layers": ["layer.tar", "layer.tar"]}]);
    let tar = Tar::default().file("config.json", config()).file("layer.tar", LAYER);
    place.write(&tar.file("manifest.json", images.to_string()).end());
    assert!(place.docker(None).unwrap_err().contains("it names 1 layers, and manifest.json has 2"));
}

#[test]
fn no_name_and_no_link_leads_out_of_the_archive() {
    let outside = TempDir::new().unwrap();
    let secret = outside.path().join("layer");
    fs::write(&secret, LAYER).unwrap();
    let secret = secret.to_str().unwrap();
    for tar in [
        Tar::default().link("layer.tar", secret),
        Tar::default().link("layer.tar", &format!("../../../../../../{secret}")),
        Tar::default().entry("layer.tar", tar::EntryType::Link, secret, b""),
    ] {
        assert!(error(tar).contains("entry layer.tar"), "a link");
    }
    let place = Place::new();
    for name in [secret.to_owned(), format!("../../../../..{secret}")] {
        let images = json!([list("config.json", &Value::Null, &name)]);
        place.write(&Tar::default().file("config.json", config()).file("manifest.json", images.to_string()).end());
        assert!(place.docker(None).is_err(), "{name}");
    }
}

#[test]
fn links_in_a_circle_end() {
    assert!(error(Tar::default().link("layer.tar", "x").link("x", "layer.tar")).contains("a link to a link"));
    assert!(error(Tar::default().link("layer.tar", "nowhere")).contains("a link to nowhere, which is not there"));
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let twice = Tar::default().file("layer.tar", LAYER).file("./layer.tar", "other");
    assert!(error(twice).contains("two entries have this name"));
}

#[test]
fn sparse_files_are_refused_in_each_of_their_forms() {
    assert!(error(Tar::default().entry("layer.tar", tar::EntryType::GNUSparse, "", LAYER)).contains("sparse"));
    let mut tar = pax("GNU.sparse.major=1");
    tar = tar.file("layer.tar", LAYER);
    assert!(error(tar).contains("sparse"));
}

#[test]
fn extension_headers_name_entries_and_stay_small() {
    let place = Place::new();
    let long = Tar::default().entry("././@LongLink", tar::EntryType::GNULongName, "", b"layer.tar\0");
    for tar in [long, pax("path=./layer.tar")] {
        place.write(&image_with(tar.file("ignored", LAYER)));
        assert_eq!(place.docker(None).unwrap(), whole());
    }
    place.write(&image_with(Tar::default().entry("x", tar::EntryType::XHeader, "", &vec![b' '; 2 << 20])));
    let error = DockerArchive::open(&place.path(), &place.limits()).unwrap_err().to_string();
    assert!(error.contains("a header of more than 1 MiB"), "{error}");
}

#[test]
fn a_size_beyond_the_file_is_refused() {
    let place = Place::new();
    for size in ["size=18446744073709551615", "size=99999999", "size=-1", "size=x"] {
        place.write(&image_with(pax(size).file("layer.tar", LAYER)));
        assert!(DockerArchive::open(&place.path(), &place.limits()).is_err(), "{size}");
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let place = Place::new();
    place.write(&compressed(&vec![0; 8 << 20], Compression::GZIP));
    assert!(place.oci(None).unwrap_err().contains("more than 1048576 bytes"));
    place.write(&image_with(Tar::default().file("layer.tar", compressed(&vec![0; 8 << 20], Compression::ZSTD))));
    assert!(place.docker(None).unwrap_err().contains("more than 1048576 bytes"));
    assert!(place.only_file(), "and leave nothing");
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    let place = Place::new();
    let mut file = fs::File::create(place.path()).unwrap();
    file.write_all(&vec![b'x'; 4096]).unwrap();
    assert!(place.oci(None).unwrap_err().contains("it is no tar file"));
    place.write(b"");
    assert!(place.docker(None).unwrap_err().contains("cut off"));
    assert!(OciArchive::open(place.0.path(), &place.limits()).unwrap_err().to_string().contains("it is a folder"));
}

#[test]
fn one_changed_byte_never_passes_for_the_image() {
    let place = Place::new();
    let bytes = image_with(Tar::default().file("layer.tar", LAYER));
    proptest!(ProptestConfig::with_cases(600), |(at in 0..bytes.len(), to in any::<u8>())| {
        let mut changed = bytes.clone();
        changed[at] = to;
        place.write(&changed);
        if let Ok(read) = place.docker(None) {
            prop_assert_eq!(&read[1], LAYER);
        }
    });
}
