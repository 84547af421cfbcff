//! What manual pages say of all the user's commands.

/// How a command ends, as docs/cli.md has it.
pub const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "done"),
    (
        "1",
        "refused or failed, also because something named beside it is not there, such as the user of --user; auth \
         status: nobody is signed in; verify: something is damaged; diff: something differs; sync: an image failed, the \
         others are done",
    ),
    ("2", "the command line is wrong, or names a context that is not there; diff: the images could not be compared"),
    ("3", "nobody is signed in, or no longer"),
    ("4", "there is no such thing, or none that you may know of: no such tag, file, or image for the platform"),
    ("5", "the server cannot be reached, stayed busy, or was cut again and again"),
    ("130", "Ctrl-C"),
];

/// What is read and written beside what a command names.
pub const FILES: &[(&str, &str)] = &[
    (
        "~/.config/wharf/contexts.json",
        "the servers; below $WHARF_CONFIG_HOME or $XDG_CONFIG_HOME/wharf where that is set",
    ),
    (
        "~/.config/wharf/credentials.json",
        "as whom you are signed in there, with secrets that no keyring keeps; mode 0600",
    ),
    ("~/.local/state/wharf/uploads", "what a push that was killed goes on with"),
    ("~/.cache/wharf/layers", "what layers of podman's were compressed to; may be deleted"),
    ("$XDG_RUNTIME_DIR/containers/auth.json, ~/.docker/config.json", "sign-ins of podman and docker"),
    (
        "/etc/containers/registries.conf, ~/.config/containers/registries.conf",
        "mirrors, aliases, blocked and insecure registries",
    ),
    ("/etc/containers/certs.d, ~/.config/containers/certs.d, /etc/docker/certs.d", "certificates by registry"),
];

#[cfg(test)]
mod tests;
