use wharf_testkit::fake_registry::{Answer, Door, FakeRegistry, USER, USER_PASSWORD};

use super::*;

type Spoil = fn(Answer) -> Answer;

/// A registry elsewhere with one image, under these tags of one repository.
async fn elsewhere(name: &str, tags: &[&str]) -> FakeRegistry {
    let fake = FakeRegistry::start().await;
    let image = Image::random();
    for blob in image.layers.iter().chain([&image.config]) {
        fake.hold_blob(name, blob);
    }
    for tag in tags {
        fake.hold_manifest(name, tag, &image.manifest);
    }
    fake
}

impl Desk {
    async fn tags(&self, repository: &str) -> Vec<String> {
        self.boxed.get(format!("/v2/{repository}/tags/list")).await.expect(200).strings("tags")
    }

    /// Each line of what a command with `--json` says.
    async fn events(&self, line: &str) -> Vec<Value> {
        let ran = self.wharf(&format!("{line} --json")).await;
        ran.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }

    fn list(&self, text: &str) -> String {
        std::fs::write(self.at("list.yml"), text).unwrap();
        self.at("list.yml")
    }
}

fn whats(events: &[Value]) -> Vec<&str> {
    events.iter().filter(|event| event["event"] == "synced").map(|event| event["what"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_repository_goes_with_all_its_tags_and_the_second_time_nothing_is_sent() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("team/app", &["v1", "v2", "edge"]).await;
    fake.page_size(2);
    let line = format!("sync --src-tls-verify=false {}/team/app mirror", fake.host());
    let said = desk.wharf(&line).await;
    assert!(said.out.contains("team/app:v1 is at mirror/app:v1") && said.err.contains("3 copied"), "{said}");
    assert_eq!(desk.tags("mirror/app").await, ["edge", "v1", "v2"]);
    let asked = fake.count("GET /v2/team/app/blobs/") + fake.count("GET /v2/team/app/manifests/");
    let again = desk.events(&line).await;
    assert_eq!(whats(&again), ["unchanged"; 3]);
    assert_eq!(
        again[3],
        json!({ "event": "summary", "copied": 0, "unchanged": 3, "would_copy": 0, "pruned": 0,
        "would_prune": 0, "failed": 0 })
    );
    let asked_again = fake.count("GET /v2/team/app/blobs/") + fake.count("GET /v2/team/app/manifests/");
    assert_eq!(asked_again, asked, "digests alone were asked for");

    fake.hold_manifest("team/app", "edge", &Image::random().manifest);
    let dry = desk.events(&format!("{line} --dry-run")).await;
    assert_eq!(whats(&dry), ["would_copy", "unchanged", "unchanged"]);
    assert_eq!(desk.wharf(&format!("{line} --tags x*")).await.ok(), "");
}

#[tokio::test]
async fn tags_are_chosen_by_patterns_and_versions_of_which_all_must_hold() {
    let desk = Desk::of_admin().await;
    let tags = ["v1.0", "v1.5", "v2.0", "v2.0-rc1", "1.9-alpine", "latest"];
    let fake = elsewhere("team/app", &tags).await;
    for (flags, chosen) in [
        ("--tags v1.*", vec!["v1.0", "v1.5"]),
        ("--tags v1.* --tags late?t", vec!["latest", "v1.0", "v1.5"]),
        ("--tags-regex [05]$", vec!["v1.0", "v1.5", "v2.0"]),
        ("--tags-semver '>= 1.2, < 3'", vec!["v1.5", "v2.0"]),
        ("--tags-semver '>= 1.2' --tags-regex ^v1", vec!["v1.5"]),
    ] {
        let line = format!("sync --dry-run --src-tls-verify=false {flags} {}/team/app mirror", fake.host());
        let events = desk.events(&line).await;
        let sources = events.iter().filter_map(|event| event["source"].as_str());
        let mut found: Vec<_> = sources.map(|source| source.rsplit_once(':').unwrap().1).collect();
        found.sort_unstable();
        assert_eq!(found, chosen, "{flags}");
    }
    for (flags, said) in [("--tags-semver newest", "no range"), ("--tags-regex '('", "regex"), ("--tags '[a'", "[a")] {
        desk.wharf(&format!("sync {flags} team/app mirror")).await.fails(2, said);
    }
    desk.wharf("sync --tags v* team/app:v1 mirror").await.fails(2, "one repository");
    desk.wharf("sync team/app mirror:v1").await.fails(2, "a repository is expected");
}

#[tokio::test]
async fn a_list_says_whom_to_be_and_its_secrets_are_shown_to_nobody_else() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("team/app", &["v1", "v2"]).await;
    fake.door(Door::Basic);
    let list = |password: &str| {
        let who = format!("credentials: {{username: {USER}, password: '{password}'}}");
        format!("'{}':\n  tls-verify: false\n  {who}\n  images:\n    team/app: [v2]\n", fake.host())
    };
    let path = desk.list(&list(USER_PASSWORD));
    let events = desk.events(&format!("sync yaml:{path} mirror")).await;
    assert_eq!(whats(&events), ["copied"]);
    assert_eq!(desk.tags("mirror/app").await, ["v2"]);
    desk.list(&list("wrong-password"));
    let wrong = desk.wharf(&format!("sync yaml:{path} mirror")).await;
    assert!(wrong.code == 1 && wrong.err.contains("team/app") && !wrong.err.contains("wrong-password"), "{wrong}");
    desk.list("r.example:\n  image: {app: []}\n  credentials: {username: a, password: hush}\n");
    let bad = desk.wharf(&format!("sync yaml:{path} mirror")).await;
    assert!(bad.err.contains("list.yml") && !bad.err.contains("hush"), "{bad}");
    bad.fails(2, "docs/sync.md");
    desk.wharf(&format!("sync yaml:{} mirror", desk.at("absent.yml"))).await.fails(4, "absent.yml");
}

#[tokio::test]
async fn an_image_that_fails_does_not_stop_the_others() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("team/app", &["v1", "v3"]).await;
    fake.spoil("GET /v2/team/none/tags/list", 2, |_, _| Answer::new(404));
    // Its parts are nowhere.
    fake.hold_manifest("team/app", "v2", &Image::random().manifest);
    let list = format!("'{0}':\n  tls-verify: false\n  images: {{team/app: [], team/none: []}}\n", fake.host());
    let path = desk.list(&list);
    desk.boxed.push_image("mirror/app", "old").await;
    let ran = desk.wharf(&format!("sync --prune --yes yaml:{path} mirror")).await;
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.err.contains("app:v2")
            && ran.err.contains("team/none")
            && ran.err.contains("2 failed; the others are done"),
        "{ran}"
    );
    assert!(ran.err.contains("nothing of mirror/app is deleted"), "{ran}");
    assert_eq!(desk.tags("mirror/app").await, ["old", "v1", "v3"]);
    let stopped = desk.wharf(&format!("sync --fail-fast yaml:{path} other")).await;
    assert!(stopped.code == 4 && stopped.err.contains("team/none"), "{stopped}");
    desk.boxed.get("/v2/other/app/tags/list").await.expect(404);
}

