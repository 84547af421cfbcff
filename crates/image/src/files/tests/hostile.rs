//! Manifests and layers that somebody made to do harm. After each of them the folder is as it was.

use super::*;

/// A manifest with layers of these names; all but the first are folders when their content is a tar file.
struct Crafted {
    manifest: Manifest,
    contents: Vec<Vec<u8>>,
}

fn crafted(layers: &[(&str, Vec<u8>, bool)]) -> Crafted {
    let descriptor = |(title, content, is_folder): &(&str, Vec<u8>, bool)| {
        let digest = Digest::of(Algorithm::Sha256, content);
        let mut descriptor = Descriptor::new("application/octet-stream", digest, content.len() as u64);
        descriptor.annotations.insert(TITLE.to_owned(), (*title).to_owned());
        if *is_folder {
            descriptor.annotations.insert(UNPACK.to_owned(), "true".to_owned());
        }
        descriptor
    };
    let manifest = Manifest {
        media_type: MediaType::parse(MediaType::OCI_MANIFEST).unwrap(),
        kind: ManifestKind::Image,
        artifact_type: None,
        annotations: BTreeMap::new(),
        config: None,
        layers: layers.iter().map(descriptor).collect(),
        children: vec![],
        subject: None,
    };
    Crafted { manifest, contents: layers.iter().map(|(_, content, _)| content.clone()).collect() }
}

impl Crafted {
    fn unpack(&self, into: &Path) -> Result<()> {
        let unpacking = Unpacking::new(into, &self.manifest)?;
        for (at, content) in self.contents.iter().enumerate() {
            unpacking.put(at, &mut content.as_slice())?;
        }
        unpacking.finish()
    }

    /// Why it is not unpacked into a folder that stays as it is.
    fn refusal(&self, prepare: impl FnOnce(&Path)) -> String {
        let place = folder();
        let into = place.path().join("into");
        fs::create_dir(&into).unwrap();
        prepare(&into);
        let before = listed(place.path());
        let error = self.unpack(&into).unwrap_err();
        assert_eq!(listed(place.path()), before, "{error}");
        let new = place.path().join("new");
        self.unpack(&new).and_then(|()| fs::remove_dir_all(&new).map_err(Error::io("remove", &new))).ok();
        assert!(!new.exists(), "a folder made for it is left");
        error.to_string()
    }
}

fn gzipped(tar: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(tar, Compression::GZIP, 1).unwrap().read_to_end(&mut out).unwrap();
    out
}

/// Path, kind and content.
type Thing = (&'static str, Kind, &'static str);

fn tree(entries: &[(&str, Kind, &str)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (path, kind, content) in entries {
        let path = TreePath::parse(path.as_bytes()).unwrap();
        let attributes = Attributes { mode: 0o644, ..Attributes::default() };
        let entry = Entry { path, kind: kind.clone(), size: content.len() as u64, attributes };
        writer.append(&entry, &mut content.as_bytes()).unwrap();
    }
    gzipped(&writer.finish().unwrap())
}

fn link(target: &str) -> Kind {
    Kind::Symlink(target.into())
}

fn nothing(_: &Path) {}

#[test]
fn titles_that_lead_out_are_refused() {
    for title in ["/etc/passwd", "../a", "a/../../b", "..", "."] {
        let refusal = crafted(&[(title, b"x".to_vec(), false)]).refusal(nothing);
        assert!(refusal.starts_with("layer sha256:"), "{refusal}");
    }
    let long = "a/".repeat(3000);
    crafted(&[(&long, b"x".to_vec(), false)]).refusal(nothing);
    let staging = format!("{UNFINISHED}x/a");
    crafted(&[(&staging, b"x".to_vec(), false)]).refusal(nothing);
}

#[test]
fn two_layers_do_not_write_one_name() {
    let file = |title| (title, b"x".to_vec(), false);
    assert!(crafted(&[file("a"), file("./a")]).refusal(nothing).contains("another layer has the name"));
    assert!(crafted(&[file("a"), file("a/b")]).refusal(nothing).contains("a file and a folder"));
    assert!(crafted(&[file("a/b"), file("a")]).refusal(nothing).contains("a file and a folder"));
    let folder = ("a", tree(&[("a/b", Kind::File, "1")]), true);
    assert!(crafted(&[folder, file("a/b")]).refusal(nothing).contains("two things of that name"));
}

#[test]
fn what_is_there_and_of_another_kind_stays() {
    let file = || crafted(&[("a/b", b"x".to_vec(), false)]);
    let through_link = |into: &Path| symlink("/tmp", into.join("a")).unwrap();
    assert!(file().refusal(through_link).contains("a link is there, where a folder is to be"));
    assert!(file().refusal(|into| write(&into.join("a"), "", 0o644)).contains("a file is there"));
    assert!(file().refusal(|into| fs::create_dir_all(into.join("a/b")).unwrap()).contains("a folder is there"));
    let onto_link = |into: &Path| {
        fs::create_dir(into.join("a")).unwrap();
        symlink("../../outside", into.join("a/b")).unwrap();
    };
    assert!(file().refusal(onto_link).contains("a link is there, where a file is to be"));
    let tree = || crafted(&[("d", tree(&[("d/new", Kind::File, "1"), ("d/s/x", Kind::File, "1")]), true)]);
    let deep = |into: &Path| {
        fs::create_dir(into.join("d")).unwrap();
        symlink("/tmp", into.join("d/s")).unwrap();
    };
    assert!(tree().refusal(deep).contains("a link is there, where a folder is to be"));
}

#[test]
fn nothing_in_a_folder_leads_out_of_it() {
    let cases: [(&[Thing], &str); 11] = [
        (&[("other/a", Kind::File, "x")], "does not lie in d"),
        (&[("da", Kind::File, "x")], "does not lie in d"),
        (&[("d", Kind::File, "x")], "once as a folder"),
        (&[("d/l", link("/etc"), "")], "absolute"),
        (&[("d/l", link(".."), "")], "outside of the folder"),
        (&[("d/a/l", link("../../x"), "")], "outside of the folder"),
        // Each is inside by its text; one through the other is not.
        (&[("d/a/up", link(".."), ""), ("d/l", link("a/up/../x"), "")], "down and up again"),
        (&[("d/l", link("a"), ""), ("d/l/x", Kind::File, "x")], "d/l is no folder"),
        (&[("d/l", link("a"), ""), ("d/l", Kind::File, "x")], "twice"),
        (&[("d/h", Kind::HardLink(TreePath::parse(b"etc/passwd").unwrap()), "")], "does not lie in d"),
        (&[("d/n", Kind::Character(1, 3), "")], "a device or a pipe"),
    ];
    for (entries, reason) in cases {
        let refusal = crafted(&[("d", tree(entries), true)]).refusal(nothing);
        // The message names paths below the layer's own folder.
        let reason = reason.replace("d/l is", "l is");
        assert!(refusal.contains(&reason), "{refusal}, not {reason}");
    }
}

#[test]
fn folders_that_are_cut_or_are_no_archives_leave_nothing() {
    let whole = tree(&[("d/a", Kind::File, &"content ".repeat(1000))]);
    for length in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
        let cut = crafted(&[("d", whole[..length].to_vec(), true)]);
        if length > 0 {
            cut.refusal(nothing);
        }
    }
    assert!(crafted(&[("d", vec![b'x'; 600], true)]).refusal(nothing).contains("no tar file"));
    crafted(&[("d", [whole.as_slice(), b"trailing"].concat(), true)]).refusal(nothing);
}

