use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::timeout;

use crate::batch::{AckFuture, BatchCell};
use crate::client::{Guard, Shared};
use crate::codes;
use crate::options::ProducerOptions;
use crate::publisher::Publisher;
use crate::queue::Queue;
use crate::wire::{
    key_hash, partition_of, OutRecord, BATCH_HEADER_BYTES, INDEX_ENTRY_BYTES, MAX_BATCH_BYTES,
};
use crate::{Ack, Error, Pressure, Record};

mod builder;

pub use builder::ProducerBuilder;

const MAX_RECORD: usize = MAX_BATCH_BYTES - BATCH_HEADER_BYTES;

/// A record that was checked, and where it is to go.
struct Ready<'a> {
    encoded: OutRecord<'a>,
    timestamp_ms: Option<i64>,
    hash: u32,
    part: usize,
    /// Of the buffer.
    permits: u32,
}

/// A record that was not taken, and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct PublishError {
    /// The record, to be published again or elsewhere.
    pub record: Record,
    /// Why it was not taken.
    #[source]
    pub error: Error,
}

/// Publishes to one topic, in batches. Each record ends in exactly one outcome: an [`Ack`] or an [`Error`]. Records of one partition
/// are stored in the order in which they were published by a task; a connection or broker that fails in between neither loses nor
/// doubles one, as long as it is back within the delivery timeout. What was published is sent also when the producer is dropped.
///
/// Errors: DEADLINE_EXCEEDED when the delivery timeout passed before anything was sent; OUTCOME_UNKNOWN when it passed after;
/// READ_ONLY, OVERLOADED or whatever else the broker kept refusing with when it passed meanwhile; LOCAL_BUFFER_FULL when the buffer
/// stayed full for the max block; TOO_LARGE; CLIENT_CLOSED; and what the broker answers.
///
/// ```no_run
/// use std::time::Duration;
/// use spillway::{codes, Client, Record};
///
/// # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let orders = client.producer("orders").open().await?;
///
/// let mut outcomes = Vec::new();
/// for order in 0..1_000 {
///     // Waits only for space; the records travel together.
///     outcomes.push(orders.publish(Record::new(format!("order {order}"))).await?);
/// }
/// for outcome in outcomes {
///     match outcome.await {
///         Ok(ack) => println!("{:?} at {}/{:?}", ack.durability, ack.partition, ack.offset),
///         Err(e) if e.code() == codes::OUTCOME_UNKNOWN => println!("perhaps stored: {e}"),
///         Err(e) => println!("not stored: {e}"),
///     }
/// }
/// orders.close_within(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
pub struct Producer {
    id: u64,
    topic: Arc<str>,
    opts: ProducerOptions,
    queues: Vec<Arc<Queue>>,
    space: Arc<Semaphore>,
    sticky: Arc<AtomicUsize>,
    shared: Arc<Shared>,
    #[allow(dead_code)] // keeps the client's tasks alive
    guard: Arc<Guard>,
}

