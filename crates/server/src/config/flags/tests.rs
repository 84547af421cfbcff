use clap::Parser;

use super::super::{Config, Listen, Sources, settings};
use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    flags: ServeFlags,
}

fn parse(args: &[&str]) -> ServeFlags {
    Command::try_parse_from([&["wharf"], args].concat()).unwrap_or_else(|error| panic!("{error}")).flags
}

#[test]
fn the_flags_of_the_reference_are_those_of_the_command() {
    let given = parse(&[
        "--listen",
        ":1",
        "--data",
        "/d",
        "--public-url",
        "https://a",
        "--tls-certificate",
        "/c",
        "--tls-key",
        "/k",
        "--tls-self-signed",
        "--anonymous",
        "pull",
        "--strict",
        "all",
        "--log-format",
        "json",
        "--log-level",
        "warn",
    ])
    .given();
    let mut given: Vec<_> = given.iter().map(|flag| (flag.key.as_str(), flag.name)).collect();
    let mut documented: Vec<_> =
        settings().filter_map(|setting| setting.flag.map(|flag| (setting.key, flag))).collect();
    given.sort_unstable();
    documented.sort_unstable();
    assert_eq!(given, documented);
    <Command as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn flags_reach_the_configuration() {
    let flags = parse(&["--listen", ":1", "--listen=unix:/s,:2", "--tls-self-signed", "--set", "limits.drain=0s"]);
    let loaded = Config::load(&Sources { flags: flags.given(), root: true, ..Sources::default() }).unwrap();
    assert_eq!(loaded.config.listen, [Listen::Any(1), Listen::Unix("/s".into()), Listen::Any(2)]);
    assert!(loaded.config.tls.self_signed && loaded.config.limits.drain.is_zero());
    assert_eq!(loaded.origin("listen").to_string(), "flag --listen");
    assert_eq!(loaded.origin("limits.drain").to_string(), "flag --set");
}

#[test]
fn set_wants_a_key_and_a_value() {
    assert!(Command::try_parse_from(["wharf", "--set", "limits.drain"]).is_err());
    assert_eq!(parse(&["--set", "a = b=c"]).set, [("a".into(), " b=c".into())]);
}