#[tokio::test]
async fn what_the_source_has_no_more_goes_where_that_is_asked_for() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("team/app", &["v1", "v2"]).await;
    for tag in ["v0", "nightly"] {
        desk.boxed.push_image("mirror/app", tag).await;
    }
    desk.boxed.push_image("mirror/other", "v0").await;
    let line = format!("sync --src-tls-verify=false {}/team/app mirror", fake.host());
    desk.wharf(&line).await.ok();
    let dry = desk.events(&format!("{line} --prune --dry-run --tags v*")).await;
    assert_eq!(
        (&dry[2]["what"], &dry[2]["destination"]),
        (&json!("would_prune"), &json!(format!("{}/mirror/app:v0", desk.host())))
    );
    assert_eq!(desk.tags("mirror/app").await, ["nightly", "v0", "v1", "v2"]);
    desk.wharf(&format!("{line} --prune --tags v*")).await.ok();
    assert_eq!(desk.tags("mirror/app").await, ["nightly", "v1", "v2"]);
    // Nothing is meant, so nothing is known to be gone.
    let nothing = desk.wharf(&format!("{line} --prune --tags n*")).await;
    assert!(nothing.code == 0 && nothing.err.contains("--prune-empty"), "{nothing}");
    assert_eq!(desk.tags("mirror/app").await, ["nightly", "v1", "v2"]);
    desk.wharf(&format!("{line} --prune --prune-empty --tags n*")).await.ok();
    assert_eq!(desk.tags("mirror/app").await, ["v1", "v2"]);
    assert_eq!(desk.tags("mirror/other").await, ["v0"]);
    desk.wharf("sync --prune team/app:v1 mirror").await.fails(2, "a whole repository");
    desk.wharf("sync --prune team/app dir:x").await.fails(2, "deletes tags of registries");
}

