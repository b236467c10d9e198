//! Keeps records that cannot be published at present in files of this machine, and publishes them once the broker takes them again.
//! For producers that would rather rely on the disk they have than wait or drop. With the feature `spill`.
//!
//! ```no_run
//! use spillway::spill::{Outcome, Spool};
//! use spillway::{Client, Record};
//!
//! # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
//! let spool = Spool::builder("/var/lib/shop/orders.spool", "orders").open()?;
//! spool.attach(client.producer("orders").open().await?)?;
//! match spool.publish(Record::new("order 42")).await {
//!     Ok(Outcome::Acked(ack)) => println!("stored, {:?}", ack.durability),
//!     Ok(Outcome::Spilled { cause }) => println!("on this disk; the broker does not have it yet: {cause}"),
//!     Err(e) => println!("neither stored nor spilled, or nobody knows: {e}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it promises, and what not:
//!
//! - An ack is the broker's. A spilled record is as durable as this machine's disk, no more: it is synced before
//!   [`publish`](Spool::publish) returns, unless [`without_sync`](SpoolBuilder::without_sync) is given.
//! - Each record has an idempotency key, the caller's or one of the spool's, from its first attempt on. A record that is published a
//!   second time, because an attempt had no outcome or this process was killed, is stored once, as long as the topic's window for keys
//!   (`dedup.window.ms`) holds; beyond it the broker refuses what it cannot tell, and [`on_refused`](SpoolBuilder::on_refused) hears
//!   of it.
//! - Live records go first: what is spilled is published behind them, one small batch at a time, and for at most a quarter of the time
//!   while there are others. So a spilled record may be stored after one that was published later, of the same key too.
//! - The spool is bounded. When it is full a publish fails as it would have without it, and the error says so.
//! - Files survive a crash at any time: an entry that was being written is ignored, with a warning, and counted.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{oneshot, watch, Notify};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::random;
use crate::codes;
use crate::{Ack, Error, Producer, Record, RetryClass};

mod drain;
mod entry;
mod journal;
mod mark;
mod segment;
#[cfg(test)]
mod vectors;

use journal::{AppendError, Journal, Writer};

/// What became of a record.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The broker has it.
    Acked(Ack),
    /// The broker does not have it, as far as is known; it is in the spool.
    Spilled {
        /// Why it was not published.
        cause: Error,
    },
}

/// Figures of a spool.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Records that wait for the drain.
    pub waiting: u64,
    /// Of the files.
    pub bytes: u64,
    /// Records spilled since it was opened.
    pub spilled: u64,
    /// Records that the drain has stored since then.
    pub drained: u64,
    /// Those of them that were stored before.
    pub duplicates: u64,
    /// Records given to the listener for refused ones since then.
    pub refused: u64,
    /// Entries that were being written when a process ended.
    pub torn: u64,
    /// Files with something else that cannot be read.
    pub damaged: u64,
    /// Why the drain does not go on; none when it does, or has nothing to do.
    pub obstacle: Option<String>,
}

type OnRefused = Arc<dyn Fn(Record, Error) + Send + Sync>;

/// Options of a [`Spool`].
#[must_use]
pub struct SpoolBuilder {
    directory: PathBuf,
    topic: String,
    max_bytes: u64,
    sync: bool,
    patience: Duration,
    calm: Duration,
    on_refused: Option<OnRefused>,
}

const MIN_BYTES: u64 = 1 << 20;

impl SpoolBuilder {
    /// Bounds the files of the spool. At least 1 MiB, default 256 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Publishing returns when the file system has the record. What is spilled survives the process, and not the machine.
    pub fn without_sync(mut self) -> Self {
        self.sync = false;
        self
    }

    /// For how long a record is tried before it is spilled, once at the begin of an outage; after that records are spilled at once until
    /// the broker takes them again. Default 2 s.
    pub fn patience(mut self, wait: Duration) -> Self {
        self.patience = wait;
        self
    }

    /// For how long the broker must have taken records, and said nothing of pressure, before the spool is drained. Default 10 s.
    pub fn calm(mut self, wait: Duration) -> Self {
        self.calm = wait;
        self
    }

    /// Who is given a record that the broker will never take, with the reason: it is in conflict with its idempotency key, too large, or
    /// so late that nobody can tell whether it is stored. Without it the spool stops at such a record, and its stats say so.
    pub fn on_refused(mut self, take: impl Fn(Record, Error) + Send + Sync + 'static) -> Self {
        self.on_refused = Some(Arc::new(take));
        self
    }