#[test]
fn content_that_is_not_what_its_descriptor_says_leaves_nothing() {
    for is_folder in [false, true] {
        let content = tree(&[("d/a", Kind::File, "1")]);
        let mut other = crafted(&[("d", content.clone(), is_folder)]);
        other.manifest.layers[0].digest = Digest::of(Algorithm::Sha256, b"other");
        assert!(other.refusal(nothing).contains("has digest"));
        let mut short = crafted(&[("d", content, is_folder)]);
        short.contents[0].truncate(5);
        assert!(short.refusal(nothing).contains("ends after 5 of"), "{}", short.refusal(nothing));
    }
    let mut lying = crafted(&[("d", tree(&[("d/a", Kind::File, "1")]), true)]);
    let annotations = &mut lying.manifest.layers[0].annotations;
    annotations.insert(TAR_DIGEST.to_owned(), Digest::of(Algorithm::Sha256, b"other").to_string());
    assert!(lying.refusal(nothing).contains("uncompressed"));
}

#[test]
fn a_bomb_is_left_before_it_fills_the_disk() {
    let entry = Entry::file(TreePath::parse(b"d/zeros").unwrap(), 8 << 20);
    let mut writer = Writer::new(Vec::new());
    writer.append(&entry, &mut io::repeat(0)).unwrap();
    let bomb = gzipped(&writer.finish().unwrap());
    let limits = crate::tar::Limits { entries: 10, names: 1000, bytes: 1 << 20 };
    let place = folder();
    let title = TreePath::parse(b"d").unwrap();
    let error = unfold::unfold(&mut bomb.as_slice(), "layer", limits, &title, None, place.path()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }) || error.to_string().contains("limit"), "{error}");
    let size = fs::metadata(place.path().join("zeros")).unwrap().len();
    assert!(size <= 1 << 20, "{size}");
}

#[test]
fn bits_for_other_users_are_not_taken_from_strangers() {
    let into = folder();
    let mut file = crafted(&[("a", b"x".to_vec(), false)]);
    file.manifest.layers[0].annotations.insert(MODE.to_owned(), "6755".to_owned());
    file.unpack(into.path()).unwrap();
    assert_eq!(listed(into.path())["a"].0, 0o755);
    file.manifest.layers[0].annotations.insert(MODE.to_owned(), "rwx".to_owned());
    assert!(file.refusal(nothing).contains(MODE));
}

#[test]
fn what_a_killed_process_left_goes_and_what_a_living_one_writes_stays() {
    let into = folder();
    let left = into.path().join(format!("{UNFINISHED}left"));
    write(&left.join("0"), "half", 0o600);
    let file = crafted(&[("a", b"x".to_vec(), false)]);
    let living = Unpacking::new(into.path(), &file.manifest).unwrap();
    assert!(!left.exists());
    file.unpack(into.path()).unwrap();
    living.put(0, &mut &b"x"[..]).unwrap();
    living.finish().unwrap();
    assert_eq!(listed(into.path()).len(), 1);
}

#[test]
fn an_image_for_containers_holds_no_files() {
    let mut image = crafted(&[("a", b"x".to_vec(), false)]);
    image.manifest.layers[0].annotations.clear();
    assert!(image.refusal(nothing).contains("may be an image for containers"));
}
