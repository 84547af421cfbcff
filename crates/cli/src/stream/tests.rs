use std::sync::Mutex;

use super::*;

/// Gives `good` bytes and then an error.
struct Cut {
    good: usize,
}

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.good);
        self.good -= length;
        if length == 0 { Err(io::Error::other("the disk is gone")) } else { Ok(length) }
    }
}

impl AsyncRead for Cut {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut block = vec![0; buffer.remaining()];
        let length = Read::read(&mut *self, &mut block)?;
        buffer.put_slice(&block[..length]);
        Poll::Ready(Ok(()))
    }
}

fn pattern() -> Vec<u8> {
    (0..BLOCK * 3 + 17).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

async fn read_blocking(mut content: Box<dyn Read + Send>) -> io::Result<Vec<u8>> {
    let read = move || {
        let mut all = vec![];
        content.read_to_end(&mut all).map(|_| all)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test]
async fn what_comes_from_either_side_reaches_the_other_whole() {
    let remote = Stream::Remote(Box::new(io::Cursor::new(pattern())));
    assert!(read_blocking(remote.blocking()).await.unwrap() == pattern());
    let mut read = vec![];
    Stream::Local(Box::new(io::Cursor::new(pattern()))).waiting().read_to_end(&mut read).await.unwrap();
    assert!(read == pattern());
}

#[tokio::test]
async fn a_cut_is_an_error_on_the_other_side() {
    let remote = Stream::Remote(Box::new(Cut { good: BLOCK + 1 }));
    let error = read_blocking(remote.blocking()).await.unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
    let mut local = Stream::Local(Box::new(Cut { good: BLOCK + 1 })).waiting();
    assert_eq!(local.read_to_end(&mut vec![]).await.unwrap_err().to_string(), "the disk is gone");
}

#[test]
fn a_thread_learns_that_its_task_is_gone() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_kept, silent) = tokio::io::duplex(1);
    let mut content = runtime.block_on(async { Stream::Remote(Box::new(silent)).blocking() });
    drop(runtime);
    assert!(content.read(&mut [0; 10]).unwrap_err().to_string().contains("given up"));
}

#[tokio::test]
async fn work_that_was_given_up_reads_no_further() {
    let stop = Stop::default();
    let seen = Arc::new(Mutex::new(0));
    let see = Arc::clone(&seen);
    let content = Stream::Local(Box::new(io::repeat(7)));
    let mut content = content.seen(stop.clone(), move |read| *see.lock().unwrap() = read).blocking();
    content.read_exact(&mut [0; 100]).unwrap();
    assert_eq!(*seen.lock().unwrap(), 100);
    drop(stop.on_drop());
    assert!(content.read(&mut [0; 10]).is_err());
}