    /// Opens it; the directory is created when it is missing. What an earlier process has left there is published, too, once a producer
    /// is attached. On the tokio runtime on which it is to be drained.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, or WRONG_STATE when the directory cannot be used: another spool uses it, for instance.
    pub fn open(self) -> Result<Spool, Error> {
        if self.max_bytes < MIN_BYTES {
            return Err(Error::invalid(
                format!("the spool has {} bytes", self.max_bytes),
                format!("it must have at least {MIN_BYTES}"),
            ));
        }
        let opened = Journal::open(&self.directory, self.max_bytes, self.sync);
        let (writer, reader) = opened.map_err(|e| {
            Error::new(
                codes::WRONG_STATE,
                format!("the spool in {} cannot be opened", self.directory.display()),
                e.to_string(),
                "give each spool a directory of its own, on a disk with space",
            )
        })?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            topic: self.topic,
            patience: self.patience,
            calm: self.calm,
            on_refused: self.on_refused,
            journal: reader.journal.clone(),
            producer: Mutex::default(),
            outage: Mutex::default(),
            obstacle: Mutex::default(),
            wake: Notify::new(),
            live: AtomicU64::new(0),
            spilled: AtomicU64::new(0),
            drained: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        let (entries, to_write) = mpsc::channel();
        let writing = thread::Builder::new()
            .name("spillway-spool".into())
            .spawn(move || write(writer, &to_write))
            .map_err(|e| {
                let what = "the spool has no thread to write with";
                Error::new(codes::WRONG_STATE, what, e.to_string(), "try again")
            })?;
        let draining = tokio::spawn(drain::drain(shared.clone(), reader, stopped));
        Ok(Spool {
            shared,
            running: Mutex::new(Some(Running {
                entries,
                writing,
                draining,
                stop,
            })),
        })
    }
}

/// Records of one topic in one directory. Dropping it stops the drain; what is waiting stays on the disk.
pub struct Spool {
    shared: Arc<Shared>,
    /// None once it is closed.
    running: Mutex<Option<Running>>,
}

struct Running {
    entries: mpsc::Sender<ToWrite>,
    writing: thread::JoinHandle<()>,
    draining: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

struct ToWrite {
    body: Vec<u8>,
    done: oneshot::Sender<Result<(), Arc<AppendError>>>,
}

/// What the spool and its drain share.
struct Shared {
    topic: String,
    patience: Duration,
    calm: Duration,
    on_refused: Option<OnRefused>,
    journal: Arc<Journal>,
    producer: Mutex<Option<Arc<Producer>>>,
    /// Why the last live record was spilled.
    outage: Mutex<Option<Error>>,
    obstacle: Mutex<Option<String>>,
    wake: Notify,
    /// Records that were published live.
    live: AtomicU64,
    spilled: AtomicU64,
    drained: AtomicU64,
    duplicates: AtomicU64,
    refused: AtomicU64,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().expect("no panic under this lock")
}

impl Shared {
    fn producer(&self) -> Option<Arc<Producer>> {
        held(&self.producer).clone()
    }
}

impl Spool {
    /// Begins the spool of a topic in a directory of its own.
    pub fn builder(directory: impl Into<PathBuf>, topic: impl Into<String>) -> SpoolBuilder {
        SpoolBuilder {
            directory: directory.into(),
            topic: topic.into(),
            max_bytes: 256 << 20,
            sync: true,
            patience: Duration::from_secs(2),
            calm: Duration::from_secs(10),
            on_refused: None,
        }
    }

