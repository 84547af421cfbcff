use super::*;

#[tokio::test]
async fn a_quota_is_set_in_parts_and_shown_with_what_is_used() {
    let desk = Desk::of_admin().await;
    desk.wharf("orgs create team").await.ok();
    desk.wharf("quotas set team --bytes 10GiB --tags 5").await.ok();
    desk.wharf("quotas set team --repositories 3").await.ok();
    desk.wharf("quotas set team --tags none").await.ok();
    let quota = desk.json("quotas get team").await;
    assert_eq!((quota["bytes"]["limit"].as_u64(), quota["repositories"]["limit"].as_u64()), (Some(10 << 30), Some(3)));
    assert!(quota["tags"]["limit"].is_null(), "{quota}");
    let shown = desk.wharf("quotas get team").await.ok();
    assert!(
        shown.contains("bytes         0B of 10GiB\n") && shown.contains("tags          0 of no limit\n"),
        "{shown}"
    );
    desk.wharf("quotas set team").await.fails(2, "--bytes");
    desk.wharf("quotas set team --bytes 10GB").await.fails(2, "GiB");
    desk.wharf("quotas get nobody").await.fails(4, "nobody");
}

#[tokio::test]
async fn limits_are_set_and_go_back_to_their_defaults() {
    let desk = Desk::of_admin().await;
    desk.wharf("limits set manifest-pulls anonymous 100/6h").await.ok();
    desk.wharf("limits set pushes caller none").await.ok();
    let find = |all: &Value, class: &str, per: &str| {
        let all = all.as_array().unwrap();
        all.iter().find(|limit| limit["class"] == class && limit["per"] == per).cloned().unwrap_or_default()
    };
    let all = desk.json("limits list").await;
    let pulls = find(&all, "manifest-pulls", "anonymous");
    assert_eq!((pulls["requests"].as_u64(), pulls["seconds"].as_u64()), (Some(100), Some(21_600)), "{all}");
    assert!(find(&all, "pushes", "caller")["requests"].is_null(), "{all}");
    let shown = desk.wharf("limits list").await.ok();
    assert!(shown.lines().any(|line| line.split_whitespace().eq([
        "manifest-pulls",
        "anonymous",
        "100",
        "21600",
        "no"
    ])));
    desk.wharf("limits unset manifest-pulls anonymous").await.ok();
    let all = desk.json("limits list").await;
    assert_ne!(find(&all, "manifest-pulls", "anonymous")["requests"].as_u64(), Some(100), "{all}");
    desk.wharf("limits set manifest-pulls everybody 1/s").await.fails(2, "anonymous");
    desk.wharf("limits set manifest-pulls anonymous 0/s").await.fails(2, "");
}
