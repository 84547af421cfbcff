use std::fs;
use std::io::Read as _;

use serde_json::json;
use wharf_oci::Descriptor;

mod hand_made;

use super::{Found, Storage};
use crate::archive::{Limits, OciArchive};
use crate::layout::Layout;
use crate::{Destination as _, Error, Source};
use hand_made::{HandMade, Packed, compressed, sha256};

const BIG: &[u8] = &[7; 100_000];

/// Two layers, the upper with files that the lower has.
fn two_layers(driver: &'static str) -> (HandMade, [Packed; 2]) {
    let mut made = HandMade::new(driver);
    let lower = made.layer("aaa1", "", &[("etc/hosts", b"localhost\n"), ("empty", b""), ("bin/big", BIG)]);
    let upper = made.layer("aaa2", "aaa1", &[("./etc/hosts", b"others\n")]);
    made.image("localhost/team/app:v1", &[&lower, &upper]);
    (made, [lower, upper])
}

fn found(storage: &Storage, name: &str) -> Found {
    storage.find(name).unwrap().unwrap_or_else(|| panic!("{name} is not found"))
}

fn read(source: &dyn Source, descriptor: &Descriptor) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![];
    source.blob(descriptor).unwrap().read_to_end(&mut bytes).map(|_| bytes)
}

/// What the layer's content is called.
fn tar_of(source: &dyn Source, layer: &Packed) -> Descriptor {
    let named = Descriptor::new("application/vnd.oci.image.layer.v1.tar+gzip", compressed(layer), 77);
    source.unpacked(&named).unwrap().expect("the layer is unpacked")
}

fn failure(source: &dyn Source, layer: &Packed) -> String {
    read(source, &tar_of(source, layer)).expect_err("should not give the whole layer").to_string()
}

#[test]
fn layers_come_out_as_they_went_in() {
    for driver in ["overlay", "vfs"] {
        let (made, layers) = two_layers(driver);
        let source = found(&made.open(), "localhost/team/app:v1").open().unwrap();
        for layer in &layers {
            let tar = tar_of(&*source, layer);
            assert_eq!((&tar.digest, tar.size), (&layer.diff_id(), layer.tar.len() as u64));
            assert_eq!(read(&*source, &tar).unwrap(), layer.tar, "{driver}");
        }
        let manifest = source.root().unwrap();
        let config = manifest.view().unwrap().config.unwrap();
        assert_eq!(sha256(&read(&*source, &config).unwrap()), config.digest);
    }
}

#[test]
fn the_manifest_is_the_one_that_was_pulled() {
    let mut made = HandMade::new("overlay");
    let layer = made.layer("aaa1", "", &[("a", b"a")]);
    let (manifest, _) = made.image("localhost/app:v1", &[&layer]);
    let source = found(&made.open(), "localhost/app:v1").open().unwrap();
    assert_eq!(source.root().unwrap().bytes, manifest);
    assert_eq!(source.manifest(&sha256(&manifest)).unwrap().bytes, manifest);
    assert!(matches!(source.manifest(&sha256(b"another")), Err(Error::Missing { .. })));
    // Whose bytes nobody has.
    let named = source.root().unwrap().view().unwrap().layers.remove(0);
    assert!(matches!(source.blob(&named).err(), Some(Error::Missing { .. })));
}

#[test]
fn an_image_is_found_by_name_id_and_digest() {
    let mut made = HandMade::new("overlay");
    let layer = made.layer("aaa1", "", &[("a", b"a")]);
    let (manifest, id) = made.image("docker.io/library/app:latest", &[&layer]);
    let storage = made.open();
    let digest = sha256(&manifest);
    let names = [
        "docker.io/library/app:latest".to_owned(),
        "docker.io/library/app".to_owned(),
        id.clone(),
        id[..12].to_owned(),
        format!("sha256:{id}"),
        digest.to_string(),
        format!("docker.io/library/app@{digest}"),
        format!("docker.io/library/app:v9@{digest}"),
    ];
    for name in &names {
        assert_eq!(found(&storage, name).id(), id, "{name}");
    }
    let others = [
        "app:latest",
        "docker.io/library/app:v1",
        "fff",
        "",
        "docker.io/library/apps",
        &format!("quay.io/app@{digest}"),
    ];
    for name in others {
        assert!(storage.find(name).unwrap().is_none(), "{name}");
    }
}

#[test]
fn a_short_id_of_two_images_is_refused() {
    let mut made = HandMade::new("overlay");
    made.keep("abc1", "localhost/one:v1", None, &[]);
    made.keep("abc2", "localhost/two:v1", None, &[]);
    let error = made.open().find("abc").unwrap_err().to_string();
    assert!(error.contains("several images have ids that begin with abc"), "{error}");
}

