use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{oneshot, watch, Notify};

use crate::codes;
use crate::conn::Waiting;
use crate::core::drain::{self, Step};
use crate::core::Drain;
use crate::health::{Health, Workload};
use crate::link;
use crate::net::Net;
use crate::options::{ClientOptions, HOUR};
use crate::pb;
use crate::state::State;
use crate::toggles::Toggles;
use crate::wire::{Kind, MAX_FRAME_BYTES};
use crate::{Admin, Error, Pressure, ProducerBuilder, SubscriptionBuilder};

const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
const BYE_TIMEOUT: Duration = Duration::from_secs(1);

mod builder;

pub use builder::ClientBuilder;

/// What the handles and the tasks of a client share.
pub(crate) struct Shared {
    pub opts: ClientOptions,
    start: Instant,
    pub instance: [u8; 16],
    pub toggles: Arc<Toggles>,
    state: Mutex<State>,
    /// Work for the task that sends.
    pub wake: Notify,
    /// Publishers that have work, as (producer, partition).
    pub woken: Mutex<Vec<(u64, usize)>>,
    pub work: Workload,
    pub stop: watch::Sender<bool>,
    /// Where the client was connected.
    pub runtime: tokio::runtime::Handle,
}

/// When so much time is over; a limit without end is one of a year.
pub(crate) fn deadline(limit: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + limit.min(HOUR * 24 * 365)
}

impl Shared {
    fn new(opts: ClientOptions, mut net: Net) -> Self {
        let mut instance = [0; 16];
        instance[..8].copy_from_slice(&random().to_be_bytes());
        instance[8..].copy_from_slice(&random().to_be_bytes());
        net.instance = instance;
        Self {
            opts,
            start: net.start,
            instance,
            toggles: net.toggles.clone(),
            state: Mutex::new(State::new(net)),
            wake: Notify::new(),
            woken: Mutex::default(),
            work: Workload::default(),
            stop: watch::Sender::new(false),
            runtime: tokio::runtime::Handle::current(),
        }
    }

    /// Runs under the lock, then, without it, what must not run under it.
    pub fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        let (result, deferred) = {
            let mut state = self.state.lock().expect("no panic under this lock");
            let result = run(&mut state);
            for conn in state.net.conns.iter().filter(|conn| !conn.out.is_empty()) {
                conn.wake.notify_one();
            }
            (result, std::mem::take(&mut state.net.deferred))
        };
        for run in deferred {
            run();
        }
        result
    }

    /// No connections any more; everything open fails.
    pub fn end(&self) {
        self.with(State::shut_down);
        self.stop.send_replace(true);
    }

    /// Time of the client's machines.
    pub fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// A publisher has work. From any task, without the lock.
    pub fn wake_part(&self, producer: u64, part: usize) {
        self.woken
            .lock()
            .expect("no panic under this lock")
            .push((producer, part));
        self.wake.notify_one();
    }

    /// Gives everything that has work its turn.
    pub fn pump(&self, state: &mut State) {
        for (producer, part) in self
            .woken
            .lock()
            .expect("no panic under this lock")
            .drain(..)
        {
            state.run(producer, part);
        }
        state.pump();
    }

    pub fn hello(&self) -> pb::Hello {
        pb::Hello {
            client_id: self.opts.name.clone(),
            instance_id: self.instance.to_vec().into(),
            lang: "rust".into(),
            client_version: crate::VERSION.into(),
            zone: self.opts.zone.clone(),
            failure_domain: self.opts.failure_domain.clone(),
            heartbeat_ms: self.opts.heartbeat.as_millis() as u32,
            max_frame: MAX_FRAME_BYTES as u32,
            follower_reads: self.opts.follower_reads,
            features: self.opts.features(),
            unix_ms: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
            ..pb::Hello::default()
        }
    }
}

/// The steps of a close, each with its limit, until the end.
pub(crate) struct Steps<'a> {
    shared: &'a Shared,
    drain: Drain,
}

impl<'a> Steps<'a> {
    pub fn new(shared: &'a Shared, steps: &'static [Step], limit: Duration) -> Self {
        let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Self {
            shared,
            drain: Drain::new(steps, ms, shared.now_ms()),
        }
    }

    /// Nothing at the end.
    pub fn next(&mut self) -> Option<(Step, Duration)> {
        let connected = self.shared.with(|state| state.net.publishing.is_some());
        let now = self.shared.now_ms();
        let step = self.drain.next(connected, now);
        (step != Step::End).then(|| {
            let ms = self.drain.limit_ms(step, now);
            (step, Duration::from_millis(ms))
        })
    }

    /// Whether steps were left out because the time was over.
    pub fn is_cut(&self) -> bool {
        self.drain.is_cut()
    }
}

/// Ends the client's tasks when the last of client, producers and subscriptions is dropped.
pub(crate) struct Guard(pub Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        let shared = self.0.clone();
        // On the client's own runtime, wherever the last handle is dropped. When that is gone, the task goes, too.
        self.0.runtime.spawn(async move {
            let end = Instant::now() + CLOSE_TIMEOUT;
            while Instant::now() < end
                && shared.with(|state| !state.producers.is_empty() || !state.subs.is_empty())
            {
                tokio::time::sleep(link::TICK).await;
            }
            say_bye(&shared, BYE_TIMEOUT).await;
            shared.with(State::shut_down);
            shared.stop.send_replace(true);
        });
    }
}

async fn say_bye(shared: &Shared, limit: Duration) {
    let (done, answered) = oneshot::channel();
    shared.with(|state| {
        if let Some(conn) = state.net.conn(state.net.publishing) {
            conn.request(
                Kind::BYE,
                0,
                &pb::Bye {
                    reason: "closed".into(),
                },
                Waiting::Bye(done),
            );
        }
    });
    let _ = tokio::time::timeout(limit, answered).await; // it is of no use any more either way
}

