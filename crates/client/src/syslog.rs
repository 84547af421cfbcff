//! Messages to a syslog receiver: RFC 5424, over UDP (RFC 5426), TCP with octet counting (RFC 6587 §3.4.1) or a unix
//! datagram socket such as `/dev/log`.
//!
//! Nothing that a message carries can end it, or begin another: values are escaped, control characters replaced, and
//! every message has its own datagram or its own length.

use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};
use tokio::time::timeout;

/// How long connecting, and sending a batch, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Octets of a message, at most: what receivers take as they are installed (rsyslog's `maxMessageSize`).
pub const LONGEST: usize = 8 * 1024;
/// Octets of a value in structured data, as escaped: a dozen of them leave room for words.
const LONGEST_VALUE: usize = 512;
/// The port of a host that is given without one.
const PORT: u16 = 514;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `udp://host:514`: what is lost on the way is lost.
    Udp(String, u16),
    /// `tcp://host:514`
    Tcp(String, u16),
    /// `unix:/dev/log`
    Unix(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected udp://host:514, tcp://host:514 or unix:/dev/log";
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let is_path = path.starts_with('/') && !path.contains('\0');
            return if is_path {
                Ok(Self::Unix(path.into()))
            } else {
                Err(format!("\"{text}\" has no path: {expected}"))
            };
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("\"{text}\" has no scheme: {expected}"))?;
        let (host, port) = host_and_port(rest).ok_or_else(|| format!("\"{text}\" names no host: {expected}"))?;
        match scheme {
            "udp" => Ok(Self::Udp(host, port)),
            "tcp" => Ok(Self::Tcp(host, port)),
            _ => Err(format!("\"{text}\" has an unknown scheme: {expected}")),
        }
    }
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port != 0))?;
    (!host.is_empty() && host.chars().all(legal)).then(|| (host.to_owned(), port))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Self::Unix(path) => return write!(f, "unix:{}", path.display()),
            Self::Udp(host, port) => ("udp", host, port),
            Self::Tcp(host, port) => ("tcp", host, port),
        };
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

/// How much a message matters (RFC 5424 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something to look at.
    Warning = 4,
    /// Normal, and worth knowing.
    Notice = 5,
}

/// Facility 13: log audit.
const AUDIT: u8 = 13;

/// A message in the making.
#[derive(Clone, Debug)]
pub struct Message<'m> {
    /// How much it matters.
    pub severity: Severity,
    /// When it happened, as RFC 3339.
    pub time: &'m str,
    /// The machine.
    pub host: &'m str,
    /// The process.
    pub process: u32,
    /// What kind it is, such as `grant.create`.
    pub kind: &'m str,
    /// Names and values. A name is printable ASCII without `=`, `]`, `"` and spaces, 32 octets at most.
    pub data: &'m [(&'m str, &'m str)],
    /// Words for people, cut where the message would be too long.
    pub text: &'m str,
}

impl Message<'_> {
    /// As it goes over the wire, without what frames it.
    pub fn render(&self) -> String {
        let priority = AUDIT * 8 + self.severity as u8;
        let (host, kind) = (printable(self.host, 255), printable(self.kind, 32));
        let mut line = format!("<{priority}>1 {} {host} wharf {} {kind} [audit@32473", self.time, self.process);
        for (name, value) in self.data {
            let _ = write!(line, " {name}=\"");
            escape(value, &mut line);
            line.push('"');
        }
        line.push_str("] ");
        for one in self.text.chars().map(visible) {
            if line.len() + one.len_utf8() > LONGEST {
                break;
            }
            line.push(one);
        }
        line
    }
}

/// What a field of the header may be; `-` is nothing.
fn printable(text: &str, longest: usize) -> String {
    let legal: String = text.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if legal.is_empty() { "-".into() } else { legal }
}

/// RFC 5424 §6.3.3: `"`, `\` and `]` have a backslash before them.
fn escape(value: &str, into: &mut String) {
    let longest = into.len() + LONGEST_VALUE;
    for one in value.chars() {
        if into.len() >= longest {
            return;
        }
        if matches!(one, '"' | '\\' | ']') {
            into.push('\\');
        }
        into.push(visible(one));
    }
}

/// A line break inside a message is a second message to some receivers.
fn visible(one: char) -> char {
    if one.is_control() { '\u{fffd}' } else { one }
}

enum Connection {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Unix(UnixDatagram),
}

/// A receiver, connected to when there is something to say.
pub struct Syslog {
    target: Target,
    connection: Option<Connection>,
}

impl Syslog {
    /// One that is not connected yet.
    pub fn new(target: Target) -> Self {
        Self { target, connection: None }
    }

    /// Where messages go.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Sends messages in order. With an error, any of them may have arrived; the next call connects anew. The receiver
    /// acknowledges nothing: over TCP, what was on the way when it died is lost although this said `Ok`.
    pub async fn send(&mut self, messages: &[String]) -> io::Result<()> {
        let mut connection = match self.connection.take().filter(is_open) {
            Some(connection) => connection,
            None => in_time(connect(&self.target)).await?,
        };
        in_time(write(&mut connection, messages)).await?;
        self.connection = Some(connection);
        Ok(())
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// A receiver that has closed its end takes nothing more, and a write would not say so. They never speak.
fn is_open(connection: &Connection) -> bool {
    let Connection::Tcp(stream) = connection else { return true };
    matches!(stream.try_read(&mut [0; 64]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

async fn connect(target: &Target) -> io::Result<Connection> {
    match target {
        Target::Tcp(host, port) => TcpStream::connect((host.as_str(), *port)).await.map(Connection::Tcp),
        Target::Unix(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            Ok(Connection::Unix(socket))
        }
        Target::Udp(host, port) => {
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
            for address in lookup_host((host.as_str(), *port)).await? {
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any).await?;
                match socket.connect(address).await {
                    Ok(()) => return Ok(Connection::Udp(socket)),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}

async fn write(connection: &mut Connection, messages: &[String]) -> io::Result<()> {
    match connection {
        Connection::Udp(socket) => {
            for message in messages {
                socket.send(message.as_bytes()).await?;
            }
        }
        Connection::Unix(socket) => {
            for message in messages {
                socket.send(message.as_bytes()).await?;
            }
        }
        Connection::Tcp(stream) => {
            let framed: Vec<String> = messages.iter().map(|message| format!("{} {message}", message.len())).collect();
            stream.write_all(framed.concat().as_bytes()).await?;
            stream.flush().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
