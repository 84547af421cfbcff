//! The checksum that tar-split keeps of each file: CRC-64 of ISO 3309, eight bytes at a time.

const POLYNOMIAL: u64 = 0xD800_0000_0000_0000;
static TABLES: [[u64; 256]; 8] = tables();

/// A running checksum.
pub(super) struct Crc64(u64);

impl Crc64 {
    pub(super) fn new() -> Self {
        Self(!0)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let mut crc = self.0;
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            let word = (crc ^ u64::from_le_bytes(*chunk)).to_le_bytes();
            crc = 0;
            for (table, byte) in TABLES.iter().rev().zip(word) {
                crc ^= table[usize::from(byte)];
            }
        }
        for byte in rest {
            crc = TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8);
        }
        self.0 = crc;
    }

    pub(super) fn value(&self) -> u64 {
        !self.0
    }
}

/// `TABLES[n][b]` is what byte `b` leaves behind when `n` bytes of zeros follow it.
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        let mut n = 0;
        while n < 8 {
            tables[n][byte] = crc;
            let mut shift = 0;
            while shift < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
                shift += 1;
            }
            n += 1;
        }
        byte += 1;
    }
    tables
}

#[cfg(test)]
mod tests;
