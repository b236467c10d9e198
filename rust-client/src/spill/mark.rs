use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::entry::Entry;

const BYTES: usize = 28;

/// How far a spool is drained. In its file: the three, 8 bytes each, and their CRC-32C, all big endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The first entry that is not settled.
    pub settled: u64,
    /// The first entry that was never sent.
    pub attempted: u64,
    /// When the first of those between was sent, ms since 1970; 0 when nobody knows.
    pub since_ms: u64,
}

impl Mark {
    pub fn write(&self, file: &mut File, sync: bool) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(BYTES);
        for number in [self.settled, self.attempted, self.since_ms] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&bytes)?;
        if sync {
            file.sync_data()?;
        }
        Ok(())
    }

    /// None when there is none that can be read.
    pub fn read(file: &mut File) -> io::Result<Option<Self>> {
        let mut bytes = Vec::with_capacity(BYTES);
        file.seek(SeekFrom::Start(0))?;
        file.take(BYTES as u64).read_to_end(&mut bytes)?;
        if bytes.len() < BYTES || crc32c::crc32c(&bytes[..24]).to_be_bytes() != bytes[24..] {
            return Ok(None);
        }
        let number = |at: usize| {
            let eight = bytes[at..at + 8].try_into().expect("eight bytes");
            u64::from_be_bytes(eight)
        };
        Ok(Some(Self {
            settled: number(0),
            attempted: number(8),
            since_ms: number(16),
        }))
    }

    /// Since when an entry is being published, if it may be stored already.
    pub fn first_attempt_ms(&self, entry: &Entry) -> Option<u64> {
        let sent = entry.number < self.attempted;
        if entry.maybe_stored || sent && self.since_ms == 0 {
            Some(entry.first_attempt_ms)
        } else {
            sent.then_some(self.since_ms)
        }
    }
}
