//! How a producer is opened.

use std::sync::atomic::AtomicUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, Semaphore};
use tokio::time::timeout;

use super::Producer;
use crate::codes;
use crate::options::{between, number_between, ProducerOptions, HOUR, MINUTE};
use crate::publisher::{Meta, Publisher};
use crate::queue::Queue;
use crate::state::ProducerState;
use crate::wire::MAX_BATCH_BYTES;
use crate::{Client, Durability, Error};

/// Settings of a [`Producer`].
#[must_use = "open makes the producer"]
pub struct ProducerBuilder {
    client: Client,
    topic: String,
    opts: ProducerOptions,
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client, topic: String) -> Self {
        let opts = ProducerOptions {
            durability: Durability::Topic,
            allow_degraded: false,
            linger: Duration::ZERO,
            max_batch_bytes: 64 << 10,
            buffer_bytes: 32 << 20,
            max_block: Duration::from_secs(5),
            delivery_timeout: Duration::from_secs(30),
            name: String::new(),
            shed_class: None,
        };
        Self {
            client,
            topic,
            opts,
        }
    }

    /// The least durability an ack stands for. Default: what the topic is configured for.
    pub fn durability(mut self, level: Durability) -> Self {
        self.opts.durability = level;
        self
    }

    /// Whether less durability than asked for is an ack marked degraded rather than an error. Default false.
    pub fn allow_degraded(mut self, allow: bool) -> Self {
        self.opts.allow_degraded = allow;
        self
    }

    /// How long a record may wait for company. Default zero: records are sent at once while little is under way, and gather while
    /// acks are awaited. At most 1 min; kept to within 20 ms.
    pub fn linger(mut self, wait: Duration) -> Self {
        self.opts.linger = wait;
        self
    }

    /// A batch is sent when it has this many bytes. 1 KiB to 1 MiB, default 64 KiB.
    pub fn max_batch_bytes(mut self, bytes: usize) -> Self {
        self.opts.max_batch_bytes = bytes;
        self
    }

    /// Bytes of records that may be without outcome. 1 KiB to 1 GiB, default 32 MiB.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.opts.buffer_bytes = bytes;
        self
    }

    /// How long publish waits for space in the buffer; zero fails at once. Default 5 s.
    pub fn max_block(mut self, wait: Duration) -> Self {
        self.opts.max_block = wait;
        self
    }

    /// From publish to outcome, all attempts together. 1 ms to 1 day, default 30 s.
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.opts.delivery_timeout = timeout;
        self
    }

    /// A name under which the broker remembers the producer. Opening it again fences the earlier one off: its publishes fail with
    /// PRODUCER_FENCED. Default: none, every producer is its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.opts.name = name.into();
        self
    }

    /// How much the records matter to a broker that has to refuse some: 3 goes first, when it is busy, 2 when it is overloaded;
    /// 1 and 0 are not refused by class. 0 to 3; default: the topic's, which is 2 unless it is set.
    pub fn shed_class(mut self, class: u32) -> Self {
        self.opts.shed_class = Some(class);
        self
    }

    /// Opens it. Cancel-safe: a cancelled opening leaves nothing behind.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, DURABILITY_UNAVAILABLE, INVALID_ARGUMENT, or DEADLINE_EXCEEDED after the request timeout.
    pub async fn open(self) -> Result<Producer, Error> {
        let o = &self.opts;
        between("the linger", o.linger, Duration::ZERO, MINUTE)?;
        number_between(
            "the size of a batch",
            o.max_batch_bytes as u64,
            1 << 10,
            MAX_BATCH_BYTES as u64,
        )?;
        number_between("the buffer", o.buffer_bytes as u64, 1 << 10, 1 << 30)?;
        between("the max block", o.max_block, Duration::ZERO, HOUR * 24)?;
        number_between("the shed class", o.shed_class.unwrap_or(0).into(), 0, 3)?;
        between(
            "the delivery timeout",
            o.delivery_timeout,
            Duration::from_millis(1),
            HOUR * 24,
        )?;
        let topic = self.client.admin().describe_topic(&self.topic).await?;
        let shared = self.client.shared.clone();
        let (opened, outcome) = oneshot::channel();
        let sticky = Arc::new(AtomicUsize::new(0));
        let queues: Vec<Arc<Queue>> = topic
            .partitions
            .iter()
            .map(|_| Arc::new(Queue::new(o.max_batch_bytes, sticky.clone())))
            .collect();
        let space = Arc::new(Semaphore::new(o.buffer_bytes));
        let name: Arc<str> = self.topic.as_str().into();
        let id = shared.with(|state| {
            if state.closed {
                return Err(Error::closed("the client"));
            }
            let id = state.net.id();
            let meta = Meta {
                id,
                topic: name.clone(),
                opts: self.opts.clone(),
                space: space.clone(),
                producer_id: 0,
                opened: Some(opened),
                obstacle: "no answer from the broker".into(),
            };
            let mut parts: Vec<Publisher> = queues
                .iter()
                .enumerate()
                .map(|(i, queue)| Publisher::new(i, queue.clone()))
                .collect();
            parts[0].want();
            state.producers.insert(
                id,
                ProducerState {
                    meta,
                    parts,
                    dropped: false,
                },
            );
            state.run(id, 0);
            state.pump();
            Ok(id)
        })?;
        let producer = Producer {
            id,
            topic: name,
            opts: self.opts,
            queues,
            space,
            sticky,
            guard: self.client.guard.clone(),
            shared: shared.clone(),
        };
        match timeout(shared.opts.request_timeout, outcome).await {
            Ok(Ok(Ok(()))) => Ok(producer),
            Ok(Ok(Err(error))) => Err(error),
            _ => {
                let obstacle =
                    shared.with(|state| state.producers.get(&id).map(|p| p.meta.obstacle.clone()));
                Err(Error::new(
                    codes::DEADLINE_EXCEEDED,
                    format!("the producer of {} is not open in time", producer.topic),
                    obstacle.unwrap_or_default(),
                    "look at the broker's health, or allow a longer request timeout",
                ))
            }
        }
    }
}
