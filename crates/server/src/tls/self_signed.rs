//! A small CA of the registry's own, made once, and the server certificates it issues.
//!
//! Clients are given `ca.crt` once, so it must outlive every restart and renewal; it is never replaced silently.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::{TlsError, content, files, guide, load, now, read, read_chain, unix_seconds};

const DAY: u64 = 24 * 60 * 60;
const CA_DAYS: u64 = 3652;
/// Apple's clients refuse more than 398 days; one is for clocks that go wrong.
const SERVER_DAYS: u64 = 397;
const RENEW_DAYS: u64 = 30;

/// Where a registry's own certificates are, and for which names.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    folder: PathBuf,
    /// Lower case, sorted, each once.
    names: Vec<String>,
}

/// Makes what is missing in `<data>/tls`: the CA (10 years) and a certificate for `names`, localhost, the loopback
/// addresses and this machine's name. Names may be host names or IP addresses, `[…]` around IPv6 or not.
pub fn self_signed(data: &Path, names: &[String]) -> Result<SelfSigned, TlsError> {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let always = ["localhost", "127.0.0.1", "::1", &machine];
    let own = SelfSigned::new(data, always.into_iter().chain(names.iter().map(String::as_str)));
    own.renew()?;
    Ok(own)
}

impl SelfSigned {
    pub(super) fn new<'a>(data: &Path, names: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<_> = names.map(normal).filter(|name| !name.is_empty()).collect();
        names.sort();
        names.dedup();
        Self { folder: data.join("tls"), names }
    }

    /// What clients are to trust.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Certificate and key in one file, so that one rename replaces both.
    pub fn server_file(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// Commands to copy that make docker, podman and containerd trust `registry` (`host:port`, as clients name it).
    pub fn instructions(&self, registry: &str) -> String {
        guide::instructions(&self.ca_file(), registry)
    }

    /// Issues a new certificate if the present one is missing, ends within 30 days, or is not for exactly these names.
    pub fn renew(&self) -> Result<(), TlsError> {
        self.renew_at(now())
    }

    pub(super) fn renew_at(&self, now: SystemTime) -> Result<(), TlsError> {
        files::make_folder(&self.folder)?;
        let (ca, ca_key) = self.authority(now)?;
        let file = self.server_file();
        if file.exists() && load(&file, &file).is_ok() {
            let chain = read_chain(&file)?;
            if is_good(&chain[0], &ca, &self.names, now) {
                return Ok(());
            }
        }
        let issuer = Issuer::from_ca_cert_der(&ca, ca_key)?;
        let key = KeyPair::generate()?;
        let certificate = self.server_params(&ca, now)?.signed_by(&key, &issuer)?;
        files::write(&file, files::PRIVATE, (certificate.pem() + &key.serialize_pem()).as_bytes())?;
        tracing::info!(names = ?self.names, file = %file.display(), "server certificate issued");
        Ok(())
    }

    /// The CA and its key, made if there is none.
    fn authority(&self, now: SystemTime) -> Result<(CertificateDer<'static>, KeyPair), TlsError> {
        let (certificate, key) = (self.ca_file(), self.folder.join("ca.key"));
        if !certificate.exists() {
            let made = KeyPair::generate()?;
            let signed = ca_params(now)?.self_signed(&made)?;
            // The key first: a certificate that is there can always be issued from.
            files::write(&key, files::PRIVATE, made.serialize_pem().as_bytes())?;
            files::write(&certificate, files::PUBLIC, signed.pem().as_bytes())?;
            return Ok((signed.der().clone(), made));
        }
        load(&certificate, &key)?;
        let pem = String::from_utf8(read(&key)?).map_err(|_| content(&key, "is not text"))?;
        Ok((read_chain(&certificate)?.remove(0), KeyPair::from_pem(&pem)?))
    }

    fn server_params(&self, ca: &CertificateDer<'_>, now: SystemTime) -> Result<CertificateParams, TlsError> {
        let mut params = CertificateParams::new(self.names.clone())?;
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, "Wharfinger");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let ca_ends = parse(ca).map_or(u64::MAX, |ca| u64::try_from(ca.validity().not_after.timestamp()).unwrap_or(0));
        set_validity(&mut params, now, SERVER_DAYS, ca_ends);
        Ok(params)
    }
}

fn ca_params(now: SystemTime) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.remove(DnType::CommonName);
    // The key's beginning would do as well; the time tells people which of two is the newer.
    params.distinguished_name.push(DnType::CommonName, format!("Wharfinger CA {}", unix_seconds(now)));
    set_validity(&mut params, now, CA_DAYS, u64::MAX);
    Ok(params)
}

/// `days` long, begun an hour ago for clients whose clocks are behind, and not beyond `latest`.
fn set_validity(params: &mut CertificateParams, now: SystemTime, days: u64, latest: u64) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let begin = u64::try_from(unix_seconds(now)).unwrap_or(0).saturating_sub(60 * 60);
    params.not_before = epoch + Duration::from_secs(begin);
    params.not_after = epoch + Duration::from_secs((begin + days * DAY).min(latest));
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    x509_parser::parse_x509_certificate(certificate).ok().map(|(_, parsed)| parsed)
}

/// Whether `server` is issued by `ca`, for exactly `names`, and for a while yet.
fn is_good(server: &CertificateDer<'_>, ca: &CertificateDer<'_>, names: &[String], now: SystemTime) -> bool {
    let (Some(server), Some(ca)) = (parse(server), parse(ca)) else { return false };
    let renew = unix_seconds(now + Duration::from_secs(RENEW_DAYS * DAY));
    let ends = server.validity().not_after;
    let in_time = ends.timestamp() > renew || ends == ca.validity().not_after;
    in_time && issued_by(&server, &ca) && names_of(&server) == names
}

fn issued_by(server: &X509Certificate<'_>, ca: &X509Certificate<'_>) -> bool {
    let wanted = server.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    let has = ca.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    wanted.is_some() && wanted == has
}

/// The names a certificate is for, as [`SelfSigned::new`] orders them.
pub(super) fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let mut names: Vec<_> = extension.value.general_names.iter().filter_map(name_of).collect();
    names.sort();
    names
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(normal(name)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    }
}

/// One spelling for one name.
fn normal(name: &str) -> String {
    let name = name.trim_matches(['[', ']']);
    name.parse::<IpAddr>().map_or_else(|_| name.to_ascii_lowercase(), |address| address.to_string())
}
