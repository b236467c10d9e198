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
use crate::link;
use crate::metrics::Metrics;
use crate::net::{First, Net};
use crate::options::{between, check_endpoint, ClientOptions, HOUR, MINUTE};
use crate::pb;
use crate::state::State;
use crate::wire::{Kind, MAX_FRAME_BYTES};
use crate::{Admin, Error, ProducerBuilder, SubscriptionBuilder};

const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
const BYE_TIMEOUT: Duration = Duration::from_secs(1);

/// What the handles and the tasks of a client share.
pub(crate) struct Shared {
    pub opts: ClientOptions,
    start: Instant,
    pub instance: [u8; 16],
    state: Mutex<State>,
    /// Work for the task that sends.
    pub wake: Notify,
    /// Publishers that have work, as (producer, partition).
    pub woken: Mutex<Vec<(u64, usize)>>,
    pub stop: watch::Sender<bool>,
    /// Where the client was connected.
    pub runtime: tokio::runtime::Handle,
}

/// When so much time is over; a limit without end is one of a year.
pub(crate) fn deadline(limit: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + limit.min(HOUR * 24 * 365)
}

impl Shared {
    fn new(opts: ClientOptions, net: Net) -> Self {
        let mut instance = [0; 16];
        instance[..8].copy_from_slice(&random().to_be_bytes());
        instance[8..].copy_from_slice(&random().to_be_bytes());
        Self {
            opts,
            start: net.start,
            instance,
            state: Mutex::new(State::new(net)),
            wake: Notify::new(),
            woken: Mutex::default(),
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

/// Settings of a [`Client`].
#[must_use = "connect makes the client"]
pub struct ClientBuilder {
    opts: ClientOptions,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            opts: ClientOptions {
                endpoints: vec!["127.0.0.1:7400".into()],
                name: String::new(),
                zone: String::new(),
                failure_domain: "rust".into(),
                follower_reads: false,
                connect_timeout: Duration::from_secs(3),
                wait_for_broker: Duration::ZERO,
                heartbeat: Duration::from_secs(5),
                request_timeout: Duration::from_secs(10),
                metrics: None,
            },
        }
    }
}

impl ClientBuilder {
    /// Where brokers listen, each `host:port` (`[v6]:port`), in order of preference. Of a cluster, those nodes that may be expected
    /// to be up: they say where its leader is, and that which others there are. Default 127.0.0.1:7400.
    pub fn endpoints<S: Into<String>>(mut self, host_ports: impl IntoIterator<Item = S>) -> Self {
        self.opts.endpoints = host_ports.into_iter().map(Into::into).collect();
        self
    }

    /// What the broker's views and logs call this client. Default: empty.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.opts.name = name.into();
        self
    }

    /// The zone this client runs in; brokers of the same zone are preferred. Default: empty, no preference.
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        self.opts.zone = name.into();
        self
    }

    /// Clients of one failure domain share one fate when the broker must shed load. Default: "rust".
    pub fn failure_domain(mut self, name: impl Into<String>) -> Self {
        self.opts.failure_domain = name.into();
        self
    }

    /// Limit of one attempt to connect over TCP; the handshake after it has 5 s. 10 ms to 1 min, default 3 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.opts.connect_timeout = timeout;
        self
    }

    /// How long [`connect`](ClientBuilder::connect) goes on trying when no endpoint answers. Default zero: each endpoint is tried
    /// once. Once connected, the client reconnects for as long as it is open.
    pub fn wait_for_broker(mut self, patience: Duration) -> Self {
        self.opts.wait_for_broker = patience;
        self
    }

    /// A connection without a byte for three of these is dead. 1 s to 60 s, default 5 s; the broker may ask for another.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.opts.heartbeat = interval;
        self
    }

    /// Deadline of an [`Admin`] call and of opening a producer or subscription. 1 ms to 10 min, default 10 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.opts.request_timeout = timeout;
        self
    }

    /// Sees what the client does. Default: nobody.
    pub fn metrics(mut self, hook: Arc<dyn Metrics>) -> Self {
        self.opts.metrics = Some(hook);
        self
    }

    fn check(&self) -> Result<(), Error> {
        let o = &self.opts;
        if o.endpoints.is_empty() {
            return Err(Error::invalid(
                "no endpoint is given",
                "a client needs at least one host:port",
            ));
        }
        o.endpoints
            .iter()
            .try_for_each(|endpoint| check_endpoint(endpoint))?;
        between(
            "the connect timeout",
            o.connect_timeout,
            Duration::from_millis(10),
            MINUTE,
        )?;
        between(
            "the wait for a broker",
            o.wait_for_broker,
            Duration::ZERO,
            HOUR * 24,
        )?;
        between("the heartbeat", o.heartbeat, Duration::from_secs(1), MINUTE)?;
        between(
            "the request timeout",
            o.request_timeout,
            Duration::from_millis(1),
            MINUTE * 10,
        )
    }

    /// Without tasks that connect it.
    pub(crate) fn unconnected(self, first: First) -> Client {
        let net = Net::new(&self.opts, first, random());
        let shared = Arc::new(Shared::new(self.opts, net));
        Client {
            guard: Arc::new(Guard(shared.clone())),
            shared,
        }
    }

    /// Connects to the first endpoint that answers. Must be called on a tokio runtime, on which the client's tasks then run.
    /// Cancel-safe.
    ///
    /// # Errors
    /// CONNECT_FAILED when none does in time, UNSUPPORTED_VERSION or UNAUTHENTICATED when one refuses, INVALID_ARGUMENT for a
    /// setting out of its range.
    pub async fn connect(self) -> Result<Client, Error> {
        self.check()?;
        let patience = match self.opts.wait_for_broker {
            Duration::ZERO => {
                (self.opts.connect_timeout + link::HANDSHAKE_TIMEOUT)
                    * self.opts.endpoints.len() as u32
            }
            patience => patience,
        };
        let (first, outcome) = oneshot::channel();
        let client = self.unconnected(first);
        let shared = client.shared.clone();
        tokio::spawn(link::run(shared.clone()));
        tokio::spawn(link::tick(shared.clone()));
        match tokio::time::timeout(patience, outcome).await {
            Ok(Ok(Ok(()))) => Ok(client),
            Ok(Ok(Err(error))) => Err(error),
            _ => Err(shared.with(|state| Error::from_wire(&state.net.last_error))),
        }
    }
}
