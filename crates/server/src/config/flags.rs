//! The flags of `wharf serve`, which `wharf config show` and `wharf config check` take as well.

use std::path::PathBuf;

use super::Raw;

/// A setting given on the command line.
#[derive(Clone)]
pub struct Flag {
    /// `--listen`, or `--set` for those without a flag of their own.
    pub name: &'static str,
    /// The setting's key, which may be wrong.
    pub key: String,
    /// Its value.
    pub value: Raw,
}

/// Flags that configure the server. Each wins over the environment, which wins over the configuration file.
#[allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links, reason = "clap prints these comments as help")]
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct ServeFlags {
    /// Configuration file [default: /etc/wharf/wharf.toml for root, otherwise ~/.config/wharf/wharf.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Address to listen on: host:port, [IPv6]:port, :port (every interface) or unix:/path; repeat it for several
    /// [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub listen: Vec<String>,

    /// Folder of everything that is kept [default: /var/lib/wharf for root, otherwise ~/.local/share/wharf]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,

    /// Where clients reach this registry, such as https://registry.example.com [default: as each request says]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,

    /// PEM file of the TLS certificate and its intermediates; needs --tls-key
    #[arg(long, value_name = "FILE")]
    pub tls_certificate: Option<String>,

    /// PEM file of the TLS certificate's private key
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<String>,

    /// Speak TLS with a certificate made here, and say which file makes docker, podman and containerd trust it
    #[arg(long)]
    pub tls_self_signed: bool,

    /// What callers without an account may do: none or pull (what is public) [default: none]
    #[arg(long, value_name = "none|pull")]
    pub anonymous: Option<String>,

    /// What a manifest must find in its repository: its layers, all (an index's manifests too) or none
    /// [default: layers]
    #[arg(long, value_name = "layers|all|none")]
    pub strict: Option<String>,

    /// How log lines look: auto is text on a terminal and JSON otherwise [default: auto]
    #[arg(long, value_name = "auto|text|json")]
    pub log_format: Option<String>,

    /// The least important to log: error, warn, info, debug, trace or off; or directives such as info,wharf_http=debug
    /// [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// Any setting by its name in the configuration file, such as limits.drain=30s; may be repeated.
    /// `wharf config show` lists them all
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
}

impl ServeFlags {
    /// The settings that are given, those of `--set` last.
    pub fn given(&self) -> Vec<Flag> {
        let text = |text: &Option<String>| text.clone().map(Raw::Text);
        let listen = (!self.listen.is_empty()).then(|| Raw::List(self.listen.clone()));
        let self_signed = self.tls_self_signed.then(|| Raw::Text("true".into()));
        let named = [
            ("--listen", "listen", listen),
            ("--data", "data", text(&self.data)),
            ("--public-url", "public_url", text(&self.public_url)),
            ("--tls-certificate", "tls.certificate", text(&self.tls_certificate)),
            ("--tls-key", "tls.key", text(&self.tls_key)),
            ("--tls-self-signed", "tls.self_signed", self_signed),
            ("--anonymous", "anonymous", text(&self.anonymous)),
            ("--strict", "strict", text(&self.strict)),
            ("--log-format", "log.format", text(&self.log_format)),
            ("--log-level", "log.level", text(&self.log_level)),
        ];
        let named =
            named.into_iter().filter_map(|(name, key, value)| Some(Flag { name, key: key.into(), value: value? }));
        let set = self.set.iter().cloned();
        named.chain(set.map(|(key, value)| Flag { name: "--set", key, value: Raw::Text(value) })).collect()
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as limits.drain=30s")?;
    Ok((key.trim().into(), value.into()))
}

#[cfg(test)]
mod tests;