    /// The producer of the topic that records go through; before that all are spilled. The spool does not close it.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is of another topic.
    pub fn attach(&self, producer: impl Into<Arc<Producer>>) -> Result<(), Error> {
        let producer = producer.into();
        if producer.topic() != self.shared.topic {
            return Err(Error::invalid(
                format!("the producer is of topic {}", producer.topic()),
                format!("the spool is of topic {}", self.shared.topic),
            ));
        }
        *held(&self.shared.producer) = Some(producer);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Publishes the record, or spills it when the broker does not take it: it cannot be reached, is under pressure, or the time for it
    /// is over. Not cancel-safe: when it is dropped, the record may be stored or spilled all the same.
    ///
    /// # Errors
    /// What is wrong with the record; LOCAL_BUFFER_FULL when it can neither be published nor spilled, OUTCOME_UNKNOWN when it may be
    /// stored then.
    pub async fn publish(&self, mut record: Record) -> Result<Outcome, Error> {
        if record.idempotency_key.is_none() {
            record = record.idempotency_key(format!("{:016x}{:016x}", random(), random()));
        }
        if record.timestamp_ms.is_none() {
            record = record.timestamp(SystemTime::now());
        }
        let first_attempt = record.first_attempt.as_deref();
        let first_attempt: Option<u64> = first_attempt.and_then(|ms| ms.parse().ok());
        let first_attempt_ms = first_attempt.unwrap_or_else(unix_ms);
        let cause = match self.publish_live(&record).await {
            Ok(ack) => return Ok(Outcome::Acked(ack)),
            Err(e) if is_spillable(&e) => e,
            Err(e) => return Err(e),
        };
        let maybe_stored = first_attempt.is_some() || cause.outcome_unknown();
        record.first_attempt = None;
        let body = entry::encode(&self.shared.topic, &record, first_attempt_ms, maybe_stored);
        match self.spill(body).await {
            Ok(()) => {
                self.shared.spilled.fetch_add(1, Ordering::Relaxed);
                self.shared.wake.notify_one();
                Ok(Outcome::Spilled { cause })
            }
            Err(spool) => Err(self.neither(&cause, &spool, maybe_stored)),
        }
    }

    async fn publish_live(&self, record: &Record) -> Result<Ack, Error> {
        let shared = &self.shared;
        let Some(producer) = shared.producer() else {
            return Err(no_producer());
        };
        let outage = held(&shared.outage).clone();
        if let Some(why) = outage.filter(|_| !producer.may_publish()) {
            return Err(why);
        }
        shared.live.fetch_add(1, Ordering::Relaxed);
        let published = timeout(shared.patience, producer.publish_and_wait(record.clone()));
        let result = published.await.unwrap_or_else(|_| {
            Err(Error::new(
                codes::OUTCOME_UNKNOWN,
                format!("a record for {} has no outcome yet", shared.topic),
                format!("none came within {:?}", shared.patience),
                "look at the broker's health",
            ))
        });
        let mut outage = held(&shared.outage);
        match &result {
            Ok(_) => *outage = None,
            Err(e) if is_spillable(e) => *outage = Some(e.clone()),
            Err(_) => {}
        }
        result
    }

    async fn spill(&self, body: Vec<u8>) -> Result<(), String> {
        if body.len() > segment::MAX_BODY {
            let (has, most) = (body.len(), segment::MAX_BODY);
            return Err(format!("the record has {has} bytes; a spool takes {most}"));
        }
        let (done, outcome) = oneshot::channel();
        let sent = match &*held(&self.running) {
            Some(running) => running.entries.send(ToWrite { body, done }).is_ok(),
            None => false,
        };
        if !sent {
            return Err("the spool is closed".into());
        }
        match outcome.await {
            Ok(written) => written.map_err(|e| e.to_string()),
            Err(_) => Err("the spool is closed".into()),
        }
    }

    fn neither(&self, cause: &Error, spool: &str, maybe_stored: bool) -> Error {
        let shared = &self.shared;
        let (waiting, bytes) = shared.journal.waiting();
        let (most, dir) = (shared.journal.max_bytes, shared.journal.dir.display());
        Error::new(
            if maybe_stored {
                codes::OUTCOME_UNKNOWN
            } else {
                codes::LOCAL_BUFFER_FULL
            },
            format!(
                "a record for {} can neither be published nor spilled",
                shared.topic
            ),
            format!("spool: {spool}, with {waiting} records in {bytes} of {most} bytes in {dir}; broker: {cause}"),
            "look at the broker's health and the disk's, enlarge the spool, or publish less",
        )
    }

    /// As they are.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        let (waiting, bytes) = shared.journal.waiting();
        let obstacle = held(&shared.obstacle).clone();
        Stats {
            waiting,
            bytes,
            spilled: shared.spilled.load(Ordering::Relaxed),
            drained: shared.drained.load(Ordering::Relaxed),
            duplicates: shared.duplicates.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
            torn: shared.journal.torn,
            damaged: shared.journal.damaged,
            obstacle: obstacle.filter(|_| waiting > 0),
        }
    }

    /// Stops the drain and writes what is under way; what is waiting stays on the disk for the next one. Closing twice is fine.
    ///
    /// # Panics
    /// When a task of the spool has.
    pub async fn close(&self) {
        let running = held(&self.running).take();
        let Some(running) = running else {
            return;
        };
        drop((running.entries, running.stop));
        running.draining.await.expect("the drain does not panic");
        let writing = running.writing;
        let joined = tokio::task::spawn_blocking(move || writing.join()).await;
        assert!(
            matches!(joined, Ok(Ok(()))),
            "the thread that writes does not panic"
        );
        self.shared.journal.unlock();
    }
}

/// Entries that are written together.
const MAX_GROUP: usize = 256;

/// Writes the entries that are there together, with one sync.
fn write(mut writer: Writer, entries: &mpsc::Receiver<ToWrite>) {
    while let Ok(first) = entries.recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP {
            match entries.try_recv() {
                Ok(next) => group.push(next),
                Err(_) => break,
            }
        }
        let take = |entry: &mut ToWrite| std::mem::take(&mut entry.body);
        let bodies: Vec<Vec<u8>> = group.iter_mut().map(take).collect();
        let written = writer.append(&bodies).map_err(Arc::new);
        for entry in group {
            let _ = entry.done.send(written.clone()); // who waited for it may be gone
        }
    }
}

fn no_producer() -> Error {
    Error::new(
        codes::CONNECT_FAILED,
        "no producer is attached yet",
        "the spool was opened without one",
        "attach one when there is a connection",
    )
}

/// The same record may be taken later.
fn is_spillable(e: &Error) -> bool {
    e.outcome_unknown()
        || matches!(e.retry(), RetryClass::Safe | RetryClass::Refresh)
        || [
            codes::DEADLINE_EXCEEDED,
            codes::LOCAL_BUFFER_FULL,
            codes::RETRY_BUDGET_EXHAUSTED,
            codes::BREAKER_OPEN,
            codes::CONNECT_FAILED,
        ]
        .contains(&e.code())
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
