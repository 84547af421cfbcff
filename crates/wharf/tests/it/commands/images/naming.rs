use super::*;

#[tokio::test]
async fn tags_are_added_moved_and_deleted_and_images_stay() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    desk.boxed.push_image("team/app", "old").await;
    let digest = image.manifest.digest.to_string();
    desk.wharf("tags add team/app:v1 stable old").await.ok();
    assert_eq!(desk.digest("team/app", "stable").await, digest);
    assert_eq!(desk.digest("team/app", "old").await, digest);
    assert_eq!(desk.wharf("tags list team/app").await.ok(), "old\nstable\nv1\n");
    let listed = desk.json("tags list team/app").await;
    assert_eq!(listed, json!({ "Repository": format!("{}/team/app", desk.host()), "Tags": ["old", "stable", "v1"] }));

    desk.wharf("tags delete team/app:old stable").await.ok();
    assert_eq!(desk.wharf("tags list team/app").await.ok(), "v1\n");
    desk.wharf(&format!("tags delete team/app@{digest}")).await.fails(2, "wharf delete");
    desk.wharf("tags delete team/app:old").await.fails(4, "old");
}

#[tokio::test]
async fn a_tag_goes_alone_and_a_digest_with_its_tags() {
    let desk = Desk::of_admin().await;
    let image = desk.boxed.push_image("team/app", "v1").await;
    let digest = image.manifest.digest.to_string();
    desk.wharf("tags add team/app:v1 v2").await.ok();
    let said = desk.wharf("delete team/app:v2").await.ok();
    assert!(said.contains(&digest), "{said}");
    assert_eq!(desk.digest("team/app", "v1").await, digest);
    desk.wharf(&format!("delete team/app@{digest}")).await.ok();
    desk.boxed.get("/v2/team/app/manifests/v1").await.expect(404);
    desk.wharf("delete team/app:v1").await.fails(4, "there is no");
    desk.wharf("delete team/app").await.fails(2, "wharf repos delete");
}

#[tokio::test]
async fn who_may_not_is_told_so_by_name() {
    let desk = Desk::of_admin().await;
    desk.boxed.push_image("team/app", "v1").await;
    desk.boxed.set_visibility("team/app", "internal");
    desk.boxed.make_user("alice");
    desk.sign_in("alice", "--replace").await;
    desk.wharf("digest team/app:v1").await.ok();
    let denied = desk.wharf("tags add team/app:v1 v2").await;
    assert_eq!(denied.code, 1, "{denied}");
    let said = format!(
        "{}/team/app: denied: alice may not push in team/app: ask an owner of it or an administrator; \
        they allow it by: wharf authorizations create team/app --user alice --permission writer\n",
        desk.host()
    );
    assert!(denied.err.ends_with(&said), "{denied}");
    desk.wharf("tags add --no-creds team/app:v1 v2")
        .await
        .fails(3, &format!("sign in to do this: wharf auth login {}", desk.host()));
    let denied = desk.wharf("tags delete team/app:v1").await;
    assert!(denied.err.contains("create team/app --user alice --permission maintainer"), "{denied}");
}
