//! What passes between a client and a registry: every byte of a request's body counted, and held back at a point.
//!
//! A client is killed while it waits at that point, so that where it dies is known to the byte and no clock decides.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::machine::wait_for;

/// A port of its own, and all that goes there goes on to the registry.
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

/// The body of a request, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its method.
    pub method: String,
    /// Where in a blob it begins, by its `Content-Range`; 0 without one.
    pub first: u64,
    /// Bytes that passed.
    pub passed: u64,
}

impl Sent {
    /// Where in a blob it ended.
    pub fn end(&self) -> u64 {
        self.first + self.passed
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Of a blob, in bytes.
enum Hold {
    At(u64),
    Before(u64),
}

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    hold: Option<Hold>,
    holds: bool,
    /// Whoever is held is to go away.
    cut: bool,
    open: usize,
}

impl Relay {
    /// To the registry at `host:port`.
    pub fn to(registry: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (port, shared) = (listener.local_addr().unwrap().port(), Arc::new(Shared::default()));
        let (registry, known) = (registry.to_owned(), Arc::clone(&shared));
        // Ends with the process: it owns nothing that would stay.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (registry, shared) = (registry.clone(), Arc::clone(&known));
                shared.state.lock().unwrap().open += 1;
                std::thread::spawn(move || {
                    // Cut connections are what this is for.
                    let _ = carry(client, &registry, &shared);
                    shared.state.lock().unwrap().open -= 1;
                });
            }
        });
        Self { port, shared }
    }

    /// `host:port`, as clients name it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Lets no body pass that begins there or later.
    pub fn hold_before(&self, position: u64) {
        self.shared.state.lock().unwrap().hold = Some(Hold::Before(position));
    }

    /// Lets nothing pass once a body has come to this place of its blob.
    pub fn hold_at(&self, position: u64) {
        self.shared.state.lock().unwrap().hold = Some(Hold::At(position));
    }

    /// Waits until something is held.
    pub fn wait_until_it_holds(&self) {
        wait_for("an upload comes to the point", 120, || self.shared.state.lock().unwrap().holds.then_some(()));
    }

    /// Cuts the connection that is held, and waits until all are closed; what passed since the last time.
    pub fn drain(&self) -> Vec<Sent> {
        {
            let mut state = self.shared.state.lock().unwrap();
            (state.hold, state.cut) = (None, state.holds);
            state.holds = false;
        }
        self.shared.changed.notify_all();
        wait_for("the client's connections end", 60, || (self.shared.state.lock().unwrap().open == 0).then_some(()));
        std::mem::take(&mut self.shared.state.lock().unwrap().sent)
    }
}

impl Shared {
    /// Counts, and waits if this is the point.
    fn passed(&self, number: usize, bytes: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.sent[number].passed += bytes;
        let end = state.sent[number].end();
        let is_there = |hold: &Hold| matches!(hold, Hold::At(at) if end >= *at);
        self.wait(state, is_there)
    }

    fn begins(&self, sent: Sent) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap();
        let first = sent.first;
        state.sent.push(sent);
        let number = state.sent.len() - 1;
        self.wait(state, |hold| matches!(hold, Hold::Before(at) if first >= *at))?;
        Ok(number)
    }

    fn wait(&self, mut state: MutexGuard<'_, State>, is_there: impl Fn(&Hold) -> bool) -> io::Result<()> {
        while state.hold.as_ref().is_some_and(&is_there) {
            state.holds = true;
            state = self.changed.wait(state).unwrap();
            if std::mem::take(&mut state.cut) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(())
    }
}

fn carry(client: TcpStream, registry: &str, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(registry)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    let down = std::thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let outcome = carry_requests(client, &server, shared);
    // The registry learns at once that there is no more.
    let _ = server.shutdown(Shutdown::Both);
    let _ = down.join();
    outcome
}

fn carry_requests(client: TcpStream, mut server: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut client = BufReader::with_capacity(64 << 10, client);
    let mut block = vec![0; 64 << 10];
    loop {
        let (mut sent, mut left) = (Sent { method: String::new(), first: 0, passed: 0 }, 0);
        loop {
            let mut line = String::new();
            if client.read_line(&mut line)? == 0 {
                return Ok(());
            }
            server.write_all(line.as_bytes())?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => left = value.parse().unwrap(),
                Some((name, value)) if name.eq_ignore_ascii_case("content-range") => {
                    sent.first = value.split('-').next().and_then(|first| first.parse().ok()).unwrap();
                }
                _ if line.trim_end().is_empty() => break,
                _ if sent.method.is_empty() => line.split(' ').next().unwrap().clone_into(&mut sent.method),
                _ => {}
            }
        }
        let number = shared.begins(sent)?;
        while left > 0 {
            let most = block.len().min(usize::try_from(left).unwrap());
            let read = client.read(&mut block[..most])?;
            if read == 0 {
                return Ok(());
            }
            server.write_all(&block[..read])?;
            left -= read as u64;
            shared.passed(number, read as u64)?;
        }
    }
}
