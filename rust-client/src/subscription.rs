use std::collections::BTreeMap;
use std::fmt;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::Stream;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::acks::AckSender;
use crate::client::{Guard, Shared, Steps};
use crate::codes;
use crate::core::drain::{self, Step};
use crate::delivered::Inbox;
use crate::delivery::Delivery;
use crate::link::TICK;
use crate::options::{between, number_between, SubscribeOptions, HOUR};
use crate::pb;
use crate::state::State;
use crate::sublink::{SubLink, START_OFFSET};
use crate::{Client, Error, Message};

const START_GROUP: u32 = 0;
const START_EARLIEST: u32 = 1;
const START_LATEST: u32 = 2;
const START_TIME: u32 = 4;

/// Where to begin reading, or where to set a group.
#[derive(Clone, Copy, Debug)]
pub struct Start(pub(crate) pb::Start);

impl Start {
    fn of(kind: u32) -> Self {
        Self(pb::Start {
            kind,
            ..pb::Start::default()
        })
    }

    /// The oldest record there is.
    pub fn earliest() -> Self {
        Self::of(START_EARLIEST)
    }

    /// After the newest record there is.
    pub fn latest() -> Self {
        Self::of(START_LATEST)
    }

    /// Where the group is; a new group begins at the earliest record.
    pub fn group() -> Self {
        Self::of(START_GROUP)
    }

    /// That record of that partition. As the start of a reader, it reads no other partition.
    pub fn offset(partition: u32, offset: u64) -> Self {
        Self(pb::Start {
            partition,
            offset,
            ..Self::of(START_OFFSET).0
        })
    }

    /// In every partition the first record appended at that time or later.
    pub fn time(time: SystemTime) -> Self {
        Self::time_ms(
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
        )
    }

    /// [`time`](Start::time) in ms since 1970.
    pub fn time_ms(ms: u64) -> Self {
        Self(pb::Start {
            unix_ms: ms,
            ..Self::of(START_TIME).0
        })
    }

    pub(crate) fn is_group(&self) -> bool {
        self.0.kind == START_GROUP
    }
}

/// Messages whose settlement did not count: the lease was over, and they are or will be with another member. What their handling
/// did may be done again.
#[derive(Clone, Debug)]
pub struct LostLeases {
    /// Their topic.
    pub topic: String,
    /// Their partition.
    pub partition: u32,
    /// First of the range.
    pub first_offset: u64,
    /// Last of the range, included.
    pub last_offset: u64,
    /// What the broker said.
    pub cause: Error,
}

/// Settings of a [`Subscription`].
#[must_use = "open makes the subscription"]
pub struct SubscriptionBuilder {
    client: Client,
    topic: String,
    opts: SubscribeOptions,
    in_group: bool,
}

impl SubscriptionBuilder {
    pub(crate) fn new(client: Client, topic: String) -> Self {
        let opts = SubscribeOptions {
            group: String::new(),
            start: None,
            lease: Duration::ZERO,
            max_unacked: None,
            max_deliveries: 0,
            partitions: Vec::new(),
            credit_bytes: 8 << 20,
            name: client.shared.opts.name.clone(),
            on_lost_leases: None,
        };
        Self {
            client,
            topic,
            opts,
            in_group: false,
        }
    }

