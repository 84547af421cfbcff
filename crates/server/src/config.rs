//! The configuration of `wharf serve`: parsed once, purely, from [`Sources`] and then only read.
//!
//! Every setting is one entry of a `section!` in this file or in `config/<section>.rs`. The typed field, its
//! name in files, environment and `--set`, its default, `wharf config show` and the reference page all come from that
//! entry. Precedence: default < file < environment < flag. Everything wrong is reported at once.

mod audit;
mod check;
mod environment;
mod file;
mod flags;
mod given;
mod limits;
mod load;
mod log;
mod metrics;
mod outgoing;
mod problem;
mod reference;
mod rules;
mod secret;
mod setting;
mod show;
mod sources;
mod suggest;
mod tls;
mod tokens;
mod uploads;
mod value;

use std::path::PathBuf;

pub use audit::Audit;
pub(crate) use check::socket_at;
pub use flags::{Flag, ServeFlags};
pub use limits::Limits;
pub use load::Loaded;
pub use log::{Log, LogFilter, LogFormat};
pub use metrics::Metrics;
pub use outgoing::Outgoing;
pub use problem::{Origin, Problem};
pub use reference::{example_toml, reference_markdown};
pub use secret::Secret;
pub use setting::{Section, Setting};
pub use show::render_show;
pub use sources::{AdminPassword, Sources};
pub use tls::Tls;
pub use tokens::Tokens;
pub use uploads::Uploads;
pub use value::{ByteSize, HostName, Listen, Network, Peer, PublicUrl, Raw};

use setting::{choice, section};

section! {
    /// What the server is, and for whom.
    pub struct Config in [] {
        /// Addresses that the registry answers on: `host:port`, `[::1]:5000`, `:5000` for every interface over IPv4 and
        /// IPv6, or `unix:/path/of.sock`. Port 0 takes a free port. An empty list leaves only the sockets that systemd
        /// hands over.
        listen: Vec<Listen> = vec![Listen::LOOPBACK] => flag("--listen");

        /// Folder of everything that is kept: database, blobs, keys, and the socket of the operator's commands. Made at the
        /// first start; one server at a time may use it.
        data: PathBuf = PathBuf::from("/var/lib/wharf") => flag("--data")
            => computed(sources::default_data, "`$XDG_DATA_HOME/wharf` (`~/.local/share/wharf`), for root `/var/lib/wharf`");

        /// Where clients reach this registry: scheme and host, such as `https://registry.example.com`. Sign-in, redirects and
        /// printed commands name it. Without it, they use the scheme and the checked `Host` of each request.
        public_url: Option<PublicUrl> = None => flag("--public-url");

        /// What callers without an account may do: `none` is nothing, `pull` is reading what is public.
        anonymous: Anonymous = Anonymous::None => flag("--anonymous");

        /// Who may read a repository for which neither it nor its org says so: `private` is who has been granted it, `internal`
        /// is everybody with an account, `public` is everybody that `anonymous` lets in.
        visibility: Visibility = Visibility::Private;

        /// Who may make orgs: `admins`, or `anyone` with an account. Whoever makes one owns it. Everybody with an account has one
        /// of their own name anyway.
        org_creation: OrgCreation = OrgCreation::Admins;

        /// Hand out tokens at `/token`. Without them clients send name and password with every request, nobody pulls without
        /// an account, and only administrators push and delete.
        token_auth: bool = true;

        /// What a manifest must find in its repository to be accepted: `layers` is its config and layers, `all` is also
        /// every manifest that an index lists, `none` is nothing.
        strict: Strict = Strict::Layers => flag("--strict");

        /// Whether Docker's own manifest formats (schema 2 and manifest lists) may be pushed beside the OCI ones.
        docker_manifests: DockerManifests = DockerManifests::Accept;

        /// Reverse proxies and load balancers whose word about the client is taken (`X-Forwarded-*`, PROXY protocol):
        /// networks such as `10.0.0.0/8`, single addresses, and `unix` for whoever connects to a unix socket.
        trusted_proxies: Vec<Peer> = vec![];

        /// Expect a PROXY protocol header (version 1 or 2) at the start of every connection from a trusted proxy.
        proxy_protocol: bool = false;
    }
    sections {
        /// `[tls]`
        tls: Tls,
        /// `[limits]`
        limits: Limits,
        /// `[uploads]`
        uploads: Uploads,
        /// `[tokens]`
        tokens: Tokens,
        /// `[outgoing]`
        outgoing: Outgoing,
        /// `[audit]`
        audit: Audit,
        /// `[metrics]`
        metrics: Metrics,
        /// `[log]`
        log: Log,
    }
}

/// Every section, in the order of the reference; the first has no name and stands at the top of the file.
pub static SECTIONS: &[Section] = &[
    Config::SECTION,
    Tls::SECTION,
    Limits::SECTION,
    Uploads::SECTION,
    Tokens::SECTION,
    Outgoing::SECTION,
    Audit::SECTION,
    Metrics::SECTION,
    Log::SECTION,
];

/// Every setting of every section.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

choice! {
    /// What callers without an account may do.
    pub enum Anonymous {
        /// Nothing.
        None = "none",
        /// Read what is public.
        Pull = "pull",
    }
}

choice! {
    /// Who may read what nobody has said anything about.
    pub enum Visibility {
        /// Who has been granted it.
        Private = "private",
        /// Everybody with an account.
        Internal = "internal",
        /// Everybody.
        Public = "public",
    }
}

choice! {
    /// Who may make orgs.
    pub enum OrgCreation {
        /// Administrators.
        Admins = "admins",
        /// Everybody with an account.
        Anyone = "anyone",
    }
}

choice! {
    /// What must be in the repository before a manifest that names it.
    pub enum Strict {
        /// Config and layers.
        Layers = "layers",
        /// Config, layers and the manifests of an index.
        All = "all",
        /// Nothing.
        None = "none",
    }
}

choice! {
    /// Whether Docker's own manifest formats may be pushed.
    pub enum DockerManifests {
        /// They are stored like any other.
        Accept = "accept",
        /// They are refused with a sentence that names `--format oci`.
        Refuse = "refuse",
    }
}

#[cfg(test)]
mod tests;
