use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::Error;

/// Where a server is: scheme, host and port, never a path, because images are named by host and port alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads `registry.example.com`, `localhost:5000` or a URL. Without a scheme it is https, except on this machine:
    /// there it is http, unless `tls` says otherwise.
    pub fn parse(text: &str, tls: bool) -> Result<Self, Error> {
        let wrong = |problem: &str| Error::Address { text: text.trim().into(), problem: problem.into() };
        let given = text.trim().trim_end_matches('/');
        let has_scheme = given.contains("://");
        let full = if has_scheme { given.to_owned() } else { format!("https://{given}") };
        let mut url = Url::parse(&full).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(wrong("only https:// and http:// are spoken"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("a name or password does not belong into an address: it would be seen by everybody"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("give the server alone, without what is on it"));
        }
        if !has_scheme && !tls && is_loopback(&url) {
            // Parsed anew: the port that https leaves out is not the one that http does.
            url = Url::parse(&format!("http://{given}")).map_err(|error| wrong(&error.to_string()))?;
        }
        Ok(Self(url))
    }

    /// `host` or `host:port`, as in the names of images.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether what is said can be read on the way.
    pub fn is_clear(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The URL of what is at `path`, which begins with `/` and is encoded already.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// The same without TLS, at the same port or else at http's.
    pub(crate) fn in_clear(&self) -> Self {
        let rest = self.0.as_str().trim_start_matches("https:");
        Url::parse(&format!("http:{rest}")).map_or_else(|_| self.clone(), Self)
    }

    /// Whether `url` is of this very server: scheme, host and port.
    pub(crate) fn is_origin_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// Whether `url` is of this host, at any port.
    pub(crate) fn is_host_of(&self, url: &Url) -> bool {
        self.0.host() == url.host()
    }

    /// Whether a secret that may go to this server may also go to `url`, that it names: not where it could be read on the
    /// way when the server itself is spoken to in secret.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        url.scheme() == "https" || (url.scheme() == "http" && self.is_clear())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// `https://registry.example.com`, without a slash at its end.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn parsed(text: &str) -> String {
        Address::parse(text, false).unwrap().to_string()
    }

    #[test]
    fn the_scheme_is_https_except_on_this_machine() {
        for (text, url) in [
            ("registry.example.com", "https://registry.example.com"),
            ("registry.example.com:8443/", "https://registry.example.com:8443"),
            ("localhost:5000", "http://localhost:5000"),
            ("localhost:443", "http://localhost:443"),
            ("127.0.0.1", "http://127.0.0.1"),
            ("[::1]:5000", "http://[::1]:5000"),
            ("my.localhost", "http://my.localhost"),
            ("localhost.example.com", "https://localhost.example.com"),
            ("https://localhost:5000", "https://localhost:5000"),
            ("http://registry.example.com", "http://registry.example.com"),
        ] {
            assert_eq!(parsed(text), url, "{text}");
        }
        assert_eq!(Address::parse("localhost:5000", true).unwrap().to_string(), "https://localhost:5000");
    }

    #[test]
    fn the_host_is_what_images_are_named_by() {
        assert_eq!(Address::parse("https://r.example:443", false).unwrap().host(), "r.example");
        assert_eq!(Address::parse("http://[::1]:5000", false).unwrap().host(), "[::1]:5000");
    }

    #[test]
    fn what_is_more_than_a_server_is_refused() {
        for text in
            ["", "r.example/team/app", "https://u:p@r.example", "ftp://r.example", "r.example?x", "a b", "r:99999"]
        {
            assert!(Address::parse(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_follow_from_https_to_http() {
        let clear = url::Url::parse("http://other/token").unwrap();
        let tls = url::Url::parse("https://other/token").unwrap();
        let (https, http) = (Address::parse("https://a", false).unwrap(), Address::parse("http://a", false).unwrap());
        assert!(https.trusts(&tls) && http.trusts(&tls) && http.trusts(&clear) && !https.trusts(&clear));
    }
}
