use super::*;

/// The files after a power cut, and their contents.
fn survivors(disk: &LossyDisk) -> Vec<(String, Vec<u8>)> {
    let after = disk.crash().unwrap();
    let mut names: Vec<String> =
        after.list_dir(after.path()).unwrap().into_iter().map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), std::fs::read(after.path().join(name)).unwrap())).collect()
}

fn written(disk: &LossyDisk, name: &str) -> Box<dyn DiskFile> {
    let file = disk.create_new(&disk.path().join(name)).unwrap();
    assert_eq!(file.write_at(b"goods", 0).unwrap(), 5);
    file
}

#[test]
fn a_name_that_was_not_synced_is_gone() {
    let disk = LossyDisk::new().unwrap();
    written(&disk, "a").fsync().unwrap();
    assert_eq!(survivors(&disk), []);
}

#[test]
fn content_is_what_it_was_at_its_last_sync() {
    let disk = LossyDisk::new().unwrap();
    let file = written(&disk, "a");
    disk.fsync_dir(disk.path()).unwrap();
    assert_eq!(survivors(&disk), [("a".into(), vec![])]);
    file.fsync().unwrap();
    file.write_at(b"more", 5).unwrap();
    assert_eq!(survivors(&disk), [("a".into(), b"goods".to_vec())]);
}

#[test]
fn a_rename_survives_with_its_folder() {
    let disk = LossyDisk::new().unwrap();
    written(&disk, "a").fsync().unwrap();
    disk.fsync_dir(disk.path()).unwrap();
    disk.rename(&disk.path().join("a"), &disk.path().join("b")).unwrap();
    assert_eq!(survivors(&disk), [("a".into(), b"goods".to_vec())]);
    disk.fsync_dir(disk.path()).unwrap();
    assert_eq!(survivors(&disk), [("b".into(), b"goods".to_vec())]);
}

#[test]
fn after_a_failed_sync_the_next_one_lies() {
    let disk = LossyDisk::new().unwrap();
    let file = written(&disk, "a");
    disk.fsync_dir(disk.path()).unwrap();
    disk.inject(When::Each(Kind::Fsync), Then::Errno(EIO));
    assert_eq!(file.fsync().unwrap_err().raw_os_error(), Some(EIO));
    disk.heal();
    file.fsync().unwrap();
    assert_eq!(survivors(&disk), [("a".into(), vec![])]);
}

#[test]
fn a_fault_hits_the_operation_it_was_meant_for() {
    let disk = LossyDisk::new().unwrap();
    disk.inject(When::At(2), Then::Errno(ENOSPC));
    disk.stop_after(4);
    let results: Vec<_> = (0..6).map(|name| disk.mkdir(&disk.path().join(name.to_string()))).collect();
    let errnos = results.iter().map(|result| result.as_ref().err().and_then(io::Error::raw_os_error));
    assert_eq!(errnos.collect::<Vec<_>>(), [None, None, Some(ENOSPC), None, Some(EIO), Some(EIO)]);
    disk.note("end");
    let paths: Vec<_> = disk.ops().into_iter().map(|op| op.path).collect();
    assert_eq!(paths, ["0", "1", "3", "end"].map(PathBuf::from));
}
