//! gzip on several cores, as one member: the content falls into blocks, each compressed with the end of the one before as
//! its dictionary, and joined at byte boundaries (a deflate sync flush). Every inflater reads it as one stream.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use flate2::{Compress, Crc, FlushCompress, Status};

use super::fill;

/// Bytes compressed as one piece. Part of the result: another size gives other bytes. Larger pieces take more memory, for
/// neither a smaller result nor less time.
const PIECE: usize = 256 << 10;

/// How far deflate looks back (RFC 1951 §2).
const WINDOW: usize = 32 << 10;

/// RFC 1952 §2.3: deflate, no name, no time, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

struct Job {
    piece: Vec<u8>,
    /// The last [`WINDOW`] bytes before `piece`.
    dictionary: Vec<u8>,
    is_last: bool,
    /// Room for the result.
    bytes: Vec<u8>,
    done: SyncSender<io::Result<Done>>,
}

struct Done {
    bytes: Vec<u8>,
    crc: Crc,
    /// The job's, to be filled again.
    piece: Vec<u8>,
}

/// Gives the compressed content of `R`, in the order of its pieces.
pub(super) struct Parallel<R> {
    content: R,
    level: u8,
    jobs: Sender<Job>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    most_threads: usize,
    threads: usize,
    results: VecDeque<Receiver<io::Result<Done>>>,
    /// The piece that was read last; whether it is the very last shows when the next is read.
    held: Option<Vec<u8>>,
    dictionary: Vec<u8>,
    crc: Crc,
    out: Vec<u8>,
    given: usize,
    /// Buffers of pieces that are done: new ones would be zeroed by us and mapped by the system each time.
    spare: Vec<Vec<u8>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Content may follow.
    Reading,
    /// All of it is with the workers.
    Draining,
    /// The trailer is out.
    Done,
    /// Bytes of the content are lost; whatever came next would be taken for the whole.
    Failed,
}

impl<R: Read> Parallel<R> {
    pub(super) fn new(content: R, level: u8, threads: usize) -> Self {
        let (jobs, waiting) = channel();
        Self {
            content,
            level: level.clamp(1, 9),
            jobs,
            waiting: Arc::new(Mutex::new(waiting)),
            most_threads: threads,
            threads: 0,
            results: VecDeque::new(),
            held: None,
            dictionary: Vec::new(),
            crc: Crc::new(),
            out: HEADER.to_vec(),
            given: 0,
            spare: Vec::new(),
            state: State::Reading,
        }
    }

    pub(super) fn content(&self) -> &R {
        &self.content
    }

    /// Keeps every worker busy with one piece, and one more ready for each.
    fn feed(&mut self) -> io::Result<()> {
        while self.state == State::Reading && self.results.len() < 2 * self.most_threads {
            let mut piece = self.spare.pop().unwrap_or_default();
            piece.resize(PIECE, 0);
            let length = fill(&mut self.content, &mut piece)?;
            piece.truncate(length);
            let is_last = length < PIECE;
            if let Some(before) = self.held.take() {
                self.submit(before, is_last && length == 0)?;
            } else if length == 0 {
                self.submit(Vec::new(), true)?;
            }
            match (is_last, length) {
                (true, 0) => {}
                (true, _) => self.submit(piece, true)?,
                (false, _) => self.held = Some(piece),
            }
            if is_last {
                self.state = State::Draining;
            }
        }
        Ok(())
    }

    fn submit(&mut self, piece: Vec<u8>, is_last: bool) -> io::Result<()> {
        if self.threads < self.most_threads && self.threads <= self.results.len() {
            self.hire()?;
        }
        let tail = piece[piece.len().saturating_sub(WINDOW)..].to_vec();
        let dictionary = std::mem::replace(&mut self.dictionary, tail);
        let (done, result) = sync_channel(1);
        let bytes = self.spare.pop().unwrap_or_default();
        self.jobs.send(Job { piece, dictionary, is_last, bytes, done }).map_err(|_| gone())?;
        self.results.push_back(result);
        Ok(())
    }

    /// Starts a worker; it ends when the last job is done and `jobs` is dropped.
    fn hire(&mut self) -> io::Result<()> {
        let (level, waiting) = (self.level, Arc::clone(&self.waiting));
        thread::Builder::new().name("wharf-gzip".to_owned()).spawn(move || work(level, &waiting))?;
        self.threads += 1;
        Ok(())
    }

    /// The next compressed piece, or the trailer after the last one.
    fn advance(&mut self) -> io::Result<()> {
        self.feed()?;
        self.given = 0;
        if let Some(result) = self.results.pop_front() {
            let done = result.recv().map_err(|_| gone())??;
            self.crc.combine(&done.crc);
            self.spare.extend([done.piece, std::mem::replace(&mut self.out, done.bytes)]);
        } else if self.state == State::Draining {
            self.out.clear();
            // RFC 1952 §2.3.1: CRC-32, and the length modulo 2^32.
            self.out.extend(self.crc.sum().to_le_bytes());
            self.out.extend(self.crc.amount().to_le_bytes());
            self.state = State::Done;
        }
        Ok(())
    }
}

impl<R: Read> Read for Parallel<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() && self.state != State::Done {
            if self.state == State::Failed {
                return Err(io::Error::other("compressing failed before"));
            }
            self.advance().inspect_err(|_| self.state = State::Failed)?;
        }
        let read = (&self.out[self.given..]).read(buf)?;
        self.given += read;
        Ok(read)
    }
}

fn gone() -> io::Error {
    io::Error::other("a thread that compresses has ended unexpectedly")
}

fn work(level: u8, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let (done, result) = (job.done.clone(), compress(level, job));
        // Nobody waits for it any more where the reader was dropped.
        let _ = done.send(result);
    }
}

fn compress(level: u8, job: Job) -> io::Result<Done> {
    let Job { piece, dictionary, is_last, mut bytes, .. } = job;
    // New for each piece: after a reset, what went before still shows in the matches that are found.
    let mut deflate = Compress::new(flate2::Compression::new(u32::from(level)), false);
    if !dictionary.is_empty() {
        deflate.set_dictionary(&dictionary).map_err(io::Error::other)?;
    }
    let mut crc = Crc::new();
    crc.update(&piece);
    let flush = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
    bytes.clear();
    bytes.reserve(piece.len() / 2 + 1024);
    loop {
        let taken = usize::try_from(deflate.total_in()).map_err(io::Error::other)?;
        let status = deflate.compress_vec(&piece[taken..], &mut bytes, flush).map_err(io::Error::other)?;
        let is_whole = deflate.total_in() == piece.len() as u64;
        // A flush is complete when it leaves room in the output (zlib.h, deflate).
        if status == Status::StreamEnd || (!is_last && is_whole && bytes.len() < bytes.capacity()) {
            return Ok(Done { bytes, crc, piece });
        }
        bytes.reserve(bytes.capacity());
    }
}
