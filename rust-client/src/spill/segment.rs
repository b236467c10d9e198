//! A segment is a file of entries: the magic, then for each the length and the CRC-32C of its body, 4 bytes each, big endian, and the
//! body, a `SpilledRecord`. Its name is the number of its first entry in 16 hex digits. Fixed by `vectors/spill.json`.

use std::path::{Path, PathBuf};

pub(super) const MAGIC: &[u8] = b"SPSPILL1";
pub(super) const ENTRY_HEADER: usize = 8;
pub(super) const MAX_BODY: usize = 2 << 20;

#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub path: PathBuf,
    pub first: u64,
    pub records: u64,
    pub bytes: u64,
    /// It has bytes that are no entry, and not the end of one that was being written.
    pub damaged: bool,
}

impl Segment {
    pub fn end(&self) -> u64 {
        self.first + self.records
    }

    /// All its entries are settled; what could not be read of it is kept for people.
    pub fn remove(&self) -> std::io::Result<()> {
        if self.damaged {
            std::fs::rename(&self.path, self.path.with_extension("spill.damaged"))
        } else {
            std::fs::remove_file(&self.path)
        }
    }
}

pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:016x}.spill"))
}

/// What follows the last good entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Whole,
    /// An entry that was being written when the process or the machine ended.
    Torn,
    /// Anything else.
    Damaged,
}

pub(super) fn append_entry(to: &mut Vec<u8>, body: &[u8]) {
    to.extend_from_slice(&(body.len() as u32).to_be_bytes());
    to.extend_from_slice(&crc32c::crc32c(body).to_be_bytes());
    to.extend_from_slice(body);
}

/// Gives each body until one is refused, and says where the good part ends and what is behind it.
pub(super) fn scan(content: &[u8], each: impl FnMut(&[u8]) -> bool) -> (usize, Tail) {
    let head = content.len().min(MAGIC.len());
    if content[..head] != MAGIC[..head] {
        (0, Tail::Damaged)
    } else if head < MAGIC.len() {
        (0, Tail::Torn)
    } else {
        scan_entries(content, head, each)
    }
}

pub(super) fn scan_entries(
    content: &[u8],
    mut at: usize,
    mut each: impl FnMut(&[u8]) -> bool,
) -> (usize, Tail) {
    let number = |at: usize| {
        let four = content[at..at + 4].try_into().expect("four bytes");
        u32::from_be_bytes(four)
    };
    while at < content.len() {
        let left = content.len() - at;
        if left < ENTRY_HEADER {
            return (at, Tail::Torn);
        }
        let size = number(at) as usize;
        if size > MAX_BODY {
            return (at, Tail::Damaged);
        }
        let end = at + ENTRY_HEADER + size;
        if end > content.len() {
            return (at, Tail::Torn);
        }
        let body = &content[at + ENTRY_HEADER..end];
        if crc32c::crc32c(body) != number(at + 4) {
            let is_last = end == content.len();
            return (at, if is_last { Tail::Torn } else { Tail::Damaged });
        }
        if !each(body) {
            break;
        }
        at = end;
    }
    (at, Tail::Whole)
}
