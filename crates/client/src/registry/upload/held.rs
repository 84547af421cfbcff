//! Bytes in memory that may have to be sent again, in pieces: one buffer for all of a chunk would be as large as what the
//! allocator then keeps for each thread that had one.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};

/// In their order.
#[derive(Clone, Default)]
pub(super) struct Held {
    pieces: VecDeque<Bytes>,
    length: u64,
}

impl Held {
    /// In bytes.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.length += piece.len() as u64;
            self.pieces.push_back(piece);
        }
    }

    /// Lets go of all but the last `kept` bytes.
    pub(super) fn keep_last(&mut self, kept: u64) {
        while self.length > kept
            && let Some(mut first) = self.pieces.pop_front()
        {
            let over = usize::try_from(self.length - kept).unwrap_or(usize::MAX).min(first.len());
            first.advance(over);
            self.length -= over as u64;
            if !first.is_empty() {
                self.pieces.push_front(first);
            }
        }
    }

    pub(super) fn into_pieces(self) -> VecDeque<Bytes> {
        self.pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acknowledged_is_let_go_of_within_pieces_too() {
        for kept in 0..=8 {
            let mut held = Held::default();
            for piece in [&b"abc"[..], b"de", b"f"] {
                held.push(Bytes::from_static(piece));
            }
            held.keep_last(kept);
            let left = held.clone().into_pieces().iter().flatten().copied().collect::<Vec<u8>>();
            let expected = &b"abcdef"[6_usize.saturating_sub(usize::try_from(kept).unwrap())..];
            assert_eq!((left.as_slice(), held.len()), (expected, expected.len() as u64), "{kept}");
        }
    }
}