/// Random bits from the keys that the standard library draws for its hash maps.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A connection to Spillway that heals itself: while it is open it reconnects for ever, reopens its producers and subscriptions,
/// and sends again what has no verdict yet. Cheap to clone; all clones are one client. When the last clone and everything opened
/// with it are dropped, what is buffered is still sent for up to 10 s, if the runtime lives; [`close`](Client::close) waits for it.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) guard: Arc<Guard>,
}

impl Client {
    /// Begins a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Begins a producer of the topic.
    pub fn producer(&self, topic: impl Into<String>) -> ProducerBuilder {
        ProducerBuilder::new(self.clone(), topic.into())
    }

    /// Begins a subscription to the topic: in a group (shared work, leases, acks) or as a reader of its own.
    pub fn subscribe(&self, topic: impl Into<String>) -> SubscriptionBuilder {
        SubscriptionBuilder::new(self.clone(), topic.into())
    }

    /// How the client is, as of the last report. Always ready when reports are turned off.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.with(|state| state.net.health.health())
    }

    /// What the broker has said last for all that this client publishes.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        self.shared.with(|state| state.net.pressure_now())
    }

    /// Whether a toggle is on for this client; no when nobody set it. What the broker said last holds while the client is not
    /// connected. Quick: it asks nobody.
    #[must_use]
    pub fn is_enabled(&self, toggle: &str) -> bool {
        self.shared.toggles.is_on(toggle)
    }

    /// What a toggle is for this client; none when nobody set it.
    #[must_use]
    pub fn toggle_value(&self, toggle: &str) -> Option<String> {
        self.shared.toggles.value(toggle)
    }

    /// Grows with each change of a toggle; 0 while the broker has said nothing of any.
    #[must_use]
    pub fn toggles_revision(&self) -> u64 {
        self.shared.toggles.revision()
    }

    /// Topics and groups.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    /// [`close_within`](Client::close_within) 10 s.
    ///
    /// # Errors
    /// As there.
    pub async fn close(&self) -> Result<(), Error> {
        self.close_within(CLOSE_TIMEOUT).await
    }

    /// Refuses new work, sends what is buffered, waits for its acks, gives leased messages back and disconnects. What has no
    /// verdict when the time is over fails: CLIENT_CLOSED when it was never sent, OUTCOME_UNKNOWN otherwise. Closing twice is fine.
    ///
    /// Cancelling: a cancelled close leaves the client half closed. It opens no more producers and subscriptions; those it had come to
    /// take no more records and messages. What they took before is not lost: it is still sent, and waits for its verdict. Call it again
    /// to go on, with the whole time, or drop everything.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when something had no verdict in time; the client is closed all the same.
    pub async fn close_within(&self, timeout: Duration) -> Result<(), Error> {
        let (subs, producers): (Vec<u64>, Vec<u64>) = self.shared.with(|state| {
            state.closed = true;
            (
                state.subs.keys().copied().collect(),
                state.producers.keys().copied().collect(),
            )
        });
        let readers = self.shared.with(|state| std::mem::take(&mut state.readers));
        let mut result = Ok(());
        let mut steps = Steps::new(&self.shared, drain::CLIENT, timeout);
        while let Some((step, limit)) = steps.next() {
            let end = deadline(limit);
            match step {
                Step::Subscriptions => {
                    for id in &subs {
                        let left = end.saturating_duration_since(tokio::time::Instant::now());
                        let closed = crate::subscription::close(&self.shared, *id, left).await;
                        result = result.and(closed);
                    }
                    for (reader, id) in &readers {
                        if let Some(reader) = reader.upgrade() {
                            let left = end.saturating_duration_since(tokio::time::Instant::now());
                            let closed = crate::subscription::close(&reader, *id, left).await;
                            result = result.and(closed);
                        }
                    }
                }
                Step::Producers => {
                    for id in &producers {
                        let left = end.saturating_duration_since(tokio::time::Instant::now());
                        let closed = crate::producer::close(&self.shared, *id, left).await;
                        result = result.and(closed);
                    }
                }
                _ => say_bye(&self.shared, limit).await,
            }
        }
        if steps.is_cut() && result.is_ok() {
            result = Err(Error::new(
                codes::DEADLINE_EXCEEDED,
                "the client was closed before everything had its outcome",
                format!("that took longer than {} ms", timeout.as_millis()),
                "allow more time, or look at the broker's health",
            ));
        }
        self.shared.end();
        for reader in readers.iter().filter_map(|(reader, _)| reader.upgrade()) {
            reader.end();
        }
        result
    }

    /// A client of one reader, with connections of its own that go to the nearest node. It does not connect before
    /// [`start_reader`](Client::start_reader).
    pub(crate) fn reader(&self) -> Self {
        let (first, _) = oneshot::channel();
        let opts = ClientOptions {
            follower_reads: true,
            ..self.shared.opts.clone()
        };
        ClientBuilder { opts }.unconnected(first)
    }

    /// Connects the client of a reader, whose subscription has this number there.
    pub(crate) fn start_reader(&self, reader: &Self, id: u64) -> Result<(), Error> {
        let nodes = self.shared.with(|state| {
            if state.closed {
                return Err(Error::closed("the client"));
            }
            state.readers.retain(|(other, _)| other.strong_count() > 0);
            state.readers.push((Arc::downgrade(&reader.shared), id));
            Ok(state.net.nodes.clone())
        })?;
        reader.shared.with(|state| state.net.machine.know(&nodes));
        tokio::spawn(link::run(reader.shared.clone()));
        tokio::spawn(link::tick(reader.shared.clone()));
        Ok(())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.shared.opts.endpoints)
    }
}