    /// Joins this group, which is created when it does not exist. Default: no group, a reader of its own.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.opts.group = name.into();
        self.in_group = true;
        self
    }

    /// Where to begin: for a reader, default latest; for a group only when it is new, default earliest. A group that exists goes on
    /// where it is; [`Admin::seek_group`](crate::Admin::seek_group) moves it.
    pub fn start(mut self, start: Start) -> Self {
        self.opts.start = Some(start.0);
        self
    }

    /// How long a message is leased. 1 s to 12 h, default: the broker's, 30 s.
    pub fn lease_time(mut self, lease: Duration) -> Self {
        self.opts.lease = lease;
        self
    }

    /// Messages that may be leased to this member at a time. 1 to 1,000,000, default: the broker's, 10,000.
    pub fn max_unacked(mut self, messages: u32) -> Self {
        self.opts.max_unacked = Some(messages);
        self
    }

    /// Failed deliveries after which a message is dead-lettered. Default 0: as the group has it.
    pub fn max_deliveries(mut self, deliveries: u32) -> Self {
        self.opts.max_deliveries = deliveries;
        self
    }

    /// Reads only these partitions. Default: all. For a reader without a group.
    pub fn partitions(mut self, indexes: impl IntoIterator<Item = u32>) -> Self {
        self.opts.partitions = indexes.into_iter().collect();
        self
    }

    /// Bytes of batches the broker may send ahead. 1 MiB to 1 GiB, default 8 MiB.
    pub fn credit_bytes(mut self, bytes: u64) -> Self {
        self.opts.credit_bytes = bytes;
        self
    }

    /// What the broker's views call this consumer. Default: the client's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.opts.name = name.into();
        self
    }

    /// Hears of settlements that came too late, on one of the client's tasks: must not block. Default: nobody.
    pub fn on_lost_leases(mut self, listener: impl Fn(LostLeases) + Send + Sync + 'static) -> Self {
        self.opts.on_lost_leases = Some(Arc::new(listener));
        self
    }

    fn complete(&mut self) -> Result<(), Error> {
        let o = &mut self.opts;
        if self.topic.is_empty() {
            return Err(Error::invalid(
                "the topic's name is empty",
                "a subscription needs a topic",
            ));
        }
        number_between("the credit", o.credit_bytes, 1 << 20, 1 << 30)?;
        if self.in_group {
            if o.group.is_empty() {
                return Err(Error::invalid(
                    "the group's name is empty",
                    "leave it out for a reader of its own, or give one",
                ));
            }
            if !o.partitions.is_empty() {
                return Err(Error::invalid(
                    "a group member asked for certain partitions",
                    "the members of a group share all of them",
                ));
            }
            if !o.lease.is_zero() {
                between("the lease time", o.lease, Duration::from_secs(1), HOUR * 12)?;
            }
            if let Some(max) = o.max_unacked {
                number_between("max unacked", max.into(), 1, 1_000_000)?;
            }
            o.start.get_or_insert(Start::group().0);
            return Ok(());
        }
        if !o.lease.is_zero() || o.max_unacked.is_some() || o.max_deliveries != 0 {
            return Err(Error::invalid(
                "a reader has no lease, max unacked or max deliveries",
                "they are for groups; a reader acks nothing",
            ));
        }
        let start = *o.start.get_or_insert(Start::latest().0);
        if Start(start).is_group() {
            return Err(Error::invalid(
                "a reader cannot start where a group is",
                "it has no group; start at earliest, latest, an offset or a time",
            ));
        }
        if start.kind == START_OFFSET {
            if !o.partitions.is_empty() && o.partitions != [start.partition] {
                return Err(Error::invalid(
                    "a reader is to start at an offset of one partition and to read others",
                    "an offset is a place in one partition",
                ));
            }
            o.partitions = vec![start.partition];
        }
        Ok(())
    }

    /// "Latest" is made a number at once, so that what is published during an outage is not skipped.
    async fn fixed_latest(&self) -> Result<BTreeMap<u32, u64>, Error> {
        let mut next = BTreeMap::new();
        if !self.in_group
            && self
                .opts
                .start
                .is_some_and(|start| start.kind == START_LATEST)
        {
            for p in self
                .client
                .admin()
                .describe_topic(&self.topic)
                .await?
                .partitions
            {
                if self.opts.partitions.is_empty() || self.opts.partitions.contains(&p.partition) {
                    next.insert(p.partition, p.end_offset);
                }
            }
        }
        Ok(next)
    }

    /// Opens it. Cancel-safe: a cancelled opening leaves nothing behind.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, INVALID_ARGUMENT, or DEADLINE_EXCEEDED after the request timeout.
    pub async fn open(mut self) -> Result<Subscription, Error> {
        self.complete()?;
        let next = self.fixed_latest().await?;
        let shared = self.client.shared.clone();
        let topic: Arc<str> = self.topic.as_str().into();
        let inbox = Arc::new(Inbox {
            shared: shared.clone(),
            topic: topic.clone(),
            records: AtomicU32::new(0),
            flush_wanted: AtomicBool::new(false),
            settled: Mutex::default(),
        });
        let queue = Arc::new(Delivery::new(inbox.clone(), self.opts.credit_bytes));
        let (opened, outcome) = oneshot::channel();
        let (id, ended) = shared.with(|state| {
            if state.closed {
                return Err(Error::closed("the client"));
            }
            let id = state.net.id();
            let acks = AckSender::new(id, inbox, self.opts.on_lost_leases.clone());
            let mut link = SubLink::new(
                id,
                topic.clone(),
                self.opts,
                queue.clone(),
                acks,
                next,
                opened,
            );
            let ended = link.ended.subscribe();
            link.open(&mut state.net);
            state.subs.insert(id, link);
            Ok((id, ended))
        })?;
        let mut subscription = Subscription {
            id,
            topic,
            partitions: Vec::new(),
            queue,
            ended,
            shared: shared.clone(),
            guard: self.client.guard.clone(),
        };
        match timeout(shared.opts.request_timeout, outcome).await {
            Ok(Ok(Ok(partitions))) => {
                subscription.partitions = partitions;
                Ok(subscription)
            }
            Ok(Ok(Err(error))) => Err(error),
            _ => {
                let obstacle = shared.with(|state| {
                    let State { net, subs, .. } = state;
                    subs.get(&id).map(|sub| (sub.describe(), sub.obstacle(net)))
                });
                let (what, why) = obstacle.unwrap_or_default();
                Err(Error::new(
                    codes::DEADLINE_EXCEEDED,
                    format!("{what} is not open in time"),
                    why,
                    "look at the broker's health, or allow a longer request timeout",
                ))
            }
        }
    }
}

