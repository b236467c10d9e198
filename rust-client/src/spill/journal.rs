use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::entry::{self, Entry};
use super::mark::Mark;
use super::segment::{self, Segment, Tail, ENTRY_HEADER, MAGIC, MAX_BODY};

const MIN_SEGMENT: u64 = 64 << 10;
const MAX_SEGMENT: u64 = 8 << 20;
/// More than the largest entry.
const READ_BYTES: u64 = (MAX_BODY + ENTRY_HEADER) as u64;

/// The files of a spool, as the one who appends and the one who drains share them.
pub(super) struct Journal {
    pub dir: PathBuf,
    pub max_bytes: u64,
    /// Entries that were being written when a process ended, and files with something else that cannot be read.
    pub torn: u64,
    pub damaged: u64,
    segment_bytes: u64,
    sync: bool,
    files: Mutex<Files>,
    /// Keeps other processes out, until it is closed.
    lock: Mutex<Option<File>>,
}

struct Files {
    /// The oldest first.
    segments: Vec<Segment>,
    /// The last one is written to.
    active: bool,
    /// Number of the next entry.
    next: u64,
    settled: u64,
    bytes: u64,
}

/// Why an entry was not appended.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppendError {
    #[error("the spool is full")]
    Full,
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Journal {
    /// Opens what is there, and creates what is missing.
    pub fn open(dir: &Path, max_bytes: u64, sync: bool) -> io::Result<(Writer, Reader)> {
        std::fs::create_dir_all(dir)?;
        let lock = lock(&dir.join("lock"))?;
        let mut journal = Self {
            dir: dir.to_owned(),
            max_bytes,
            torn: 0,
            damaged: 0,
            segment_bytes: (max_bytes / 8).clamp(MIN_SEGMENT, MAX_SEGMENT),
            sync,
            files: Mutex::new(Files {
                segments: Vec::new(),
                active: false,
                next: 1,
                settled: 1,
                bytes: 0,
            }),
            lock: Mutex::new(Some(lock)),
        };
        journal.recover_segments()?;
        let mut marks = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("mark"))?;
        let marked = Mark::read(&mut marks)?;
        let marked = journal.recover_mark(marked);
        let journal = Arc::new(journal);
        let reader = Reader {
            journal: journal.clone(),
            marks,
            marked,
            at: Place::default(),
        };
        reader.drop_settled()?;
        let writer = Writer {
            journal,
            file: None,
            size: 0,
        };
        Ok((writer, reader))
    }

    fn recover_segments(&mut self) -> io::Result<()> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "spill")
            {
                paths.push(path);
            }
        }
        paths.sort();
        for path in paths {
            let name = path.file_stem().and_then(|name| name.to_str());
            let first = name.and_then(|name| u64::from_str_radix(name, 16).ok());
            let first = first.ok_or_else(|| {
                io::Error::other(format!("{} is no segment of a spool", path.display()))
            })?;
            self.recover_segment(path, first)?;
        }
        Ok(())
    }

    fn recover_segment(&mut self, path: PathBuf, first: u64) -> io::Result<()> {
        let content = std::fs::read(&path)?;
        let mut records = 0;
        let (good, tail) = segment::scan(&content, |_| {
            records += 1;
            true
        });
        let file = path.display();
        let bytes = content.len() - good;
        match tail {
            Tail::Whole => {}
            Tail::Torn => {
                self.torn += 1;
                tracing::warn!(%file, bytes, "spool: an entry was being written when the process ended; it is ignored");
            }
            Tail::Damaged => {
                self.damaged += 1;
                tracing::warn!(%file, at = good, bytes, "spool: the rest of a file cannot be read; it is kept as .damaged");
            }
        }
        let segment = Segment {
            path,
            first,
            records,
            bytes: content.len() as u64,
            damaged: tail == Tail::Damaged,
        };
        let mut files = self.files();
        files.next = files.next.max(segment.end());
        if records == 0 {
            return segment.remove();
        }
        files.bytes += segment.bytes;
        files.segments.push(segment);
        Ok(())
    }

    fn recover_mark(&self, found: Option<Mark>) -> Mark {
        let mut files = self.files();
        let oldest = files.segments.first().map(|segment| segment.first);
        let mut mark = found.unwrap_or(match oldest {
            // Any of them may have been sent.
            Some(first) => Mark {
                settled: first,
                attempted: files.next,
                since_ms: 0,
            },
            None => Mark {
                settled: 1,
                attempted: 1,
                since_ms: 0,
            },
        });
        files.next = files.next.max(mark.settled);
        mark.settled = mark.settled.max(oldest.unwrap_or(0));
        mark.attempted = mark.attempted.max(mark.settled).min(files.next);
        mark
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().expect("no panic under this lock")
    }

    /// Nobody uses the directory any more.
    pub fn unlock(&self) {
        *self.lock.lock().expect("no panic under this lock") = None;
    }

    /// Entries that are not settled, and the bytes of all files.
    pub fn waiting(&self) -> (u64, u64) {
        let files = self.files();
        let left = |segment: &Segment| {
            let from = segment.first.max(files.settled);
            segment.end().saturating_sub(from)
        };
        (files.segments.iter().map(left).sum(), files.bytes)
    }
}

