//! The two ends of a copy, each with its own sign-ins and certificates where skopeo's words say so.

use std::path::PathBuf;

use clap::Args;

use crate::reach::Access;

/// What is said of one end wins over what is said of both.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct Sides {
    /// As --authfile, for the source alone
    #[arg(long, value_name = "FILE")]
    src_authfile: Option<PathBuf>,
    /// As --authfile, for the destination alone
    #[arg(long, value_name = "FILE")]
    dest_authfile: Option<PathBuf>,
    /// As --no-creds, for the source alone
    #[arg(long, conflicts_with = "src_authfile")]
    src_no_creds: bool,
    /// As --no-creds, for the destination alone
    #[arg(long, conflicts_with = "dest_authfile")]
    dest_no_creds: bool,
    /// As --cert-dir, for the source alone
    #[arg(long, value_name = "FOLDER")]
    src_cert_dir: Option<PathBuf>,
    /// As --cert-dir, for the destination alone
    #[arg(long, value_name = "FOLDER")]
    dest_cert_dir: Option<PathBuf>,
    /// As --tls-verify, for the source alone
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    src_tls_verify: Option<bool>,
    /// As --tls-verify, for the destination alone
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    dest_tls_verify: Option<bool>,
}

/// What is said of one end.
struct Side {
    authfile: Option<PathBuf>,
    no_creds: bool,
    cert_dir: Option<PathBuf>,
    tls_verify: Option<bool>,
}

impl Sides {
    /// The source's, given what is said of both.
    pub(crate) fn source(&self, both: &Access) -> Access {
        let Self { src_authfile, src_no_creds, src_cert_dir, src_tls_verify, .. } = self.clone();
        let (authfile, cert_dir) = (src_authfile, src_cert_dir);
        Side { authfile, no_creds: src_no_creds, cert_dir, tls_verify: src_tls_verify }.over(both)
    }

    /// The destination's.
    pub(crate) fn destination(&self, both: &Access) -> Access {
        let Self { dest_authfile, dest_no_creds, dest_cert_dir, dest_tls_verify, .. } = self.clone();
        let (authfile, cert_dir) = (dest_authfile, dest_cert_dir);
        Side { authfile, no_creds: dest_no_creds, cert_dir, tls_verify: dest_tls_verify }.over(both)
    }
}

impl Side {
    fn over(self, both: &Access) -> Access {
        let says_who = self.authfile.is_some() || self.no_creds;
        let (authfile, no_creds) =
            if says_who { (self.authfile, self.no_creds) } else { (both.authfile.clone(), both.no_creds) };
        Access {
            authfile,
            no_creds,
            cert_dir: self.cert_dir.or_else(|| both.cert_dir.clone()),
            tls_verify: self.tls_verify.or(both.tls_verify),
            ..both.clone()
        }
    }
}

#[cfg(test)]
mod tests;