/// Receives messages of one topic. In a group, the members share the topic's records, each one leased to one of them at a time: at
/// least once. A reader without a group sees every record, in order per partition and without repetition while the subscription is
/// open, reconnects included.
///
/// It is a [`Stream`], which ends when the subscription is closed and yields an error before it ends for another reason. Several tasks
/// may take from one subscription through a shared reference. When it is dropped, what was settled is still sent, and what was not
/// settled goes back to the group.
pub struct Subscription {
    id: u64,
    topic: Arc<str>,
    partitions: Vec<u32>,
    queue: Arc<Delivery>,
    ended: watch::Receiver<Option<Result<(), Error>>>,
    shared: Arc<Shared>,
    #[allow(dead_code)] // keeps the client's tasks alive
    guard: Arc<Guard>,
}

impl Subscription {
    /// The topic it reads.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The partitions it reads.
    pub fn partitions(&self) -> &[u32] {
        &self.partitions
    }

    /// The next message. Cancel-safe: when it is dropped, no message is lost.
    ///
    /// # Errors
    /// What ended the subscription: TOPIC_NOT_FOUND after the topic was deleted, CLIENT_CLOSED after close.
    pub async fn next(&self) -> Result<Message, Error> {
        poll_fn(|cx| self.queue.poll_take(cx)).await
    }

    /// Up to `max` messages: waits for the first, then takes what is there. Empty when none comes in time. Cancel-safe.
    ///
    /// # Errors
    /// As [`next`](Subscription::next).
    pub async fn fetch(&self, max: usize, wait: Duration) -> Result<Vec<Message>, Error> {
        let mut messages = Vec::new();
        if max == 0 {
            return Err(Error::invalid("max is 0", "it must be at least 1"));
        }
        match timeout(wait, self.next()).await {
            Err(_) => return Ok(messages),
            Ok(first) => messages.push(first?),
        }
        self.queue.take_more(&mut messages, max);
        Ok(messages)
    }

    /// Calls the handler for each message, `concurrency` at a time (1 to 1,024), until the subscription is over. A message whose
    /// handler returns `Ok` is acked, unless the handler has settled it; an error is a nack with a delay of 1 s, doubled with each attempt,
    /// at most 1 min. Cancel-safe: handlers that run are dropped with it, and their messages are delivered again when their lease is over.
    ///
    /// # Errors
    /// What ended the subscription; nothing after a close.
    pub async fn consume<F, R, E>(&self, concurrency: usize, handler: F) -> Result<(), Error>
    where
        F: Fn(Message) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        number_between("the concurrency", concurrency as u64, 1, 1_024)?;
        let mut workers: Vec<Pin<Box<_>>> = (0..concurrency)
            .map(|_| Box::pin(self.work(&handler)))
            .collect();
        let mut result = Ok(());
        poll_fn(|cx| {
            workers.retain_mut(|worker| match worker.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(ended) => {
                    result = ended;
                    false
                }
            });
            if workers.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        result
    }

