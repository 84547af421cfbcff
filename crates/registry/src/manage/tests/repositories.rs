use wharf_oci::RepoName;

use super::*;

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

async fn listed(r: &Registry, caller: &Caller, org: Option<&str>, part: &str) -> String {
    let page = r.repositories(caller, org, part, None, 9).await.unwrap();
    assert_eq!(page.next, None);
    page.entries.iter().map(|repository| repository.name.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn who_may_push_makes_a_repository_and_a_maintainer_says_who_reads_it() {
    let world = World::new().await;
    let r = &world.r;
    world.give("bob", "team", Role::Writer).await;
    let (alice, bob, carol) = (world.caller("alice").await, world.caller("bob").await, world.caller("carol").await);
    let (app, open) = (name("team/app"), name("team/open"));
    assert!(r.create_repository(&bob, &app, None).await.unwrap().is_new);
    assert!(!r.create_repository(&bob, &app, None).await.unwrap().is_new);
    denied(r.create_repository(&bob, &open, Some(Visibility::Public)).await);
    denied(r.create_repository(&carol, &app, None).await);
    denied(r.create_repository(&carol, &name("new/app"), None).await);
    let made = r.create_repository(&alice, &open, Some(Visibility::Internal)).await.unwrap().value;
    assert_eq!((made.visibility, made.effective_visibility), (Some(Visibility::Internal), Visibility::Internal));
    assert_eq!(in_the_way(r.create_repository(&alice, &open, None).await), "visibility");
    assert_eq!(r.repository(&carol, &open).await.unwrap().effective_visibility, Visibility::Internal);
    assert_eq!(r.repository_contents(&carol, &open).await.unwrap(), Contents::default());
    denied(r.update_repository(&bob, &app, Some(Some(Visibility::Public)), None).await);
    let changed = r.update_repository(&alice, &open, Some(None), Some(made.version)).await.unwrap();
    assert_eq!((changed.visibility, changed.effective_visibility), (None, Visibility::Private));
    assert!(matches!(r.update_repository(&alice, &open, Some(None), Some(made.version)).await, Err(Error::Stale)));
    hidden(r.repository(&carol, &open).await);
}

#[tokio::test]
async fn repositories_that_a_caller_may_not_read_are_not_there() {
    let world = World::new().await;
    let r = &world.r;
    world.push("team/app").await;
    world.push("team/base").await;
    world.push("bob/own").await;
    world.give("bob", "team/app", Role::Reader).await;
    let (alice, bob, root) = (world.caller("alice").await, world.caller("bob").await, world.caller("root").await);
    assert_eq!(listed(r, &bob, None, "").await, "bob/own team/app");
    assert_eq!(listed(r, &bob, Some("team"), "").await, "team/app");
    assert_eq!(listed(r, &alice, None, "").await, "team/app team/base");
    assert_eq!(listed(r, &root, None, "a").await, "team/app team/base");
    assert_eq!(listed(r, &root, None, "own").await, "bob/own");
    assert_eq!(listed(r, &bob, Some("nothing"), "").await, "");
    // Of an org that is hidden from them only what is open to them is looked at at all.
    r.create_repository(&alice, &name("team/open"), Some(Visibility::Internal)).await.unwrap();
    let carol = world.caller("carol").await;
    assert_eq!(listed(r, &carol, Some("team"), "").await, "team/open");
    assert_eq!(r.within(&carol, "team").await.unwrap(), Some(wharf_meta::Within::OpenIn(world.org_id("team").await)));
    assert_eq!(r.within(&carol, "nothing").await.unwrap(), None);
    r.delete_repository(&alice, &name("team/open"), None).await.unwrap();
    let app = world.push("team/app").await;
    let limited = world.by_token("bob", Role::Reader, Reach::Repository(app)).await;
    assert_eq!(listed(r, &limited, Some("team"), "").await, "team/app");
    for repository in ["team/base", "team/none"] {
        let repository = name(repository);
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap();
        let unknown = format!("repository {repository} is not known here");
        assert_eq!(hidden(r.repository(&bob, &repository).await), unknown);
        assert_eq!(hidden(r.repository_contents(&bob, &repository).await), unknown);
        assert_eq!(hidden(r.tag_entries(&bob, &repository, None, 9).await), unknown);
        assert_eq!(hidden(r.manifest_entries(&bob, &repository, None, 9).await), unknown);
        assert_eq!(hidden(r.manifest_entry(&bob, &repository, &digest).await), unknown);
        denied(r.update_repository(&bob, &repository, None, None).await);
        denied(r.delete_repository(&bob, &repository, None).await);
    }
    let page = r.repositories(&root, None, "", None, 2).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("team/app"));
    assert_eq!(page.entries[1].name.as_str(), "team/app");
    let rest = r.repositories(&root, None, "", Some("team/app"), 2).await.unwrap();
    assert_eq!((rest.entries.len(), rest.next), (1, None));
}

#[tokio::test]
async fn a_maintainer_deletes_a_repository_and_a_push_finds_the_name_free() {
    let world = World::new().await;
    let r = &world.r;
    let app = name("team/app");
    let id = world.push("team/app").await;
    world.give("bob", "team/app", Role::Writer).await;
    world.give("carol", "team/app", Role::Maintainer).await;
    denied(r.delete_repository(&world.caller("bob").await, &app, None).await);
    let writer = world.by_token("carol", Role::Writer, Reach::Everywhere).await;
    too_narrow(r.delete_repository(&writer, &app, None).await);
    r.delete_repository(&world.caller("carol").await, &app, None).await.unwrap();
    let alice = world.caller("alice").await;
    hidden(r.repository(&alice, &app).await);
    hidden(r.delete_repository(&alice, &app, None).await);
    denied(r.may_push(&world.caller("bob").await, &app).await);
    assert_eq!(world.push("team/app").await, id);
    denied(r.may_push(&world.caller("carol").await, &app).await);
}

#[tokio::test]
async fn only_administrators_see_how_much_there_is() {
    let world = World::new().await;
    world.push("team/app").await;
    denied(world.r.stats(&world.caller("alice").await).await);
    let stats = world.r.stats(&world.caller("root").await).await.unwrap();
    assert_eq!((stats.users, stats.orgs, stats.repositories, stats.robots), (4, 6, 1, 0));
}
