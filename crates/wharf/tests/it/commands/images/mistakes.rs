use super::*;

#[tokio::test]
async fn a_registry_without_tls_is_spoken_to_by_the_commands_own_option() {
    let desk = Desk::new().await;
    // This machine by a name that does not say so.
    let elsewhere = format!("0.0.0.0:{}", desk.served.addr.port());
    for line in ["inspect", "digest", "verify", "tags list", "images list", "pull --to oci:x"] {
        let tag = if line.ends_with("list") { "" } else { ":v1" };
        let refused = desk.wharf(&format!("{line} {elsewhere}/team/app{tag}")).await;
        assert!(!refused.err.contains("InvalidContentType"), "{refused}");
        refused.fails(5, "it does not answer in TLS; if it has no TLS: --tls-verify=false");
    }
    let reached = desk.wharf(&format!("digest {elsewhere}/team/app:v1 --tls-verify=false")).await;
    reached.fails(3, "wharf auth login");
    let url = desk.wharf(&format!("inspect http://{elsewhere}/team/app:v1")).await;
    url.fails(2, &format!("without http://, as in {elsewhere}/team/app:v1; --tls-verify"));
}

#[tokio::test]
async fn this_machine_may_speak_http_unless_it_is_to_prove_itself() {
    let desk = Desk::new().await;
    let place = format!("{}/team/app:v1", desk.host());
    desk.wharf(&format!("digest {place}")).await.fails(3, "wharf auth login");
    desk.wharf(&format!("digest {place} --tls-verify")).await.fails(5, "--tls-verify=false");
}

#[tokio::test]
async fn a_file_whose_transport_was_forgotten_makes_no_image() {
    let desk = Desk::of_admin().await;
    desk.boxed.push_image("team/app", "v1").await;
    for to in ["app.tar", "docker-archive", "team/other:v1"] {
        desk.wharf(&format!("pull team/app:v1 --to {to}")).await.fails(2, "docker-archive:");
    }
    desk.wharf("copy team/app:v1 app.tar").await.fails(2, "oci-archive:app.tar");
    desk.wharf("push oci:foo --from oci:layout").await.fails(2, "wharf copy");
    let listed = desk.wharf("repos list -q").await.ok();
    assert_eq!(listed, "team/app\n");
}

#[tokio::test]
async fn a_pull_that_does_not_say_where_to_is_told_of_the_places() {
    let desk = Desk::new().await;
    let nowhere = desk.wharf("pull team/app:v1").await;
    assert!(nowhere.err.contains("--unpack"), "{nowhere}");
    nowhere.fails(2, "say where team/app:v1 is to be: --to containers-storage:NAME");
    desk.wharf("pull team/app:v1 out").await.fails(2, "--to oci:out");
}

#[tokio::test]
async fn a_source_by_name_alone_is_looked_for_here_before_its_registry() {
    let desk = Desk::of_admin().await;
    let there = desk.boxed.push_image("team/app", "v1").await.manifest.digest;
    let taken = desk.wharf("push team/copy:v1 --from team/app:v1 -q").await.ok();
    assert_eq!(taken, format!("{there}\n"));
    let said = desk.wharf("push team/copy:v1 --from team/app:v1").await;
    assert!(said.err.contains("team/app:v1 of its registry: it is not on this machine"), "{said}");
    // The folder's name is the image's, as in what push looks for without --from.
    let here = desk.boxed.push_image("team/other", "v1").await.manifest.digest;
    let mut command = desk.command("copy team/other:v1 oci:team/app:v1");
    command.current_dir(desk.home.path());
    run(command, "", "copy").await.ok();
    let mut command = desk.command("push team/copy:v2 --from team/app:v1");
    command.current_dir(desk.home.path());
    let said = run(command, "", "push").await;
    assert!(said.err.contains("taking oci:team/app:v1"), "{said}");
    assert_eq!(desk.digest("team/copy", "v2").await, here.to_string());
}
