use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::core::lease::{Settlement, ACCEPT, NACK, RELEASE, TERM};
use crate::delivered::Delivered;
use crate::record::{format_traceparent, CORRELATION_HEADER};
use crate::wire::RecordView;

/// One delivered record. In a group it is leased: settle it with [`ack`](Message::ack), [`nack`](Message::nack),
/// [`release`](Message::release) or [`terminate`](Message::terminate) before the lease is over, else it is delivered again. The
/// first settlement counts, later ones do nothing. Settlements never wait; they are sent together, at the latest after 20 ms, also
/// when message and subscription are dropped meanwhile; [`Subscription::flush_acks`](crate::Subscription::flush_acks) waits until
/// the broker has them. For a reader without a group they do nothing at all. Dropping a message settles nothing.
///
/// ```no_run
/// use std::time::Duration;
/// use spillway::Subscription;
///
/// # fn bill(_: &[u8]) -> Result<(), String> { Ok(()) }
/// # async fn run(orders: Subscription) -> Result<(), spillway::Error> {
/// let message = orders.next().await?;
/// if message.time_left().is_some_and(|left| left.is_zero()) {
///     message.terminate("nobody waits for it any more");
/// } else {
///     match bill(message.value()) {
///         Ok(()) => message.ack(),
///         Err(why) if message.failures() < 3 => message.nack_because(None, &why), // the group's backoff
///         Err(why) => message.nack_because(Duration::from_secs(60), &why),
///     }
/// }
/// orders.flush_acks(Duration::from_secs(5)).await
/// # }
/// ```
#[derive(Clone)]
pub struct Message {
    topic: Arc<str>,
    index: usize,
    view: RecordView,
    from: Arc<Delivered>,
}

impl Message {
    pub(crate) fn new(
        from: &Arc<Delivered>,
        topic: &Arc<str>,
        index: usize,
        view: RecordView,
    ) -> Self {
        Self {
            topic: topic.clone(),
            index,
            view,
            from: from.clone(),
        }
    }

    /// Its topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Its partition.
    pub fn partition(&self) -> u32 {
        self.from.partition
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> u64 {
        self.from.base.saturating_add(self.index as u64)
    }

    /// The key; shares the memory of the delivery.
    pub fn key(&self) -> Option<&Bytes> {
        self.view.key.as_ref()
    }

    /// The value; shares the memory of the delivery.
    pub fn value(&self) -> &Bytes {
        &self.view.value
    }

    /// The headers in order.
    pub fn headers(&self) -> Vec<(String, Bytes)> {
        self.view.headers()
    }

    /// 1 for the first delivery, 2 for the second, ...
    pub fn attempt(&self) -> u32 {
        self.from.selection.attempt(self.index)
    }

    /// How many of the deliveries before this one failed: by a nack or by a lease that ran out. What was given back, by a member or
    /// by a broker that restarted, is no failure.
    pub fn failures(&self) -> u32 {
        self.from.selection.failures
    }

    /// Whether its publisher marked it as the end of its key. The clients here publish none; those of others may.
    pub fn is_tombstone(&self) -> bool {
        self.view.is_tombstone
    }

    /// When it was to be delivered at the earliest, if it said.
    pub fn deliver_at(&self) -> Option<SystemTime> {
        self.view.deliver_at_ms.and_then(time)
    }

    /// From when on it is not to be delivered any more, if it said.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.view.expires_at_ms.and_then(time)
    }

    /// What is left until it expires, by the broker's clock; zero when that is over. None when it never does.
    pub fn time_left(&self) -> Option<Duration> {
        self.view.expires_at_ms.map(|ms| self.from.time_until(ms))
    }

    /// The publisher's time, ms since 1970.
    pub fn timestamp_ms(&self) -> u64 {
        self.view.timestamp_ms
    }

    /// The broker's time, ms since 1970.
    pub fn append_time_ms(&self) -> u64 {
        self.from.batch.append_time_ms()
    }

    /// The idempotency key.
    pub fn idempotency_key(&self) -> Option<&Bytes> {
        self.view.dedup_id.as_ref()
    }

    /// The trace context as in W3C Trace Context.
    pub fn traceparent(&self) -> Option<String> {
        self.view.trace.as_deref().map(format_traceparent)
    }

    /// The correlation id.
    pub fn correlation_id(&self) -> Option<String> {
        let (_, id) = self
            .headers()
            .into_iter()
            .find(|(name, _)| name == CORRELATION_HEADER)?;
        Some(String::from_utf8_lossy(&id).into_owned())
    }

    /// Done; it is not delivered to the group again.
    pub fn ack(&self) {
        self.from.settle(self.index, Settlement::of(ACCEPT, 0, ""));
    }

    /// Failed; delivered again after the delay, or dead-lettered when that was the last attempt. Without a delay, which zero is,
    /// too, it waits as long as the group's backoff says.
    pub fn nack(&self, delay: impl Into<Option<Duration>>) {
        self.nack_because(delay, "");
    }

    /// [`nack`](Message::nack) with a reason, which the dead letter carries.
    pub fn nack_because(&self, delay: impl Into<Option<Duration>>, reason: &str) {
        let delay = delay.into().unwrap_or_default();
        let ms = u32::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX);
        self.from
            .settle(self.index, Settlement::of(NACK, ms, reason));
    }

    /// Makes the lease end that long from now; more than 12 h counts as 12 h. Does not settle.
    pub fn extend(&self, lease: Duration) {
        self.from.extend(self.index, lease);
    }

    /// Not handled; delivered again at once, and not counted as a failed delivery.
    pub fn release(&self) {
        self.from.settle(self.index, Settlement::of(RELEASE, 0, ""));
    }

    /// Can never be handled; goes to the dead-letter topic now.
    pub fn terminate(&self, reason: &str) {
        self.from
            .settle(self.index, Settlement::of(TERM, 0, reason));
    }
}

fn time(ms: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Message({}/{}@{})",
            self.topic,
            self.partition(),
            self.offset()
        )
    }
}
