//! Where a subscription begins and how it is opened.

use super::*;

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
        let (id, ended, consumers) = shared.with(|state| {
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
            let consumers = link.consumers.clone();
            link.open(&mut state.net);
            state.subs.insert(id, link);
            Ok((id, ended, consumers))
        })?;
        let mut subscription = Subscription {
            id,
            topic,
            partitions: Vec::new(),
            queue,
            ended,
            consumers,
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
