//! `wharf --help`: the operator's commands apart from everybody's.

use clap::{Command, Subcommand};

/// Clap has one heading for all subcommands, so the list is written here, from what clap knows.
pub(crate) fn grouped(command: Command) -> Command {
    let groups = [
        ("Commands", wharf_cli::Command::augment_subcommands(Command::new("user"))),
        ("Commands for who runs the registry", wharf_server::Command::augment_subcommands(Command::new("operator"))),
        ("Help for shells and man", crate::papers::Papers::augment_subcommands(Command::new("papers"))),
    ];
    let width = groups.iter().flat_map(|(_, group)| shown(group)).map(|c| c.get_name().len()).max().unwrap_or(0);
    let list = |group: &Command| -> String {
        let line = |command: &Command| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            format!("  {:width$}  {about}\n", command.get_name())
        };
        shown(group).map(line).collect()
    };
    let lists: Vec<String> = groups.iter().map(|(heading, group)| format!("{heading}:\n{}", list(group))).collect();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\nOptions:\n{{options}}{{after-help}}",
        lists.join("\n")
    );
    command.help_template(template).after_help("wharf COMMAND --help says more about one.")
}

/// Those that people type.
fn shown(group: &Command) -> impl Iterator<Item = &Command> {
    group.get_subcommands().filter(|command| !command.is_hide_set())
}

#[cfg(test)]
mod tests;
