//! Manual pages: a page for each command, of all that man readers look for (man-pages(7)).

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, Subcommand as _};
use clap_mangen::Man;

/// Writes the pages of a program into a folder.
pub(super) fn write(folder: &Path, mut whole: Command) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    whole.build();
    let source = format!("wharf {}", whole.get_version().unwrap_or_default());
    pages(folder, &whole, &Place { source: &source, above: None, is_users: true })
}

/// Where a command stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    source: &'a str,
    /// The page of the command that it belongs to.
    above: Option<&'a str>,
    /// What people do from their own machines, as opposed to who runs a registry.
    is_users: bool,
}

fn pages(folder: &Path, command: &Command, place: &Place<'_>) -> io::Result<()> {
    let name = page_name(command);
    std::fs::write(folder.join(format!("{name}.1")), page(command, place)?)?;
    for one in shown(command) {
        let is_users = match place.above {
            Some(_) => place.is_users,
            None => wharf_cli::Command::has_subcommand(one.get_name()),
        };
        pages(folder, one, &Place { above: Some(&name), is_users, ..*place })?;
    }
    Ok(())
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help")
}

fn page_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: &Command, place: &Place<'_>) -> io::Result<Vec<u8>> {
    let name = page_name(command);
    let man = Man::new(command.clone()).title(name.to_uppercase()).source(place.source).manual("Wharfinger");
    let mut page = vec![];
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let usage = command.clone().render_usage().to_string();
    let usage: Vec<&str> = usage.trim_start_matches("Usage:").lines().map(str::trim).collect();
    page.write_all(verbatim("SYNOPSIS", &usage).as_bytes())?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if shown(command).next().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for block in after.split("\n\n").map(str::trim_end).filter(|block| !block.is_empty()) {
        page.write_all(section(block).as_bytes())?;
    }
    if place.is_users {
        page.write_all(table("EXIT STATUS", wharf_cli::EXIT_CODES).as_bytes())?;
        page.write_all(table("FILES", wharf_cli::FILES).as_bytes())?;
    }
    let others = place.above.map(str::to_owned).into_iter().chain(shown(command).map(page_name));
    let others: Vec<String> = others.map(|other| format!("\\fB{}\\fR(1)", escaped(&other))).collect();
    write!(page, ".SH \"SEE ALSO\"\n{}\n", others.join(",\n"))?;
    Ok(page)
}

/// What stands below the options in --help: `Heading:` with lines of their own, or some sentences.
fn section(block: &str) -> String {
    let (first, rest) = block.split_once('\n').unwrap_or((block, ""));
    match first.strip_suffix(':') {
        Some(heading) if !rest.is_empty() && rest.lines().all(|line| line.starts_with(' ')) => {
            verbatim(&heading.to_uppercase(), &rest.lines().collect::<Vec<_>>())
        }
        _ => format!(".SH NOTES\n{}\n", block.lines().map(line).collect::<Vec<_>>().join("\n")),
    }
}

/// Lines that stay lines.
fn verbatim(heading: &str, lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|text| line(text)).collect();
    format!(".SH \"{heading}\"\n.nf\n{}\n.fi\n", lines.join("\n"))
}

fn table(heading: &str, rows: &[(&str, &str)]) -> String {
    let mut text = format!(".SH \"{heading}\"\n");
    for (name, meaning) in rows {
        // Writing to a text does not fail.
        let _ = write!(text, ".TP\n\\fB{}\\fR\n{}\n", escaped(name), line(meaning));
    }
    text
}

/// A line that begins like a request is none.
fn line(text: &str) -> String {
    let begins = if text.starts_with(['.', '\'']) { "\\&" } else { "" };
    format!("{begins}{}", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
