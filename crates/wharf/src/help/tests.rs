#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects bluntly")]

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _, Id, Subcommand as _};

use super::grouped;
use crate::Wharf;

const PREAMBLE: &str = "# Commands

Made from the program itself, as `wharf COMMAND --help` shows it. [cli.md](../cli.md) is the guide, with the exit codes.
";

/// What every command of the user's takes is said once.
fn is_common(arg: &Arg) -> bool {
    arg.get_help_heading() == Some("Common options") || ["help", "version"].contains(&arg.get_id().as_str())
}

fn reference() -> String {
    let mut command = grouped(Wharf::command());
    command.build();
    let mut page = PREAMBLE.to_owned();
    let any = command.find_subcommand("orgs").unwrap();
    page.push_str("\n## Common options\n\nOf every command but those for who runs the registry.\n\n");
    any.get_arguments().filter(|arg| arg.get_help_heading().is_some()).for_each(|arg| entry(&mut page, arg));
    // Several of the operator's commands take all settings; they are listed once.
    let settings: Vec<_> = command.find_subcommand("serve").unwrap().get_arguments().map(Arg::get_id).collect();
    for one in command.get_subcommands().filter(|one| one.get_name() != "help" && !one.is_hide_set()) {
        let said = if wharf_server::Command::has_subcommand(one.get_name()) && one.get_name() != "serve" {
            &settings
        } else {
            &vec![]
        };
        section(&mut page, one, "wharf", said);
    }
    page
}

fn section(page: &mut String, command: &Command, before: &str, said: &[&Id]) {
    let name = format!("{before} {}", command.get_name());
    let _ = write!(page, "\n{} `{name}`\n", "#".repeat(name.split(' ').count()));
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(page, "\n{}\n", about.trim());
    let verbs: Vec<&Command> =
        command.get_subcommands().filter(|one| one.get_name() != "help" && !one.is_hide_set()).collect();
    if verbs.is_empty() {
        let usage = command.clone().render_usage().to_string();
        let _ = write!(page, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    }
    let own: Vec<&Arg> = command.get_arguments().filter(|arg| !is_common(arg) && !arg.is_hide_set()).collect();
    let (settings, own): (Vec<&Arg>, Vec<&Arg>) = own.into_iter().partition(|arg| said.contains(&arg.get_id()));
    if verbs.is_empty() && (settings.len(), own.len()) != (0, 0) {
        page.push('\n');
        for arg in own {
            entry(page, arg);
        }
    }
    if settings.len() > 2 {
        page.push_str("- and the settings, as `wharf serve` takes them\n");
    } else {
        for arg in settings {
            entry(page, arg);
        }
    }
    if let Some(after) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{}\n```\n", after.to_string().trim());
    }
    for verb in verbs {
        section(page, verb, &name, said);
    }
}

fn entry(page: &mut String, arg: &Arg) {
    let value =
        || arg.get_value_names().map(|names| names.iter().map(|name| format!("{name}")).collect::<Vec<_>>().join(" "));
    let takes = arg.get_action().takes_values();
    let mut name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => value().unwrap_or_default(),
    };
    if takes && arg.get_long().is_some() {
        let _ = write!(name, " {}", value().unwrap_or_default());
    }
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let default = arg.get_default_values().first().filter(|_| takes).map(|value| value.to_string_lossy().into_owned());
    let default = default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    let aliases = if aliases.is_empty() { String::new() } else { format!(" [also: --{}]", aliases.join(", --")) };
    let _ = writeln!(page, "- `{name}`: {}{default}{aliases}", help.split_whitespace().collect::<Vec<_>>().join(" "));
}

#[test]
fn commands_are_put_together_well() {
    grouped(Wharf::command()).debug_assert();
}

#[test]
fn help_lists_the_operators_commands_apart() {
    let help = grouped(Wharf::command()).render_help().to_string();
    let place = |words: &str| help.find(words).unwrap_or_else(|| panic!("no {words} in\n{help}"));
    assert!(place("Commands:\n  auth") < place("Commands for who runs the registry:\n  serve"), "{help}");
    assert!(place("  orgs ") < place("for who runs") && place("for who runs") < place("  db "), "{help}");
}

#[test]
fn every_command_has_help_that_begins_like_the_others() {
    fn look(command: &Command, name: &str) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.starts_with(char::is_uppercase) && !about.ends_with('.'), "{name}: '{about}'");
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{name}: {} has no help", arg.get_id());
        }
        for one in command.get_subcommands() {
            look(one, &format!("{name} {}", one.get_name()));
        }
    }
    look(&Wharf::command(), "wharf");
}

#[test]
fn the_committed_reference_is_that_of_the_commands() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let written = reference();
    if std::fs::read_to_string(format!("{root}/docs/reference/cli.md")).is_ok_and(|committed| committed == written) {
        return;
    }
    let target = std::env::temp_dir().join("wharf-reference-cli.md");
    std::fs::write(&target, written).unwrap();
    panic!("docs/reference/cli.md is not what the commands say: cp {} docs/reference/cli.md", target.display());
}