#[test]
fn what_changes_while_it_is_read_is_an_error_that_names_it() {
    let (made, [lower, _]) = two_layers("overlay");
    let source = found(&made.open(), "localhost/team/app:v1").open().unwrap();
    let file = made.files("aaa1").join("bin/big");
    let mut others = BIG.to_vec();
    others[99_999] = 8;
    fs::write(&file, others).unwrap();
    assert!(failure(&*source, &lower).contains("bin/big changed in podman's storage: its bytes are others"));
    fs::write(&file, &BIG[1..]).unwrap();
    assert!(
        failure(&*source, &lower).contains("bin/big changed in podman's storage: it has 99999 bytes instead of 100000")
    );
    fs::remove_file(&file).unwrap();
    assert!(failure(&*source, &lower).contains("bin/big changed in podman's storage: it is gone"));
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert!(failure(&*source, &lower).contains("bin/big changed in podman's storage: a link is in its place"));
    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(failure(&*source, &lower).contains("bin/big changed in podman's storage: it is no file"));
}

#[test]
fn an_image_removed_after_it_was_opened_is_an_error() {
    let (made, [lower, upper]) = two_layers("overlay");
    let source = found(&made.open(), "localhost/team/app:v1").open().unwrap();
    let (first, second) = (tar_of(&*source, &lower), tar_of(&*source, &upper));
    let mut begun = source.blob(&first).unwrap();
    begun.read_exact(&mut [0; 600]).unwrap();
    fs::remove_dir_all(made.root()).unwrap();
    let error = std::io::copy(&mut begun, &mut std::io::sink()).unwrap_err().to_string();
    assert!(error.contains("bin/big changed in podman's storage: it is gone"), "{error}");
    assert!(source.blob(&second).is_err());
}

#[test]
fn names_lead_nowhere_but_into_the_layer() {
    let mut made = HandMade::new("overlay");
    let layer = made.layer("aaa1", "", &[("usr/lib/x", b"inside"), ("lib/x", b"inside")]);
    made.image("localhost/app:v1", &[&layer]);
    // As the layer's own links lead: `lib` was one when the tar was unpacked.
    fs::remove_dir_all(made.files("aaa1").join("lib")).unwrap();
    std::os::unix::fs::symlink("/usr/lib", made.files("aaa1").join("lib")).unwrap();
    let source = found(&made.open(), "localhost/app:v1").open().unwrap();
    assert_eq!(read(&*source, &tar_of(&*source, &layer)).unwrap(), layer.tar);

    let outside = made.root().join("secret");
    fs::write(&outside, "inside").unwrap();
    fs::remove_file(made.files("aaa1").join("lib")).unwrap();
    for target in [made.root().to_str().unwrap(), "../../.."] {
        std::os::unix::fs::symlink(target, made.files("aaa1").join("lib")).unwrap();
        fs::copy(&outside, made.root().join("x")).unwrap();
        assert!(failure(&*source, &layer).contains("lib/x changed in podman's storage: it is gone"), "{target}");
        fs::remove_file(made.files("aaa1").join("lib")).unwrap();
    }
}

#[test]
fn a_file_that_only_a_lower_layer_has_is_found_there() {
    let mut made = HandMade::new("overlay");
    let lower = made.layer("aaa1", "", &[("a", b"a")]);
    let upper = made.layer("aaa2", "aaa1", &[("a", b"a")]);
    made.image("localhost/app:v1", &[&lower, &upper]);
    fs::remove_file(made.files("aaa2").join("a")).unwrap();
    let source = found(&made.open(), "localhost/app:v1").open().unwrap();
    assert_eq!(read(&*source, &tar_of(&*source, &upper)).unwrap(), upper.tar);
}

#[test]
fn damaged_lists_of_parts_are_errors() {
    let (made, [lower, _]) = two_layers("overlay");
    let source = found(&made.open(), "localhost/team/app:v1").open().unwrap();
    let whole = fs::read(made.recipe("aaa1")).unwrap();
    for at in [0, 5, whole.len() / 2, whole.len() - 1] {
        fs::write(made.recipe("aaa1"), &whole[..at]).unwrap();
        assert!(read(&*source, &tar_of(&*source, &lower)).is_err(), "cut at {at}");
    }
    let lines = [
        ("{\"type\":2,\"payload\":\"AAAA\",\"position\":0}", "it is cut"),
        ("{\"type\":9,\"position\":0}\n", "type 9"),
        ("{\"type\":1,\"name\":\"etc/hosts\",\"size\":10,\"payload\":\"AAAA\",\"position\":0}\n", "no checksum"),
        ("[]\n", "is damaged"),
    ];
    for (line, words) in lines {
        made.write_recipe("aaa1", line);
        let said = failure(&*source, &lower);
        assert!(said.contains(words), "{line}: {said}");
    }
    // A recipe of another layer is whole, and gives another tar.
    fs::copy(made.recipe("aaa2"), made.recipe("aaa1")).unwrap();
    assert!(read(&*source, &tar_of(&*source, &lower)).is_err());
}

