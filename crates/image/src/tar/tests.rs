use std::io::{self, Read as _};
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::error::Result;

const ROOMY: Limits = Limits { entries: 1000, names: 1 << 20, bytes: 1 << 30 };

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn tar(entries: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (entry, content) in entries {
        writer.append(entry, &mut &**content).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>> {
    read_within(bytes, ROOMY)
}

fn read_within(bytes: &[u8], limits: Limits) -> Result<Vec<(Entry, Vec<u8>)>> {
    let mut reader = Reader::new(bytes, "a.tar", limits);
    let mut entries = Vec::new();
    while let Some(entry) = reader.next()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map_err(Error::incoming)?;
        entries.push((entry, content));
    }
    Ok(entries)
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

fn kinds() -> impl Strategy<Value = Kind> {
    let link = proptest::collection::vec(1..=255_u8, 1..300);
    prop_oneof![
        Just(Kind::File),
        Just(Kind::Directory),
        Just(Kind::Fifo),
        link.prop_map(Kind::Symlink),
        paths().prop_map(Kind::HardLink),
        (0..0o7_777_777_u32, 0..0o7_777_777_u32).prop_map(|(major, minor)| Kind::Character(major, minor)),
        (0..9_u32, 0..9_u32).prop_map(|(major, minor)| Kind::Block(major, minor)),
    ]
}

fn paths() -> impl Strategy<Value = TreePath> {
    let name = prop_oneof!["[a-c]{1,3}", "[a-zäöü☃ .]{1,60}x"];
    proptest::collection::vec(name, 1..6).prop_map(|names| path(&names.join("/")))
}

prop_compose! {
    fn entries()(
        path in paths(), kind in kinds(), content in proptest::collection::vec(any::<u8>(), 0..2000), mode in 0..0o10000_u32,
        uid in prop_oneof![0..70_000_u64, any::<u64>()], modified in any::<i64>(),
        value in proptest::collection::vec(any::<u8>(), 1..100),
        user in proptest::collection::vec(1..=255_u8, 0..50),
    ) -> (Entry, Vec<u8>) {
        let content = if kind == Kind::File { content } else { vec![] };
        let records = vec![("SCHILY.xattr.security.capability".to_owned(), value)];
        let attributes = Attributes { mode, uid, gid: 7, user, group: b"staff".to_vec(), modified, records };
        (Entry { path, kind, size: content.len() as u64, attributes }, content)
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in proptest::collection::vec(entries(), 0..8)) {
        let borrowed: Vec<_> = entries.iter().map(|(entry, content)| (entry.clone(), content.as_slice())).collect();
        prop_assert_eq!(read(&tar(&borrowed)).unwrap(), entries);
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..3000), at in any::<u16>()) {
        let _ = read(&bytes);
        let whole = tar(&[(Entry::file(path("a/b"), 700), &[7; 700]), (Entry::directory(path("c")), &[])]);
        bytes.truncate(3);
        let at = usize::from(at) % (whole.len() - 3);
        let damaged = [&whole[..at], &bytes, &whole[at + bytes.len()..]].concat();
        let _ = read(&damaged);
    }
}

#[test]
fn a_file_that_is_cut_is_refused_wherever_content_is_missing() {
    let whole = tar(&[(Entry::file(path("a"), 700), &[7; 700]), (Entry::file(path("b"), 1), b"x")]);
    for length in 0..whole.len() {
        let is_fine = matches!(length, 0 | 1212..=1536 | 2049..=2560 | 3072..);
        assert_eq!(read(&whole[..length]).is_ok(), is_fine, "{length}");
    }
}

#[test]
fn gnu_tar_reads_what_is_written_and_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let long = "long/".repeat(40) + "name";
    std::fs::create_dir_all(folder.path().join("in").join(&long)).unwrap();
    std::fs::write(folder.path().join("in").join(&long).join("ä"), [1; 1000]).unwrap();
    std::fs::hard_link(folder.path().join("in").join(&long).join("ä"), folder.path().join("in/long/also")).unwrap();
    std::os::unix::fs::symlink("../".repeat(50), folder.path().join("in/link")).unwrap();
    for format in ["gnu", "pax", "posix"] {
        let out =
            Command::new("tar").args(["-c", "--format", format, "-C"]).arg(folder.path().join("in")).arg(".").output();
        let Ok(out) = out else { return };
        let entries = read(&out.stdout).unwrap();
        let has = |path: &str| entries.iter().find(|(entry, _)| entry.path.as_path() == Path::new(path)).unwrap();
        assert_eq!(has("link").0.kind, Kind::Symlink("../".repeat(50).into_bytes()));
        let content: Vec<_> = entries.iter().filter(|(entry, _)| entry.kind == Kind::File).map(|(_, c)| c).collect();
        assert_eq!(content, [&vec![1; 1000]]);
        assert!(entries.iter().any(|(entry, _)| matches!(entry.kind, Kind::HardLink(_))));
        has(&long);
        let borrowed: Vec<_> = entries.iter().map(|(entry, content)| (entry.clone(), content.as_slice())).collect();
        std::fs::write(folder.path().join("again.tar"), tar(&borrowed)).unwrap();
        let listed = Command::new("tar").arg("-tf").arg(folder.path().join("again.tar")).output().unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), entries.len());
    }
}