#[cfg(unix)]
fn lock(path: &Path) -> io::Result<File> {
    let file = open_lock(path)?;
    let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    rustix::fs::flock(&file, exclusive).map_err(|e| {
        let path = path.display();
        let why = "another process, or another spool of this one, uses the directory";
        io::Error::other(format!("{path} is locked: {why}: {e}"))
    })?;
    Ok(file)
}

/// One spool to a directory is up to who opens it here.
#[cfg(not(unix))]
fn lock(path: &Path) -> io::Result<File> {
    open_lock(path)
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).open(path)
}

/// Appends entries.
pub(super) struct Writer {
    pub journal: Arc<Journal>,
    /// The last segment, once it has written one.
    file: Option<File>,
    size: u64,
}

impl Writer {
    /// All of them, or none.
    pub fn append(&mut self, bodies: &[Vec<u8>]) -> Result<(), AppendError> {
        let mut all = Vec::new();
        for body in bodies {
            segment::append_entry(&mut all, body);
        }
        let (first, full, drained) = {
            let files = self.journal.files();
            let bytes = files.bytes + (all.len() + MAGIC.len()) as u64;
            let drained = files.settled == files.next && self.size > MAGIC.len() as u64;
            (files.next, bytes > self.journal.max_bytes, drained)
        };
        if full && !drained {
            return Err(AppendError::Full);
        }
        // A drained file can go once another one is begun.
        if self.file.is_none() || self.size >= self.journal.segment_bytes || drained {
            self.begin(first)?;
        }
        self.write(&all)?;
        let mut files = self.journal.files();
        files.next += bodies.len() as u64;
        files.bytes += all.len() as u64;
        let last = files.segments.last_mut().expect("it was begun");
        last.records += bodies.len() as u64;
        last.bytes += all.len() as u64;
        Ok(())
    }

    /// Writes at the end; what was written in part is cut off again.
    fn write(&mut self, all: &[u8]) -> io::Result<()> {
        // After a failed sync nobody knows what a file has: then the next entry begins another one.
        let mut file = self.file.take().expect("it was begun");
        let mut written = file.write_all(all);
        if written.is_ok() && self.journal.sync {
            written = file.sync_data();
        }
        if let Err(e) = written {
            file.set_len(self.size)?;
            return Err(e);
        }
        self.size += all.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn begin(&mut self, first: u64) -> io::Result<()> {
        self.file = None;
        self.journal.files().active = false;
        let path = segment::path(&self.journal.dir, first);
        let file = create(&path, &self.journal);
        let file = file.inspect_err(|_| {
            let _ = std::fs::remove_file(&path); // the error says why there is none
        })?;
        self.file = Some(file);
        self.size = MAGIC.len() as u64;
        let mut files = self.journal.files();
        if files
            .segments
            .last()
            .is_some_and(|last| last.first == first)
        {
            let failed = files.segments.pop().expect("a last one"); // whose first write failed
            files.bytes -= failed.bytes;
        }
        files.segments.push(Segment {
            path,
            first,
            records: 0,
            bytes: self.size,
            damaged: false,
        });
        files.bytes += self.size;
        files.active = true;
        Ok(())
    }
}

fn create(path: &Path, journal: &Journal) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    file.write_all(MAGIC)?;
    if journal.sync && cfg!(unix) {
        File::open(&journal.dir)?.sync_all()?;
    }
    Ok(file)
}

