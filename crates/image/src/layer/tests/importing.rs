use wharf_oci::{ImageConfig, Platform};

use super::*;
use crate::compress::{Compression, Compressor};
use crate::temporary::Temporary;

fn temporary() -> Temporary {
    Temporary::new(std::env::temp_dir())
}

fn wishes(changes: &[&str]) -> Wishes {
    Wishes {
        platform: "linux/arm/v7".parse::<Platform>().unwrap(),
        compression: Compression::GZIP,
        changes: Changes::parse(&changes.iter().map(|change| (*change).to_owned()).collect::<Vec<_>>()).unwrap(),
        comment: "imported".to_owned(),
    }
}

fn rootfs() -> Vec<u8> {
    tar(&[folder("etc", 0o755), file("etc/os-release", "ID=x"), other_name("etc/second", "etc/os-release")])
}

fn config(image: &crate::Made) -> ImageConfig {
    let descriptor = image.root().unwrap().view().unwrap().config.unwrap();
    let mut bytes = Vec::new();
    image.blob(&descriptor).unwrap().read_to_end(&mut bytes).unwrap();
    ImageConfig::parse(&bytes).unwrap()
}

#[test]
fn what_is_imported_is_exported_again() {
    let rootfs = rootfs();
    let mut packed = Vec::new();
    Compressor::new(rootfs.as_slice(), Compression::ZSTD, 1).unwrap().read_to_end(&mut packed).unwrap();
    let image = import(rootfs.as_slice(), &wishes(&[]), &temporary()).unwrap();
    // However it came, it is one image.
    assert_eq!(import(packed.as_slice(), &wishes(&[]), &temporary()).unwrap().root().unwrap(), image.root().unwrap());
    let mut out = Vec::new();
    super::super::flatten(&image, &image.root().unwrap().view().unwrap().layers, &mut out).unwrap();
    assert!(out == rootfs, "it is another tar file");
    let config = config(&image);
    assert_eq!(config.platform.to_string(), "linux/arm/v7");
    let tar_digest = wharf_oci::Digest::of(wharf_oci::Algorithm::Sha256, &rootfs);
    assert_eq!(config.diff_ids, [tar_digest]);
}

#[test]
fn changes_are_lines_of_a_containerfile() {
    let changes = [
        "CMD echo hi",
        "cmd [\"/bin/sh\", \"-l\"]",
        "ENTRYPOINT [\"/init\"]",
        "ENV A=1",
        "ENV A 2",
        "ENV B=\"x y\" C='\"' D=e\\ f=g E=",
        "EXPOSE 80 53/udp",
        "LABEL a.b=c \"d e\"=f",
        "USER 1000:1000",
        "VOLUME [\"/data\"]",
        "WORKDIR /srv",
        "STOPSIGNAL SIGINT",
    ];
    let run = config(&import(rootfs().as_slice(), &wishes(&changes), &temporary()).unwrap()).run;
    assert_eq!(
        (run.cmd.as_slice(), run.entrypoint.as_slice()),
        (&["/bin/sh", "-l"].map(str::to_owned)[..], &["/init".to_owned()][..])
    );
    assert_eq!(run.env, ["A=2", "B=x y", "C=\"", "D=e f=g", "E="]);
    assert_eq!(run.labels["d e"], "f");
    assert_eq!(run.exposed_ports, ["53/udp", "80/tcp"]);
    assert_eq!((run.labels["a.b"].as_str(), run.user.as_str(), run.working_dir.as_str()), ("c", "1000:1000", "/srv"));
    assert_eq!((run.volumes.as_slice(), run.stop_signal.as_str()), (&["/data".to_owned()][..], "SIGINT"));
    for (change, reason) in [
        ("CMD", "says nothing"),
        ("RUN true", "unknown"),
        ("CMD [1]", "no list"),
        ("ENV =1", "NAME=VALUE"),
        ("ENV A=1 B", "NAME=VALUE"),
        ("ENV A", "no value"),
        ("LABEL a=\"b", "not closed"),
    ] {
        let error = Changes::parse(&[change.to_owned()]).unwrap_err();
        assert!(error.contains(reason) && error.contains(change.split('"').next().unwrap()), "{error}");
    }
}

#[test]
fn what_is_no_tree_of_files_is_not_imported() {
    let cut = rootfs();
    for (bytes, reason) in [
        (b"<html>".repeat(200), "no tar file"),
        (cut[..700].to_vec(), "ends within"),
        (tar(&[other_name("a", "none")]), "which is not there"),
    ] {
        let error = import(bytes.as_slice(), &wishes(&[]), &temporary()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
