use super::*;

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn a_configuration_says_how_the_image_runs() {
    let json = format!(
        r#"{{"created":"2026-01-02T03:04:05Z","architecture":"arm","os":"linux","variant":"v7",
        "config":{{"User":"1000","ExposedPorts":{{"80/tcp":{{}},"443/tcp":{{}}}},"Env":["A=b"],"Cmd":["sh"],
        "Labels":{{"x":"y"}},"Volumes":null,"OnBuild":null}},
        "rootfs":{{"type":"layers","diff_ids":["{DIGEST}"]}},
        "history":[{{"created_by":"COPY"}},{{"created_by":"ENV","empty_layer":true}}]}}"#
    );
    let config = ImageConfig::parse(json.as_bytes()).unwrap();
    assert_eq!(config.platform.to_string(), "linux/arm/v7");
    assert_eq!((config.run.user.as_str(), config.run.cmd.as_slice()), ("1000", &["sh".to_owned()][..]));
    assert_eq!(config.run.exposed_ports, ["443/tcp", "80/tcp"]);
    assert_eq!(config.run.labels["x"], "y");
    assert_eq!(config.diff_ids, [DIGEST.parse().unwrap()]);
    assert_eq!(config.history.iter().map(|entry| entry.empty_layer).collect::<Vec<_>>(), [false, true]);
}

/// `FROM scratch` with Docker's classic builder leaves nulls everywhere.
#[test]
fn null_counts_as_absent() {
    let json =
        r#"{"created":null,"author":null,"architecture":null,"os":null,"config":null,"rootfs":null,"history":null}"#;
    assert_eq!(ImageConfig::parse(json.as_bytes()), ImageConfig::parse(b"{}"));
}

#[test]
fn what_is_no_configuration_is_refused() {
    for json in ["", "[]", "{\"os\":1}", r#"{"rootfs":{"diff_ids":["x"]}}"#, r#"{"config":{"Env":"A=b"}}"#] {
        assert!(ImageConfig::parse(json.as_bytes()).is_err(), "{json}");
    }
}