/// Where an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    segment: u64,
    number: u64,
    offset: u64,
}

/// Reads and settles entries.
pub(super) struct Reader {
    pub journal: Arc<Journal>,
    pub marked: Mark,
    marks: File,
    /// An entry that is not behind what is read next.
    at: Place,
}

impl Reader {
    /// The entries that are not settled, from the first on: at most so many, and so many bytes, one at least; none when there are no
    /// more.
    pub fn read(&mut self, most: usize, most_bytes: usize) -> io::Result<Vec<Entry>> {
        let from = self.marked.settled;
        let found = {
            let files = self.journal.files();
            let mut segments = files.segments.iter();
            segments.find(|segment| segment.end() > from).cloned()
        };
        let Some(segment) = found else {
            return Ok(Vec::new());
        };
        if self.at.segment != segment.first || self.at.number > from {
            self.at = Place {
                segment: segment.first,
                number: segment.first,
                offset: MAGIC.len() as u64,
            };
        }
        loop {
            let mut content = Vec::new();
            let mut file = File::open(&segment.path)?;
            file.seek(SeekFrom::Start(self.at.offset))?;
            let bytes = READ_BYTES.min(segment.bytes - self.at.offset);
            file.take(bytes).read_to_end(&mut content)?;
            let entries = self.decode(&content, &segment, most, most_bytes)?;
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
    }

    /// What is wanted of it; remembers where the first of that was, or else where to go on.
    fn decode(
        &mut self,
        content: &[u8],
        segment: &Segment,
        most: usize,
        most_bytes: usize,
    ) -> io::Result<Vec<Entry>> {
        let from = self.marked.settled;
        let mut all: Vec<Entry> = Vec::new();
        let mut bad = None;
        let (before, mut at, mut bytes) = (self.at, self.at, 0);
        segment::scan_entries(content, 0, |body| {
            let enough = !all.is_empty() && bytes + body.len() > most_bytes;
            if at.number == segment.end() || all.len() == most || enough {
                return false;
            }
            if at.number >= from {
                match entry::decode(at.number, body) {
                    Ok(entry) => all.push(entry),
                    Err(e) => {
                        bad = Some(e.to_string());
                        return false;
                    }
                }
                bytes += body.len();
            }
            at.number += 1;
            at.offset += (ENTRY_HEADER + body.len()) as u64;
            if at.number <= from {
                self.at = at;
            }
            true
        });
        if all.is_empty() && (bad.is_some() || self.at == before) {
            let why = bad.unwrap_or_else(|| "it was there before".to_owned());
            let (number, path) = (at.number, segment.path.display());
            return Err(io::Error::other(format!(
                "entry {number} of {path} cannot be read: {why}"
            )));
        }
        Ok(all)
    }

    /// These entries are about to be sent.
    pub fn attempt(&mut self, end: u64, now_ms: u64) -> io::Result<()> {
        if end <= self.marked.attempted {
            return Ok(());
        }
        if self.marked.attempted <= self.marked.settled {
            self.marked.since_ms = now_ms;
        }
        self.marked.attempted = end;
        self.marked.write(&mut self.marks, self.journal.sync)
    }

    /// All entries before that one.
    pub fn settle(&mut self, end: u64) -> io::Result<()> {
        self.marked.settled = end;
        self.marked.attempted = self.marked.attempted.max(end);
        self.marked.write(&mut self.marks, false)?;
        self.drop_settled()
    }

    /// Removes segments of which nothing is waiting, but for the one that is written to.
    fn drop_settled(&self) -> io::Result<()> {
        let mut files = self.journal.files();
        files.settled = self.marked.settled;
        while let Some(oldest) = files.segments.first() {
            let is_active = files.active && files.segments.len() == 1;
            if oldest.end() > files.settled || is_active {
                break;
            }
            oldest.remove()?;
            files.bytes -= oldest.bytes;
            files.segments.remove(0);
        }
        Ok(())
    }
}