#[test]
fn paths_that_lead_out_are_refused() {
    for name in ["../etc/passwd", "a/../../b", "..", "a/.."] {
        let bytes = renamed(name);
        assert!(refusal(&bytes).contains("leads upwards"), "{}", refusal(&bytes));
    }
    assert_eq!(read(&renamed("/etc//./passwd")).unwrap()[0].0.path, path("etc/passwd"));
}

/// A tar file with one entry of any name.
fn renamed(name: &str) -> Vec<u8> {
    let fields = header::Fields {
        kind: b'0',
        name: name.as_bytes(),
        link: &[],
        size: 0,
        device: (0, 0),
        attributes: &Attributes::default(),
    };
    fields.to_block().to_vec()
}

fn with_records(records: &[u8]) -> Vec<u8> {
    let size = records.len() as u64;
    let attributes = Attributes::default();
    let fields = header::Fields { kind: b'x', name: b"x", link: &[], size, device: (0, 0), attributes: &attributes };
    let mut bytes = fields.to_block().to_vec();
    bytes.extend_from_slice(records);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes.extend(renamed("a"));
    bytes
}

#[test]
fn records_that_say_two_things_are_refused() {
    assert!(refusal(&with_records(b"9 path=a\n9 path=b\n")).contains("two pax records path"));
    assert!(refusal(&with_records(b"30 path=a\n")).contains("damaged"));
    assert!(refusal(&with_records(b"13 path=a\nx=b\n")).contains("damaged"));
    assert!(refusal(&with_records(b"22 GNU.sparse.major=1\n")).contains("--sparse"));
    assert!(refusal(&with_records(b"12 size=-1\xff\n")).contains("size is no number"));
    let twice = with_records(b"9 path=a\n");
    assert!(refusal(&[&twice[..1024], &twice[..]].concat()).contains("two headers of one sort"));
    assert!(refusal(&twice[..1024]).contains("announced"));
}

#[test]
fn a_bomb_is_refused_before_it_is_kept() {
    let files: Vec<_> = (0..20).map(|n| (Entry::file(path(&format!("f{n}")), 0), &[][..])).collect();
    let error = read_within(&tar(&files), Limits { entries: 10, ..ROOMY }).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = read_within(&tar(&files), Limits { names: 10, ..ROOMY }).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let endless = renamed("a").into_iter().chain(std::iter::repeat_n(0, 1 << 20)).collect::<Vec<_>>();
    let error = read_within(&endless, Limits { bytes: 4096, ..ROOMY }).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn content_that_became_shorter_is_no_whole_entry() {
    let mut writer = Writer::new(io::sink());
    let error = writer.append(&Entry::file(path("a"), 5), &mut &b"1234"[..]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn parents_sort_before_what_is_in_them() {
    let mut paths = [path("a/b/c"), path("a"), path("a/b"), path("")];
    paths.sort();
    assert_eq!(paths.map(|path| path.to_string()), ["", "a", "a/b", "a/b/c"]);
    assert_eq!(path("a/b/c").below(&path("a/b")), Some(path("c")));
    assert_eq!(path("a/bc").below(&path("a/b")), None);
    assert_eq!((path("a/b").parent(), path("a").parent()), (path("a"), path("")));
}
