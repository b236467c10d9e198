//! How a subscription is opened.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::start::START_LATEST;
use super::terms::Backoff;
use super::{GroupTerms, Start, Subscription};
use crate::acks::AckSender;
use crate::codes;
use crate::delivered::Inbox;
use crate::delivery::Delivery;
use crate::options::{between, number_between, SubscribeOptions, HOUR};
use crate::state::State;
use crate::sublink::{SubLink, START_OFFSET};
use crate::{Client, Error, GroupMode};

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

/// From which node of a cluster a reader without a group reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadFrom {
    /// From the leader, over the client's connection: records come as soon as they are agreed on.
    #[default]
    Leader,
    /// From a node in the client's own zone if there is one, else from any other, over a connection of the reader's own: a node that
    /// follows has records a moment later. When it is lost the reader goes on at the next nearest, where it was.
    Nearest,
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
            standby: false,
            partitions: Vec::new(),
            read_from: ReadFrom::Leader,
            credit_bytes: 8 << 20,
            name: client.shared.opts.name.clone(),
            terms: GroupTerms::default(),
            on_lost_leases: None,
            on_active: None,
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

    /// From which node of a cluster a reader without a group reads. Default: [`ReadFrom::Leader`]. The client's zone is that of
    /// [`ClientBuilder::zone`](crate::ClientBuilder::zone).
    pub fn read_from(mut self, node: ReadFrom) -> Self {
        self.opts.read_from = node;
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

    /// Failed deliveries after which a message is dead-lettered, up to 1,000. Default 0: as the group has it.
    pub fn max_deliveries(mut self, deliveries: u32) -> Self {
        self.opts.max_deliveries = deliveries;
        self
    }

    /// Stands by in a group in mode [`GroupMode::KeyOrdered`] or [`GroupMode::Exclusive`]: takes over from a member that is not well, or
    /// is gone, until that is back or another comes. [`on_active`](Self::on_active) hears of it. Default: not.
    pub fn standby(mut self) -> Self {
        self.opts.standby = true;
        self
    }

    /// How the members of the group share its records. A group keeps the mode it began with. Default: [`GroupMode::Shared`].
    pub fn mode(mut self, mode: GroupMode) -> Self {
        self.opts.terms.mode = mode;
        self
    }

    /// Which records the group wants, as an expression over their headers, for instance `region = 'eu' && amount >= 100`; what it
    /// does not want counts as settled. The filter of a group that is there must be the same. Default: all.
    pub fn filter(mut self, expression: impl Into<String>) -> Self {
        self.opts.terms.filter = Some(expression.into());
        self
    }

    /// How long a failed message waits for its next delivery, after the first failure, the second, ...; the last is repeated. 1 to 32
    /// waits of at most 7 days.
    /// Default: as the group has it, at first not at all.
    pub fn retry_backoff(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.opts.terms.backoff = Some(Backoff::Waits(waits.into_iter().collect()));
        self
    }

    /// A failed message waits `min` after the first failure, then twice as long each time, at most `max`. 1 ms to 7 days.
    pub fn retry_backoff_between(mut self, min: Duration, max: Duration) -> Self {
        self.opts.terms.backoff = Some(Backoff::Between(min, max));
        self
    }

    /// The share of the wait after a failure that is random. 0 to 100; default: as the group has it, at first 20.
    pub fn retry_jitter_percent(mut self, percent: u32) -> Self {
        self.opts.terms.jitter_percent = Some(percent);
        self
    }

    /// Messages that all members of the group together may hold unsettled. 0 to 100,000,000, 0 = no bound; default: as the
    /// group has it, at first no bound. [`max_unacked`](Self::max_unacked) is that of this member.
    pub fn max_in_flight(mut self, messages: u32) -> Self {
        self.opts.terms.max_in_flight = Some(messages);
        self
    }

    /// Any setting of the group by its name, for instance "dlq.breaker.percent". Taken when the group is new; one that is there keeps
    /// its own, which [`Admin::alter_group`](crate::Admin::alter_group) changes.
    pub fn group_setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let settings = &mut self.opts.terms.settings;
        settings.insert(name.into(), value.into());
        self
    }

    /// Hears when this member becomes active, with true, and when it is not any more; of interest in a group of mode
    /// [`GroupMode::Exclusive`]. On one of the client's tasks: must not block. Default: nobody.
    pub fn on_active(mut self, listener: impl Fn(bool) + Send + Sync + 'static) -> Self {
        self.opts.on_active = Some(Arc::new(listener));
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
        if o.standby && (!self.in_group || o.terms.mode == GroupMode::Shared) {
            return Err(Error::invalid(
                "a subscription is to stand by",
                "it needs a group in mode KeyOrdered or Exclusive, whose members have a part that another can take over",
            ));
        }
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
            if o.read_from != ReadFrom::Leader {
                return Err(Error::invalid(
                    "a group is to read from the nearest node",
                    "the leader shares the records among a group's members",
                ));
            }
            if !o.lease.is_zero() {
                between("the lease time", o.lease, Duration::from_secs(1), HOUR * 12)?;
            }
            if let Some(max) = o.max_unacked {
                number_between("max unacked", max.into(), 1, 1_000_000)?;
            }
            number_between("max deliveries", o.max_deliveries.into(), 0, 1_000)?;
            o.terms.check()?;
            o.start.get_or_insert(Start::group().0);
            return Ok(());
        }
        if !o.lease.is_zero() || o.max_unacked.is_some() || o.max_deliveries != 0 {
            return Err(Error::invalid(
                "a reader has no lease, max unacked or max deliveries",
                "they are for groups; a reader acks nothing",
            ));
        }
        if o.terms.are_any() {
            return Err(Error::invalid(
                "a reader has no mode, filter or group settings",
                "they are of groups; name one, or leave them out",
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
        let reader = (self.opts.read_from == ReadFrom::Nearest).then(|| self.client.reader());
        let client = reader.as_ref().unwrap_or(&self.client).clone();
        let shared = client.shared.clone();
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
        let own_backoff = self.opts.terms.have_backoff();
        let (id, watched) = shared.with(|state| {
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
            let watched = (
                link.ended.subscribe(),
                link.active.subscribe(),
                link.consumers.clone(),
            );
            link.open(&mut state.net);
            state.subs.insert(id, link);
            Ok((id, watched))
        })?;
        if let Some(reader) = &reader {
            self.client.start_reader(reader, id)?;
        }
        let (ended, active, consumers) = watched;
        let mut subscription = Subscription {
            id,
            topic,
            partitions: Vec::new(),
            queue,
            ended,
            active,
            consumers,
            own_backoff,
            shared: shared.clone(),
            guard: client.guard.clone(),
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
