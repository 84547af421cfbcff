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

#[tokio::test]
async fn an_artifact_is_not_given_to_what_runs_images() {
    let desk = Desk::of_admin().await;
    let file = desk.at("report.txt");
    std::fs::write(&file, "all is well").unwrap();
    desk.wharf(&format!("push team/report:v1 {file} -q")).await.ok();
    let archive = desk.at("report.tar");
    let refused = desk.wharf(&format!("pull team/report:v1 --to docker-archive:{archive}")).await;
    refused.fails(2, "is an artifact, not an image");
    assert!(!std::path::Path::new(&archive).exists());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_made_for_a_file() {
    let desk = Desk::of_admin().await;
    desk.boxed.push_image("team/app", "v1").await;
    let nowhere = desk.at("nowhere");
    for line in ["copy team/app:v1 oci-archive:", "pull team/app:v1 --to docker-archive:", "export team/app:v1 -o "] {
        desk.wharf(&format!("{line}{nowhere}/app.tar")).await.fails(4, &format!("no folder {nowhere} to write"));
    }
    assert!(!std::path::Path::new(&nowhere).exists());
    desk.wharf(&format!("import {} team/app:v2", desk.home.path().display())).await.fails(2, "is a folder: tar -C");
    desk.wharf(&format!("import {nowhere} team/app:v2")).await.fails(4, &nowhere);
}

#[tokio::test]
async fn words_of_other_programs_lead_to_ours() {
    let desk = Desk::new().await;
    let host = desk.host();
    desk.wharf(&format!("login {host} -u {ADMIN} -p {PASSWORD}")).await.fails(2, "--password-stdin");
    desk.feed(PASSWORD, &format!("login {host} -u {ADMIN} --password-stdin")).await.ok();
    desk.wharf("auth status").await.ok();
    desk.wharf("logout").await.ok();
    assert_eq!(desk.wharf("auth status").await.code, 1);
    assert!(!desk.wharf("--help").await.ok().contains("  login "));
}

#[tokio::test]
async fn unpacked_files_are_told_in_one_object_a_line() {
    let desk = Desk::of_admin().await;
    let file = desk.at("report.txt");
    std::fs::write(&file, "all is well").unwrap();
    let digest = desk.wharf(&format!("push team/report:v1 {file} -q")).await.ok();
    let told = desk.wharf(&format!("pull team/report:v1 {} --unpack --json", desk.at("out"))).await.ok();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = told.last().unwrap();
    assert_eq!((&done["event"], done["digest"].as_str()), (&json!("done"), Some(digest.trim())));
    assert!(told.iter().all(|event| event["event"].is_string()), "{told:?}");
}