#[test]
fn incomplete_and_circular_layers_are_refused() {
    for (key, value, words) in [
        ("flags", json!({"incomplete": true}), "it is incomplete"),
        ("parent", json!("aaa2"), "is not there (any more)"),
        ("parent", json!("bbb"), "layer bbb is not there (any more)"),
        ("diff-digest", json!(sha256(b"another")), "is not the one that its configuration names"),
    ] {
        let (mut made, _) = two_layers("overlay");
        made.layers[1][key] = value;
        made.save();
        let error = found(&made.open(), "localhost/team/app:v1").open().err().expect("should be refused").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_layer_pulled_by_its_table_of_contents_goes_by_what_was_promised() {
    let (mut made, [lower, _]) = two_layers("overlay");
    let promised = made.layers[0]["diff-digest"].take();
    made.layers[0]["diff-size"] = json!(-1);
    made.layers[0]["toc-digest"] = json!(sha256(b"toc"));
    made.layers[0]["flags"] = json!({"expected-layer-diffid": promised});
    made.save();
    let source = found(&made.open(), "localhost/team/app:v1").open().unwrap();
    assert_eq!(read(&*source, &tar_of(&*source, &lower)).unwrap(), lower.tar);
}

#[test]
fn volatile_layers_and_additional_stores_count() {
    let (mut made, [lower, upper]) = two_layers("overlay");
    let volatile = json!([made.layers.remove(1)]);
    made.save();
    fs::write(made.path("layers").join("volatile-layers.json"), volatile.to_string()).unwrap();
    // The image lies elsewhere, and its layers here.
    let mut other = HandMade::new("overlay");
    other.save();
    other.image("localhost/other:v1", &[&lower, &upper]);
    let mut storage = made.open();
    storage.places.roots.push(other.root().to_owned());
    let source = found(&storage, "localhost/other:v1").open().unwrap();
    assert_eq!(read(&*source, &tar_of(&*source, &upper)).unwrap(), upper.tar);
}

/// `podman` of these tests: a script that is told what to do by its arguments, as the real one is.
fn podman(made: &HandMade, script: &str) -> Storage {
    let file = made.root().join("podman");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mut storage = made.open();
    storage.podman.command = vec!["/bin/sh".into(), file.into()];
    storage
}

#[test]
fn forms_that_are_not_known_are_left_to_podman() {
    let without_recipe = |made: &HandMade| fs::remove_file(made.recipe("aaa1")).unwrap();
    let as_composefs = |made: &HandMade| fs::create_dir(made.root().join("overlay/aaa1/composefs-data")).unwrap();
    for (spoil, words) in [(&without_recipe as &dyn Fn(&HandMade), "without the list"), (&as_composefs, "composefs")] {
        let (made, [lower, upper]) = two_layers("overlay");
        // What podman would write: the same layers, as they are.
        let saved = made.root().join("saved");
        hand_made::layout(&saved, &[&lower, &upper]);
        spoil(&made);
        let storage = podman(&made, &format!("test $1 = save && cp -r {} $6", saved.display()));
        let source = found(&storage, "localhost/team/app:v1").open().unwrap();
        let layers = source.root().unwrap().view().unwrap().layers;
        assert_eq!(read(&*source, &layers[1]).unwrap(), upper.tar);
        assert_eq!(source.unpacked(&layers[1]).unwrap().as_ref(), Some(&layers[1]));
        drop(source);

        let storage = podman(&made, "echo not much >&2; echo no space left >&2; exit 125");
        let error = found(&storage, "localhost/team/app:v1").open().err().expect("podman failed").to_string();
        assert!(error.contains(words) && error.contains("no space left"), "{error}");
        assert!(made.has_no_temporary_folder());
    }
}

#[test]
fn podman_takes_an_image_in_with_its_name_or_says_why_not() {
    let (made, [lower, upper]) = two_layers("overlay");
    let layout = made.root().join("layout");
    hand_made::layout(&layout, &[&lower, &upper]);
    let source = Layout::open(&layout).unwrap().source(None).unwrap();
    let manifest = source.root().unwrap();
    let load = |script: &str| {
        let load = Box::new(podman(&made, script).podman.destination("localhost/team/app:v1").unwrap());
        let view = manifest.view().unwrap();
        for blob in view.layers.iter().chain(&view.config) {
            load.put_blob(blob, &mut source.blob(blob).unwrap()).unwrap();
        }
        load.put_manifest(&manifest).unwrap();
        load.finish(&manifest.descriptor())
    };
    let taken = made.root().join("taken.tar");
    load(&format!("test \"$*\" = 'load --quiet' && cat > {}", taken.display())).unwrap();
    let taken = OciArchive::open(&taken, &Limits::usual(crate::Temporary::new(std::env::temp_dir())))
        .unwrap()
        .source(Some("localhost/team/app:v1"))
        .unwrap();
    assert_eq!(taken.root().unwrap().bytes, manifest.bytes);
    let script =
        "cat > /dev/null; echo copying >&2; echo 'Error: no format of it is known:' >&2; echo ' * oci: x' >&2; exit 1";
    let error = load(script).unwrap_err().to_string();
    assert!(error.contains("Error: no format of it is known: * oci: x") && !error.contains("copying"), "{error}");
    let error = load("cat > /dev/null; echo no space left >&2; exit 125").unwrap_err().to_string();
    assert!(error.contains("podman did not take the image") && error.contains("no space left"), "{error}");
    assert!(made.has_no_temporary_folder());
}

#[test]
fn layers_that_their_owner_may_not_read_are_read_by_podman_unshare() {
    let (made, [lower, _]) = two_layers("overlay");
    let whole = made.root().join("lower.tar");
    fs::write(&whole, &lower.tar).unwrap();
    let roots = made.root().display();
    let script = format!("test \"$*\" = \"unshare wharf layer overlay aaa1 {roots}\" && cat {}", whole.display());
    let mut storage = podman(&made, &script);
    storage.podman.layer_writer = Some(vec!["wharf".into(), "layer".into()]);
    let places = storage.places.clone();
    let read_all = |storage: &Storage| {
        let mut tar = vec![];
        storage.podman.layer(&places, "aaa1").unwrap().read_to_end(&mut tar).map(|_| tar)
    };
    assert_eq!(read_all(&storage).unwrap(), lower.tar);
    // All bytes came, and it failed nevertheless.
    let mut storage = podman(&made, &format!("cat {}; echo went wrong >&2; exit 1", whole.display()));
    storage.podman.layer_writer = Some(vec!["wharf".into()]);
    let error = read_all(&storage).unwrap_err().to_string();
    assert!(error.contains("went wrong"), "{error}");
    // Who may read needs nobody.
    let source = found(&storage, "localhost/team/app:v1").open().unwrap();
    assert_eq!(read(&*source, &tar_of(&*source, &lower)).unwrap(), lower.tar);
}

#[test]
fn a_local_list_of_manifests_gives_the_images_that_are_here() {
    let (mut made, [lower, upper]) = two_layers("overlay");
    let (manifest, _) = made.image("localhost/part:v1", &[&lower]);
    let child = |bytes: &[u8]| json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": bytes.len(), "digest": sha256(bytes)});
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [child(&manifest), child(b"elsewhere")]});
    let index = index.to_string();
    made.keep(sha256(index.as_bytes()).hex(), "localhost/list:v1", None, &[("manifest", index.as_bytes())]);
    let source = found(&made.open(), "localhost/list:v1").open().unwrap();
    assert!(source.root().unwrap().is_index());
    assert_eq!(source.manifest(&sha256(&manifest)).unwrap().bytes, manifest);
    assert!(matches!(source.manifest(&sha256(b"elsewhere")), Err(Error::Missing { .. })));
    assert_eq!(read(&*source, &tar_of(&*source, &lower)).unwrap(), lower.tar);
    assert_eq!(
        found(&made.open(), "localhost/team/app:v1").open().unwrap().root().unwrap().view().unwrap().layers.len(),
        2
    );
    drop(upper);
}

#[test]
fn a_layer_is_written_out_by_its_id() {
    let (made, [_, upper]) = two_layers("vfs");
    let mut tar = vec![];
    made.open().write_layer("aaa2", &mut tar).unwrap();
    assert_eq!(tar, upper.tar);
    let error = made.open().write_layer("bbb", &mut vec![]).unwrap_err().to_string();
    assert!(error.contains("there is no layer bbb"), "{error}");
}

#[test]
fn a_list_that_is_no_list_is_an_error_that_names_it() {
    let (made, _) = two_layers("overlay");
    fs::write(made.path("images").join("images.json"), "[{\"id\": ").unwrap();
    let error = made.open().find("localhost/team/app:v1").unwrap_err().to_string();
    assert!(error.contains("images.json is damaged"), "{error}");
}
