use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

pub(super) fn sources(file: &str, env: &[(&str, &str)], set: &[(&'static str, &str, &str)]) -> Sources {
    let env: BTreeMap<_, _> = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let flag = |(name, key, value): &(&'static str, &str, &str)| Flag {
        name,
        key: (*key).into(),
        value: Raw::Text((*value).into()),
    };
    let file = (!file.is_empty()).then(|| ("/etc/wharf.toml".into(), file.into()));
    Sources { file, env, flags: set.iter().map(flag).collect(), root: true, ..Sources::default() }
}

pub(super) fn from_file(file: &str) -> Result<Loaded, Vec<String>> {
    load(&sources(file, &[], &[]))
}

fn load(sources: &Sources) -> Result<Loaded, Vec<String>> {
    Config::load(sources).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn problems(sources: &Sources) -> Vec<String> {
    load(sources).expect_err("a problem")
}

#[test]
fn nothing_given_is_the_documented_default() {
    let loaded = load(&sources("", &[], &[])).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(settings().all(|setting| *loaded.origin(setting.key) == Origin::Default));
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file = "[limits]\ndrain = \"1s\"\nuploads = 1\nconnections = 1\n";
    let env = [("WHARF_LIMITS_DRAIN", "2s"), ("WHARF_LIMITS_UPLOADS", "2")];
    let loaded = load(&sources(file, &env, &[("--set", "limits.drain", "3s")])).unwrap();
    let limits = &loaded.config.limits;
    assert_eq!((limits.drain, limits.uploads, limits.connections), (Duration::from_secs(3), 2, 1));
    assert_eq!(limits.tags_page, 10_000);
    let origin = |key| loaded.origin(key).to_string();
    assert_eq!(origin("limits.drain"), "flag --set");
    assert_eq!(origin("limits.uploads"), "env WHARF_LIMITS_UPLOADS");
    assert_eq!(origin("limits.connections"), "file /etc/wharf.toml:4");
    assert_eq!(origin("limits.tags_page"), "default");
}

#[test]
fn every_setting_can_be_given_in_each_way() {
    let default = Config::default();
    for setting in settings() {
        let text = match (setting.show)(&default) {
            Some(Raw::Text(text)) => text,
            Some(Raw::List(parts)) => parts.join(","),
            None => String::new(),
        };
        let env = load(&sources("", &[(&setting.env(), &text)], &[])).unwrap();
        assert_eq!((env.origin(setting.key), &env.config), (&Origin::Env(setting.env()), &default));
        let flag = load(&sources("", &[], &[("--set", setting.key, &text)])).unwrap();
        assert_eq!((flag.origin(setting.key), &flag.config), (&Origin::Flag("--set".into()), &default));
    }
}

#[test]
fn everything_wrong_is_reported_at_once_and_where() {
    let file = "listn = \":1\"\n\n[limits]\ndrain = \"soon\"\npage = 3\nuploads = [1, 2]\n[limit]\nx = 1\n";
    let env = [("WHARF_LISTN", ":1"), ("WHARF_STRICT", "very")];
    let flags = [("--listen", "listen", "nowhere"), ("--set", "limits.tag_page", "3")];
    insta::assert_snapshot!(problems(&sources(file, &env, &flags)).join("\n"), @r#"
    /etc/wharf.toml:1: listn: there is no such setting: did you mean listen?
    /etc/wharf.toml:5: limits.page: there is no such setting: did you mean limits.tags_page?
    /etc/wharf.toml:7: [limit]: there is no such section: did you mean [limits]?
    WHARF_LISTN: no setting has this name: did you mean WHARF_LISTEN?
    --set limits.tag_page: there is no such setting: did you mean limits.tags_page?
    /etc/wharf.toml:4: limits.drain: "soon" is not a duration: expected a whole number of ms, s, m, h or d
    /etc/wharf.toml:6: limits.uploads: is a list: expected a single value
    WHARF_STRICT: "very" is unknown: expected layers, all or none
    --listen: "nowhere" is not an address to listen on: expected host:port, [IPv6]:port, :port or unix:/path
    "#);
}

#[test]
fn broken_toml_is_reported_with_its_line() {
    insta::assert_snapshot!(problems(&sources("data = \"/d\"\nlisten = [\n\n[log]\nlevel = info\n", &[], &[])).join("\n"), @r#"
    /etc/wharf.toml:4: string values must be quoted, expected literal string
    /etc/wharf.toml:5: missing comma between array elements, expected `,`
    "#);
}

#[test]
fn toml_values_of_the_wrong_type_are_refused() {
    let file = "data = 5\nlisten = [1]\nlog = \"info\"\n[tls]\nself_signed = 1.5\n[tls.key]\na = 1\n[[tokens]]\nlifetime = true\n[limits]\nuploads = 0x10\n";
    insta::assert_snapshot!(problems(&sources(file, &[], &[])).join("\n"), @r#"
    /etc/wharf.toml:3: log: is a section: write [log]
    /etc/wharf.toml:8: tokens: is a section: write [tokens]
    /etc/wharf.toml:1: data: expected a path, in quotes
    /etc/wharf.toml:2: listen: expected a list, each an address to listen on, in quotes
    /etc/wharf.toml:5: tls.self_signed: is a TOML float: expected `true` or `false`
    /etc/wharf.toml:6: tls.key: is a TOML table: expected a path
    "#);
}

#[test]
fn a_list_is_an_array_or_one_text_in_the_file() {
    let two = vec![Listen::Any(1), Listen::Any(2)];
    for file in ["listen = [\":1\", \":2\"]", "listen = \":1, :2\""] {
        assert_eq!(from_file(file).unwrap().config.listen, two);
    }
    assert_eq!(load(&sources("", &[("WHARF_LISTEN", ":1,:2")], &[])).unwrap().config.listen, two);
    assert!(from_file("listen = []").unwrap().config.listen.is_empty());
}

#[test]
fn an_empty_variable_takes_back_what_the_file_says() {
    let sources = sources("public_url = \"https://a.example\"", &[("WHARF_PUBLIC_URL", "")], &[]);
    assert_eq!(load(&sources).unwrap().config.public_url, None);
}

#[test]
fn a_setting_given_by_two_flags_is_refused() {
    let flags = [("--listen", "listen", ":1"), ("--set", "listen", ":2")];
    assert_eq!(problems(&sources("", &[], &flags)), ["--set listen: is already given by --listen: give it once"]);
}

#[test]
fn variables_of_others_are_left_alone() {
    let names = [
        "WHARF_CONFIG",
        "WHARF_ADMIN_PASSWORD",
        "WHARF_ADMIN_PASSWORD_FILE",
        "WHARF_E2E_ORAS",
        "WHARF_FUZZ_SECONDS",
        "WHARF_SERVICE_HOST",
        "WHARF_SERVICE_PORT",
        "WHARF_SERVICE_PORT_HTTP",
        "WHARF_PORT",
        "WHARF_PORT_5000_TCP",
        "WHARF_PORT_5000_TCP_ADDR",
        "WHARF_PORT_5000_TCP_PORT",
        "WHARF_PORT_5000_TCP_PROTO",
        "HOME",
        "XDG_DATA_HOME",
    ];
    let env: Vec<_> = names.iter().map(|name| (*name, "tcp://10.0.0.1:5000")).collect();
    load(&sources("", &env, &[])).unwrap();
    for name in ["WHARF_PORTS", "WHARF_PORT_X_TCP", "WHARF_PORT_5000", "WHARF_PORT_5000_TCP_X", "WHARF_"] {
        assert_eq!(problems(&sources("", &[(name, "1")], &[])).len(), 1, "{name}");
    }
}

#[test]
fn no_setting_hides_behind_a_variable_of_others_or_of_another_setting() {
    let mut names: Vec<_> = settings().map(Setting::env).collect();
    assert!(names.iter().all(|name| !environment::is_foreign(name)));
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn values_that_are_wrong_do_not_show_in_messages_about_unknown_names() {
    let found = problems(&sources("passwrd = \"hunter2\"", &[("WHARF_ADMIN_PASSWRD", "hunter2")], &[]));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|problem| !problem.contains("hunter2")), "{found:?}");
    assert!(found[1].ends_with("did you mean WHARF_ADMIN_PASSWORD?"), "{found:?}");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (file, place) in [
        ("tls.certificate = \"/c\"", ":1: tls.certificate: needs its private key"),
        ("tls.key = \"/k\"", ":1: tls.key: needs its certificate"),
        ("tls = { self_signed = true, certificate = \"/c\", key = \"/k\" }", ":1: tls.self_signed: excludes"),
        ("tls.names = \"a\"", ":1: tls.names: only goes into a self-signed"),
        ("proxy_protocol = true", ":1: proxy_protocol: has no effect without"),
        ("metrics.listen = \"127.0.0.1:5000\"", ":1: metrics.listen: 127.0.0.1:5000 is taken"),
        ("metrics.listen = \":5000\"", ":1: metrics.listen: :5000 is taken"),
        ("listen = [\"0.0.0.0:1\", \"127.0.0.1:1\"]", ":1: listen: 0.0.0.0:1 and 127.0.0.1:1 cannot both"),
        ("listen = [\"unix:/s\", \"unix:/s\"]", ":1: listen: unix:/s and unix:/s cannot both"),
        ("tokens.lifetime = \"59s\"", ":1: tokens.lifetime: 59s is too little: at least 1m"),
        ("tokens.refresh_lifetime = \"1m\"", ":1: tokens.refresh_lifetime: 1m is too little: at least 5m"),
        ("limits.url_size = \"1MiB\"", ":1: limits.url_size: 1MiB is too much: at most 64KiB"),
        ("limits.connections = 0", ":1: limits.connections: 0 is too little: at least 1"),
    ] {
        let found = from_file(file).expect_err(file);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("/etc/wharf.toml{place}")), "{found:?}");
    }
}

#[test]
fn listeners_that_do_not_meet_are_taken_together() {
    for listen in [
        "[\":1\", \":2\"]",
        "[\"0.0.0.0:1\", \"[::]:1\"]",
        "[\"127.0.0.1:0\", \"127.0.0.1:0\"]",
        "[\"127.0.0.1:1\", \"127.0.0.2:1\"]",
        "[\":1\", \"unix:/s\"]",
    ] {
        from_file(&format!("listen = {listen}")).expect(listen);
    }
}

#[test]
fn a_value_that_cannot_be_read_brings_no_second_problem() {
    let found = from_file("tls.certificate = \"/c\"\ntls.key = 5").unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(":2: tls.key"), "{found:?}");
}
