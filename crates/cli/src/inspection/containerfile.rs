//! An image's history as the Containerfile that may have made it.
//!
//! Builders write what they ran in their own ways, and none says from which image they began: what comes out reads like
//! the original and need not be it.

use wharf_oci::HistoryEntry;

/// One instruction a step.
pub(crate) fn instructions(history: &[HistoryEntry]) -> Vec<String> {
    history.iter().map(instruction).collect()
}

fn instruction(entry: &HistoryEntry) -> String {
    let text = entry.created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if text.is_empty() {
        let comment = entry.comment.trim();
        return if comment.is_empty() { "# a step that says nothing of itself".into() } else { format!("# {comment}") };
    }
    // What docker's first builder ran nothing for: `/bin/sh -c #(nop)  CMD ["sh"]`.
    if let Some((_, rest)) = text.split_once("#(nop)") {
        return added(rest.trim());
    }
    match (known(text), command(without_arguments(text))) {
        (Some(rest), _) => format!("RUN {}", command(without_arguments(rest)).unwrap_or(rest)),
        (None, Some(command)) => format!("RUN {command}"),
        (None, None) if starts_with_instruction(text) => added(text),
        (None, None) => format!("RUN {text}"),
    }
}

/// buildkit's `RUN /bin/sh -c …`.
fn known(text: &str) -> Option<&str> {
    text.strip_prefix("RUN ").map(str::trim_start)
}

/// `|2 A=1 B=2 /bin/sh -c …`: the arguments that a step was run with.
fn without_arguments(text: &str) -> &str {
    let Some(rest) = text.strip_prefix('|') else { return text };
    rest.find("/bin/sh -c ").map_or(text, |at| &rest[at..])
}

fn command(text: &str) -> Option<&str> {
    text.strip_prefix("/bin/sh -c ").map(str::trim)
}

/// `ADD file:1234 in / ` names its source by its content: the word `in` stands where none does in a Containerfile.
fn added(text: &str) -> String {
    let is_copy = text.starts_with("ADD ") || text.starts_with("COPY ");
    if is_copy { text.replacen(" in ", " ", 1).trim().to_owned() } else { text.trim().to_owned() }
}

fn starts_with_instruction(text: &str) -> bool {
    const ALL: [&str; 17] = [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    let word = text.split_whitespace().next().unwrap_or_default();
    ALL.contains(&word)
}

#[cfg(test)]
mod tests;
