use std::fmt;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::client::{Guard, Shared, Steps};
use crate::codes;
use crate::core::drain::{self, Step};
use crate::delivery::Delivery;
use crate::health::Busy;
use crate::link::TICK;
use crate::options::number_between;
use crate::state::State;
use crate::{Error, Message};

mod builder;
mod start;
mod terms;

pub use builder::{LostLeases, ReadFrom, SubscriptionBuilder};
pub use start::Start;
pub(crate) use terms::GroupTerms;

/// Receives messages of one topic. In a group, the members share the topic's records, each one leased to one of them at a time: at
/// least once. A reader without a group sees every record, in order per partition and without repetition while the subscription is
/// open, reconnects included.
///
/// It is a [`Stream`], which ends when the subscription is closed and yields an error before it ends for another reason. Several tasks
/// may take from one subscription through a shared reference. When it is dropped, what was settled is still sent, and what was not
/// settled goes back to the group.
///
/// ```no_run
/// use std::time::Duration;
/// use spillway::{Client, GroupMode, Message};
///
/// # async fn handle(_: Message) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn run(client: Client) -> Result<(), spillway::Error> {
/// let orders = client
///     .subscribe("orders")
///     .group("billing")
///     .mode(GroupMode::KeyOrdered)
///     .filter("region = 'eu'")
///     .max_deliveries(5)
///     .retry_backoff_between(Duration::from_millis(100), Duration::from_secs(60))
///     .open()
///     .await?;
///
/// // Eight handlers at a time, until somebody closes the subscription or the client.
/// orders.consume(8, |message| handle(message)).await
/// # }
/// ```
pub struct Subscription {
    id: u64,
    topic: Arc<str>,
    partitions: Vec<u32>,
    queue: Arc<Delivery>,
    ended: watch::Receiver<Option<Result<(), Error>>>,
    active: watch::Receiver<bool>,
    consumers: Arc<watch::Sender<usize>>,
    /// It names the group's backoff, which then counts for handlers that fail.
    own_backoff: bool,
    shared: Arc<Shared>,
    #[allow(dead_code)] // keeps the client's tasks alive
    guard: Arc<Guard>,
}

impl Subscription {
    /// The topic it reads.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The partitions it reads.
    #[must_use]
    pub fn partitions(&self) -> &[u32] {
        &self.partitions
    }

    /// Whether it is subscribed at a broker and messages may come to it. In a group of mode
    /// [`GroupMode::Exclusive`](crate::GroupMode::Exclusive) that is one member at a time; the others stand by.
    #[must_use]
    pub fn is_active(&self) -> bool {
        *self.active.borrow()
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

    /// Calls the handler for each message, `concurrency` at a time (1 to 1,024), until the subscription is over. The handlers take
    /// turns on the task that awaits this: they wait at the same time, but compute one after the other. For work that computes, let
    /// several tasks consume, or spawn from the handler. A message whose
    /// handler returns `Ok` is acked, unless the handler has settled it; an error is a nack, with the group's backoff when this
    /// subscription has set one, else with a delay of 1 s, doubled with each attempt, at most 1 min. Cancel-safe: handlers that run are dropped with it, and their messages are delivered again when their lease is over.
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
        let _consuming = Consuming::begin(&self.consumers);
        let _handlers = Busy::begin(&self.shared.work.handlers, concurrency as u32);
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
            let began = Instant::now();
            let outcome = {
                let _busy = Busy::begin(&self.shared.work.busy, 1);
                handler(message.clone()).await
            };
            self.shared.work.on_handled(began.elapsed());
            match outcome {
                Ok(()) => message.ack(),
                Err(e) => {
                    let delay = (!self.own_backoff).then(|| {
                        let doubled = 1 << message.attempt().saturating_sub(1).min(6);
                        Duration::from_secs(doubled.min(60))
                    });
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
    /// settled or their leases are over, and closes. When the time is over, the rest is given back, too. Cancel-safe: it takes no
    /// more messages, and may be called again, or closed.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when something was given back that had been handed out, or the last settlements are not confirmed; the
    /// subscription is closed all the same.
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
        let settled = timeout(limit, idle).await.is_ok();
        let closed = close(&self.shared, self.id, Duration::from_secs(1)).await;
        if settled {
            return closed;
        }
        Err(Error::new(
            codes::DEADLINE_EXCEEDED,
            format!(
                "messages of {} were not settled within {} ms",
                self.topic,
                limit.as_millis()
            ),
            "their handlers take longer",
            "they were given back and are delivered again; allow more time, or shorten the work",
        ))
    }

    /// [`close_within`](Subscription::close_within) 10 s.
    ///
    /// # Errors
    /// As there.
    pub async fn close(&self) -> Result<(), Error> {
        self.close_within(Duration::from_secs(10)).await
    }

    /// Takes no more messages, waits until the handlers that run have ended, sends the settlements, and releases what was not
    /// settled. Closing twice is fine. When it is cancelled, no more messages are taken and settlements are still sent, but what was
    /// not settled stays with this member until it is called again or the subscription is dropped. A [`consume`](Subscription::consume) that is kept but not polled any more, or whose handler
    /// is who closes, is waited for in vain until the limit: drop it first.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when the broker has not confirmed the settlements in time; the subscription is closed all the same.
    pub async fn close_within(&self, limit: Duration) -> Result<(), Error> {
        close(&self.shared, self.id, limit).await
    }
}

/// Counts a running `consume`.
struct Consuming<'a>(&'a watch::Sender<usize>);

impl<'a> Consuming<'a> {
    fn begin(consumers: &'a watch::Sender<usize>) -> Self {
        consumers.send_modify(|n| *n += 1);
        Self(consumers)
    }
}

impl Drop for Consuming<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
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
        Some(sub.consumers.subscribe())
    });
    let Some(mut consumers) = open else {
        return Ok(());
    };
    let mut result = Ok(());
    let mut steps = Steps::new(shared, drain::SUBSCRIPTION, limit);
    while let Some((step, limit)) = steps.next() {
        match step {
            Step::Handlers => {
                let _ = timeout(limit, consumers.wait_for(|n| *n == 0)).await; // what is left goes back
                shared.with(|state| {
                    if let Some(sub) = state.subs.get_mut(&id) {
                        sub.acks.release_all();
                    }
                });
            }
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
            _ => {}
        }
    }
    shared.with(|state| {
        let State { net, subs, .. } = state;
        if let Some(mut sub) = subs.remove(&id) {
            if result.is_ok() && sub.acks.is_owed(net) {
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
    if shared.opts.follower_reads {
        shared.end(); // its connections were of this reader alone
    }
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