impl Producer {
    /// The topic it publishes to.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// How many partitions the topic has.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.queues.len()
    }

    /// The worst of what the broker has said for the connection, for this topic and for its partitions.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        self.shared.with(|state| {
            let mut worst = state.net.pressure_now();
            if let Some(own) = state.producers.get(&self.id) {
                for part in &own.parts {
                    let pressure = part.worst_pressure(&state.net, &own.meta);
                    if pressure.state > worst.state {
                        worst = pressure;
                    }
                }
            }
            worst
        })
    }

    /// Whether, without waiting, a record that is published now could be sent at once: there is a connection and space in the buffer,
    /// and the broker lets a partition at least have something. [`pressure`](Producer::pressure) says why not.
    #[must_use]
    pub fn may_publish(&self) -> bool {
        self.space.available_permits() > 0
            && self.shared.with(|state| {
                let own = state.producers.get(&self.id);
                own.is_some_and(|own| {
                    own.parts.iter().any(Publisher::may_publish) && !state.net.is_held(&own.meta)
                }) && state.net.may_send()
            })
    }

    /// Publishes; waits up to the max block for space in the buffer. The outcome is in the future. Cancel-safe: when it is dropped
    /// while it waits, the record was not taken.
    ///
    /// # Errors
    /// What is wrong with the record, LOCAL_BUFFER_FULL or CLIENT_CLOSED, with the record itself.
    pub async fn publish(&self, record: Record) -> Result<AckFuture, PublishError> {
        match self.put_when_free(&record).await {
            Ok(future) => Ok(future),
            Err(error) => Err(PublishError { record, error }),
        }
    }

    /// The same, but fails at once with LOCAL_BUFFER_FULL when the buffer has no space.
    ///
    /// # Errors
    /// As [`publish`](Producer::publish).
    pub fn try_publish(&self, record: Record) -> Result<AckFuture, PublishError> {
        match self.put_if_free(&record) {
            Ok(future) => Ok(future),
            Err(error) => Err(PublishError { record, error }),
        }
    }

    /// Publishes and waits for the outcome. Not cancel-safe: when it is dropped the record may have been taken, and is then sent.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn publish_and_wait(&self, record: Record) -> Result<Ack, Error> {
        self.publish(record)
            .await
            .map_err(|refused| refused.error)?
            .await
    }

    async fn put_when_free(&self, record: &Record) -> Result<AckFuture, Error> {
        let ready = self.prepare(record)?;
        if self.take_space(&ready)? {
            return self.put(&ready);
        }
        match timeout(self.opts.max_block, self.space.acquire_many(ready.permits)).await {
            Ok(Ok(permit)) => {
                permit.forget();
                self.put(&ready)
            }
            Ok(Err(_)) => Err(self.closed()),
            Err(_) => Err(self.buffer_full(self.opts.max_block)),
        }
    }

    fn put_if_free(&self, record: &Record) -> Result<AckFuture, Error> {
        let ready = self.prepare(record)?;
        if self.take_space(&ready)? {
            self.put(&ready)
        } else {
            Err(self.buffer_full(Duration::ZERO))
        }
    }

    fn prepare<'a>(&self, record: &'a Record) -> Result<Ready<'a>, Error> {
        let encoded = record.encode()?;
        let size = encoded.size();
        if size > MAX_RECORD {
            let what = format!("a record for {}", self.topic);
            return Err(Error::too_large(
                &what,
                size - INDEX_ENTRY_BYTES,
                MAX_RECORD - INDEX_ENTRY_BYTES,
            ));
        }
        let hash = encoded.key.map_or(0, key_hash);
        Ok(Ready {
            encoded,
            timestamp_ms: record.timestamp_ms,
            hash,
            part: self.choose(record, hash)?,
            permits: size.min(self.opts.buffer_bytes) as u32,
        })
    }

    /// False when there is none.
    fn take_space(&self, ready: &Ready<'_>) -> Result<bool, Error> {
        match self.space.try_acquire_many(ready.permits) {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::NoPermits) => return Ok(false),
            Err(TryAcquireError::Closed) => return Err(self.closed()),
        }
        Ok(true)
    }

    /// Puts a record whose space is taken in its batch.
    fn put(&self, ready: &Ready<'_>) -> Result<AckFuture, Error> {
        let offered = self.queues[ready.part].offer(
            &ready.encoded,
            ready.timestamp_ms,
            ready.hash,
            ready.permits as usize,
            self.opts.delivery_timeout,
        );
        match offered {
            Ok((future, wake)) => {
                if wake {
                    self.shared.wake_part(self.id, ready.part);
                }
                Ok(future)
            }
            Err(error) => {
                self.space.add_permits(ready.permits as usize);
                Err(error)
            }
        }
    }

    fn closed(&self) -> Error {
        Error::closed(format!("the producer of {}", self.topic))
    }

    fn choose(&self, record: &Record, hash: u32) -> Result<usize, Error> {
        let count = self.queues.len();
        if let Some(partition) = record.partition {
            let index = partition as usize;
            return if index < count {
                Ok(index)
            } else {
                Err(Error::invalid(
                    format!("partition {partition} of {} does not exist", self.topic),
                    format!("the topic has partitions 0 to {}", count - 1),
                ))
            };
        }
        Ok(match (&record.key, &record.idempotency_key) {
            (Some(_), _) => partition_of(hash, count),
            (None, Some(id)) => partition_of(key_hash(id), count),
            (None, None) => self.sticky.load(Ordering::Relaxed) % count,
        })
    }

    fn buffer_full(&self, block: Duration) -> Error {
        Error::new(
            codes::LOCAL_BUFFER_FULL,
            format!("the buffer of the producer of {} has no space", self.topic),
            format!(
                "{} bytes wait for their acks, and none came free within {} ms",
                self.opts.buffer_bytes,
                block.as_millis()
            ),
            "publish more slowly, enlarge the buffer, or look at the broker's health",
        )
    }

    /// Sends what is buffered without lingering and waits until all that was published before has its outcome. Cancel-safe.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when that takes longer; the records are still under way then.
    pub async fn flush(&self, limit: Duration) -> Result<(), Error> {
        flush(&self.shared, self.id, limit).await
    }

    /// Flushes for up to 10 s and ends the producer. What has no outcome in time fails. When it is cancelled, the producer is dropped:
    /// what it took is still sent.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when something had no outcome in time.
    pub async fn close(self) -> Result<(), Error> {
        self.close_within(Duration::from_secs(10)).await
    }

    /// [`close`](Producer::close) with another limit; further calls of the producer fail with CLIENT_CLOSED. When it is cancelled, the
    /// producer takes no more records, and those it took are still sent; it may be called again.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED when something had no outcome in time.
    pub async fn close_within(&self, limit: Duration) -> Result<(), Error> {
        close(&self.shared, self.id, limit).await
    }
}