#[tokio::test]
async fn a_registry_that_deletes_no_tags_is_not_said_to_delete_images_that_have_other_tags() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("mirror/app", &["v1", "v2", "gone"]).await;
    fake.hold_manifest("mirror/app", "alone", &Image::random().manifest);
    fake.answer_early("DELETE /v2/mirror/app/manifests/", usize::MAX, Answer::new(405));
    desk.boxed.push_image("team/app", "v3").await;
    let place = format!("{}/mirror", fake.host());
    let flags = "--dest-tls-verify=false --prune --yes --tags '[ag]*' --prune-empty";
    let ran = desk.wharf(&format!("sync {flags} team/app {place}")).await;
    assert_eq!(ran.code, 1, "{ran}");
    let said = |tag: &str| ran.err.lines().find(|line| line.contains(&format!("app:{tag}: "))).unwrap().to_owned();
    assert!(said("gone").contains("this image has 2 other tags, v1, v2, and stays"), "{ran}");
    assert!(!said("gone").contains("wharf delete"), "{ran}");
    assert!(said("alone").contains(&format!("wharf delete {place}/app@$(wharf digest {place}/app:alone)")), "{ran}");
    let one = desk.wharf(&format!("tags delete --tls-verify=false --yes {place}/app:gone")).await;
    assert!(one.code == 1 && one.err.contains("and stays") && !one.err.contains("wharf delete"), "{one}");
}

#[tokio::test]
async fn a_list_that_is_cut_prunes_nothing() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("team/app", &["v1", "v2", "v3"]).await;
    fake.page_size(1);
    desk.boxed.push_image("mirror/app", "v3").await;
    let line = format!("sync --src-tls-verify=false --prune --yes {}/team/app mirror", fake.host());
    let spoilt: [Spoil; 3] = [|_| Answer::html(), |answer| answer.cut(12), |_| Answer::new(404)];
    for spoil in spoilt {
        fake.spoil("GET /v2/team/app/tags/list?last=v1", 5, move |_, answer| spoil(answer));
        let ran = desk.wharf(&line).await;
        assert!(ran.code != 0 && ran.out.is_empty(), "{ran}");
        assert_eq!(desk.tags("mirror/app").await, ["v3"]);
        fake.behave();
    }
    // Another source that goes to the same place, and cannot be read, is none that has nothing.
    let list = format!(
        "'{0}':\n  tls-verify: false\n  images: {{team/app: [v1, v2]}}\n  images-by-tag-regex: {{none/app: v3}}\n",
        fake.host()
    );
    let path = desk.list(&list);
    desk.wharf(&format!("sync --prune --yes yaml:{path} mirror")).await;
    assert_eq!(desk.tags("mirror/app").await, ["v1", "v2", "v3"]);
}

#[tokio::test]
async fn folders_and_layouts_are_filled_and_emptied_into_registries() {
    let desk = Desk::of_admin().await;
    for tag in ["v1", "v2"] {
        desk.boxed.push_image("team/app", tag).await;
    }
    let digest = desk.digest("team/app", "v2").await;
    for place in ["dir", "oci"] {
        let path = desk.at(place);
        for expected in ["copied", "unchanged"] {
            let events = desk.events(&format!("sync team/app {place}:{path}")).await;
            assert_eq!(whats(&events), [expected; 2], "{place}");
        }
        desk.wharf(&format!("sync {place}:{path} back/{place}")).await.ok();
        assert_eq!(desk.digest(&format!("back/{place}/app"), "v2").await, digest);
    }
    assert!(std::fs::exists(desk.at("dir/app:v2/manifest.json")).unwrap());
    let host = desk.host();
    desk.wharf(&format!("sync --scoped team/app dir:{}", desk.at("scoped"))).await.ok();
    assert!(std::fs::exists(desk.at(&format!("scoped/{host}/team/app:v1/manifest.json"))).unwrap());
}

#[tokio::test]
async fn two_images_never_go_to_one_place() {
    let desk = Desk::of_admin().await;
    let fake = elsewhere("a/app", &["v1"]).await;
    fake.hold_manifest("b/app", "v1", &Image::random().manifest);
    let list = format!("'{}':\n  tls-verify: false\n  images: {{a/app: [], b/app: []}}\n", fake.host());
    let path = desk.list(&list);
    desk.wharf(&format!("sync yaml:{path} mirror")).await.fails(2, "--scoped keeps them apart");
}

#[tokio::test]
async fn of_an_index_one_image_goes_or_all() {
    let desk = Desk::of_admin().await;
    let (index, [_, arm]) = desk.push_index("team/app", "v1").await;
    for _ in 0..2 {
        desk.wharf("sync team/app:v1 one --platform linux/arm64").await.ok();
        desk.wharf("sync team/app:v1 all --all").await.ok();
    }
    assert_eq!(desk.digest("one/app", "v1").await, arm.manifest.digest.to_string());
    assert_eq!(desk.digest("all/app", "v1").await, index.digest.to_string());
    let again = desk.events("sync team/app:v1 one --platform linux/arm64").await;
    assert_eq!(whats(&again), ["unchanged"]);
}