    async fn work<F, R, E>(&self, handler: &F) -> Result<(), Error>
    where
        F: Fn(Message) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        loop {
            let message = match self.next().await {
                Ok(message) => message,
                Err(e) if e.code() == codes::CLIENT_CLOSED => return Ok(()),
                Err(e) => return Err(e),
            };
            match handler(message.clone()).await {
                Ok(()) => message.ack(),
                Err(e) => {
                    let delay = Duration::from_secs(
                        (1 << message.attempt().saturating_sub(1).min(6)).min(60),
                    );
                    message.nack_because(delay, &e.to_string());
                }
            }
        }
    }

    /// Sends all settlements made before and waits until the broker has them, as durable as the topic asks for. Cancel-safe: the
    /// settlements are sent all the same.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when that takes longer; they are still under way then.
    pub async fn flush_acks(&self, limit: Duration) -> Result<(), Error> {
        flush_acks(&self.shared, self.id, limit).await
    }

    /// Completes when the subscription is over: with `Ok` after a close, else with what ended it. Cancel-safe.
    ///
    /// # Errors
    /// What ended it.
    pub async fn ended(&self) -> Result<(), Error> {
        let mut ended = self.ended.clone();
        let result = match ended.wait_for(Option::is_some).await {
            Ok(result) => result.clone(),
            Err(_) => None,
        };
        result.unwrap_or(Ok(()))
    }

    /// Takes no more messages from the broker, gives back those that nobody has begun, waits until those that were handed out are
    /// settled or their leases are over, and closes. When the time is over, the rest is given back, too.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when the last settlements are not confirmed.
    pub async fn drain(&self, limit: Duration) -> Result<(), Error> {
        self.shared.with(|state| {
            if let Some(sub) = state.subs.get_mut(&self.id) {
                sub.pause_deliveries(&mut state.net);
                sub.queue.discard();
            }
        });
        let idle = async {
            while self.shared.with(|state| {
                let State { net, subs, .. } = state;
                subs.get_mut(&self.id).is_some_and(|sub| {
                    sub.acks.flush(net);
                    sub.acks.is_busy()
                })
            }) {
                tokio::time::sleep(TICK).await;
            }
        };
        let _ = timeout(limit, idle).await; // what is left goes back
        close(&self.shared, self.id, Duration::from_secs(1)).await
    }

    /// [`close_within`](Subscription::close_within) 10 s.
    ///
    /// # Errors
    /// As there.
    pub async fn close(&self) -> Result<(), Error> {
        self.close_within(Duration::from_secs(10)).await
    }

    /// Takes no more messages, sends the settlements, and releases what was not settled. Closing twice is fine.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when the broker has not confirmed the settlements in time; the subscription is closed all the same.
    pub async fn close_within(&self, limit: Duration) -> Result<(), Error> {
        close(&self.shared, self.id, limit).await
    }
}

pub(crate) async fn flush_acks(shared: &Shared, id: u64, limit: Duration) -> Result<(), Error> {
    let (what, waiting) = shared.with(|state| {
        let State { net, subs, .. } = state;
        subs.get_mut(&id)
            .map(|sub| (sub.describe(), sub.acks.collect(net)))
            .unwrap_or_default()
    });
    let all = async {
        for mut done in waiting {
            while done.changed().await.is_ok() {}
        }
    };
    timeout(limit, all).await.map_err(|_| {
        Error::new(
            codes::DEADLINE_EXCEEDED,
            format!(
                "settlements of {what} are not confirmed after {} ms",
                limit.as_millis()
            ),
            "no answer from the broker",
            "they are still under way; look at the broker's health",
        )
    })
}

pub(crate) async fn close(shared: &Shared, id: u64, limit: Duration) -> Result<(), Error> {
    let open = shared.with(|state| {
        let State { net, subs, .. } = state;
        let sub = subs.get_mut(&id)?;
        sub.queue.end(Error::closed(sub.describe()));
        sub.pause_deliveries(net);
        sub.acks.release_all();
        Some(())
    });
    if open.is_none() {
        return Ok(());
    }
    let mut result = Ok(());
    let mut steps = Steps::new(shared, drain::SUBSCRIPTION, limit);
    while let Some((step, limit)) = steps.next() {
        match step {
            Step::Settle => result = flush_acks(shared, id, limit).await,
            Step::Unsubscribe => {
                let (done, answered) = oneshot::channel();
                shared.with(|state| {
                    let State { net, subs, .. } = state;
                    if let Some(sub) = subs.get_mut(&id) {
                        sub.unsubscribe(net, Some(done));
                    }
                });
                let _ = timeout(limit, answered).await; // the broker notices by itself in the end
            }
            _ => {} // handlers are futures of the caller, and have just lost their queue
        }
    }
    shared.with(|state| {
        let State { net, subs, .. } = state;
        if let Some(mut sub) = subs.remove(&id) {
            if result.is_ok() && sub.acks.has_unconfirmed() {
                result = Err(Error::new(
                    codes::CONNECTION_LOST,
                    format!("settlements of {} were not confirmed", sub.describe()),
                    net.disconnected_because(),
                    "their records will be delivered again",
                ));
            }
            sub.close(net);
        }
    });
    result
}

impl Stream for Subscription {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.queue.poll_take(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(e)) if e.code() == codes::CLIENT_CLOSED => Poll::Ready(None),
            Poll::Ready(result) => Poll::Ready(Some(result)),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.with(|state| {
            let State { net, subs, .. } = state;
            if let Some(sub) = subs.get_mut(&self.id) {
                sub.pause_deliveries(net);
                sub.queue.discard();
                sub.acks.release_all();
                sub.acks.flush(net);
                sub.dropped = true;
            }
        });
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({})", self.topic)
    }
}
