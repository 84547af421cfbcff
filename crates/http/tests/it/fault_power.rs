//! The power goes off, or the machine boots anew.

use wharf_testkit::disk::{Kind, LossyDisk};

use super::*;

/// HOUSE.md, data: bytes durable before the row that names them, the row before the answer.
#[tokio::test]
async fn a_push_syncs_the_file_renames_it_and_syncs_its_folder_before_it_answers() {
    let disk = LossyDisk::new().unwrap();
    let b = Boxed::builder().disk(&disk).open().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(blob.bytes.clone()).await.expect(202);
    let before = disk.ops().len();
    b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
    disk.note("answered");
    let kinds: Vec<Kind> = disk.ops()[before..].iter().map(|op| op.kind).collect();
    let at =
        |kind: Kind| kinds.iter().rposition(|found| *found == kind).unwrap_or_else(|| panic!("{kind:?}: {kinds:?}"));
    assert!(at(Kind::Fsync) < at(Kind::Rename), "{kinds:?}");
    assert!(at(Kind::Rename) < at(Kind::FsyncDir), "{kinds:?}");
    assert!(at(Kind::FsyncDir) < at(Kind::Note), "{kinds:?}");
}

/// What was acknowledged, in order: two blobs, the manifest, whether pushed in pieces or at once.
async fn push_until_the_cut(b: &Boxed, image: &Image) -> (Vec<Content>, bool) {
    let mut stored = vec![];
    let [config, layer] = [&image.config, &image.layers[0]];
    let started = b.post("/v2/team/app/blobs/uploads/").await;
    if let (202, Some(location)) = (started.status.as_u16(), started.get("location")) {
        b.patch(location).body(layer.bytes.slice(..500)).await;
        b.patch(location).body(layer.bytes.slice(500..)).await;
        if b.put(format!("{location}?digest={}", layer.digest)).await.status == 201 {
            stored.push(layer.clone());
        }
    }
    let post = b.post(format!("/v2/team/app/blobs/uploads/?digest={}", config.digest));
    if post.body(config.bytes.clone()).await.status == 201 {
        stored.push(config.clone());
    }
    let tagged = b.put_manifest("team/app", "v1", &image.manifest).await.status == 201;
    (stored, tagged)
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_at_any_cut() {
    for cut in 0.. {
        let (disk, image) = (LossyDisk::new().unwrap(), Image::random());
        let b = Boxed::builder().fails().disk(&disk).open().await;
        let before = disk.count();
        disk.stop_after(cut);
        let (stored, tagged) = push_until_the_cut(&b, &image).await;
        let was_cut = disk.count() > before + cut;
        let after = disk.crash().unwrap();
        let b = b.close().disk(&after).settings(|s| s.boot = "next".into()).open().await;
        b.registry.sweep_strays().await.unwrap();
        for blob in image.blobs() {
            assert_eq!(has(&b, "team/app", blob).await, stored.contains(blob), "cut {cut}");
        }
        let manifest = b.get("/v2/team/app/manifests/v1").await;
        assert_eq!(manifest.status == 200, tagged, "cut {cut}");
        assert!(!tagged || manifest.body == image.manifest.bytes);
        b.push("team/app", "v1", &image).await;
        assert!(has(&b, "team/app", &image.layers[0]).await, "and it can be pushed again");
        if !was_cut {
            assert!(tagged && cut > 15, "{cut}");
            return;
        }
    }
}

/// Nothing of an open upload is synced, not even its file's name: the client starts over.
#[tokio::test]
async fn an_upload_whose_file_is_gone_after_another_boot_is_unknown() {
    let disk = LossyDisk::new().unwrap();
    let b = Boxed::builder().fails().disk(&disk).settings(|s| s.boot = "one".into()).open().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(blob.bytes.slice(..3000)).await.expect(202);
    let after = disk.crash().unwrap();
    let b = b.close().disk(&after).settings(|s| s.boot = "two".into()).open().await;
    b.get(&location).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    b.patch(&location).body(blob.bytes.slice(3000..)).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    assert!(b.upload_rows().is_empty());
    b.push_blob("team/app", &blob).await;
}

#[tokio::test]
async fn bytes_lost_with_a_boot_are_416_with_where_to_go_on() {
    let b = Boxed::builder().settings(|s| s.boot = "one".into()).open().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(blob.bytes.slice(..3000)).await.expect(202);
    let [file] = &b.files("uploads")[..] else { panic!("one upload") };
    std::fs::File::options().write(true).open(file).unwrap().set_len(1000).unwrap();
    let b = b.leaving_uploads().close().settings(|s| s.boot = "two".into()).open().await;
    let patch = || b.patch(&location).header("content-range", "3000-4999").body(blob.bytes.slice(3000..));
    assert_eq!(patch().await.refused(416, "BLOB_UPLOAD_INVALID").header("range"), "0-999");
    let patch = b.patch(&location).header("content-range", "1000-4999").body(blob.bytes.slice(1000..));
    assert_eq!(patch.await.expect(202).header("range"), "0-4999");
    b.put(format!("{location}?digest={}", blob.digest)).await.expect(201);
    assert!(has(&b, "team/app", &blob).await);
}

#[tokio::test]
async fn a_boot_that_lost_nothing_costs_nothing() {
    let b = Boxed::builder().settings(|s| s.boot = "one".into()).open().await;
    let blob = Content::random(5000);
    let location = start(&b, "team/app").await;
    b.patch(&location).body(blob.bytes.slice(..3000)).await.expect(202);
    let b = b.leaving_uploads().close().settings(|s| s.boot = "two".into()).open().await;
    assert_eq!(range_of(&b, &location).await, "0-2999");
    b.put(format!("{location}?digest={}", blob.digest)).body(blob.bytes.slice(3000..)).await.expect(201);
    assert!(has(&b, "team/app", &blob).await);
}

#[tokio::test]
async fn the_status_after_another_boot_is_what_is_there() {
    let b = Boxed::builder().settings(|s| s.boot = "one".into()).open().await;
    let location = start(&b, "team/app").await;
    b.patch(&location).body(Content::random(3000).bytes).await.expect(202);
    let [file] = &b.files("uploads")[..] else { panic!("one upload") };
    std::fs::File::options().write(true).open(file).unwrap().set_len(1000).unwrap();
    let b = b.leaving_uploads().close().settings(|s| s.boot = "two".into()).open().await;
    assert_eq!(range_of(&b, &location).await, "0-999", "never more than is stored");
    cancel(&b, &location).await;
}