pub(crate) async fn flush(shared: &Shared, id: u64, limit: Duration) -> Result<(), Error> {
    let (topic, waiting) = shared.with(|state| {
        let mut cells: Vec<Arc<BatchCell>> = Vec::new();
        let topic = state.producers.get(&id).map(|producer| {
            producer
                .parts
                .iter()
                .for_each(|part| part.collect(&mut cells));
            producer.meta.topic.clone()
        });
        let parts = state
            .producers
            .get(&id)
            .map_or(0, |producer| producer.parts.len());
        (0..parts).for_each(|part| state.run(id, part));
        shared.pump(state);
        (topic, cells)
    });
    let all = async {
        for cell in waiting {
            poll_fn(|cx| cell.poll_done(cx)).await;
        }
    };
    timeout(limit, all).await.map_err(|_| {
        Error::new(
            codes::DEADLINE_EXCEEDED,
            format!(
                "the flush of {} is not done after {} ms",
                topic.unwrap_or_default(),
                limit.as_millis()
            ),
            "some records have no outcome yet",
            "they are still under way; wait for their acks",
        )
    })
}

pub(crate) async fn close(shared: &Shared, id: u64, limit: Duration) -> Result<(), Error> {
    let cause = shared.with(|state| {
        let producer = state.producers.get(&id)?;
        let cause = Error::closed(format!("the producer of {}", producer.meta.topic));
        producer
            .parts
            .iter()
            .for_each(|part| part.queue.close(cause.clone()));
        Some(cause)
    });
    let Some(cause) = cause else { return Ok(()) };
    let result = flush(shared, id, limit).await;
    shared.with(|state| state.end_producer(id, &cause));
    result
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.shared.with(|state| {
            if let Some(producer) = state.producers.get_mut(&self.id) {
                producer.dropped = true;
            }
        });
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Producer({})", self.topic)
    }
}
