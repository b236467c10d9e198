use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Instant;

use prost::Message as _;
use tokio::sync::watch;

use crate::codes;
use crate::delivered::{Delivered, Inbox, RELEASE};
use crate::error::item_errors;
use crate::net::{Net, Waiting};
use crate::pb;
use crate::wire::Kind;
use crate::{Error, LostLeases};

const MAX_BUNDLE_ITEMS: usize = 1_000;
const MAX_BUNDLE_BYTES: usize = 32 << 10;
const MAX_UNSENT_BUNDLES: usize = 64;

pub(crate) type OnLostLeases = Option<Arc<dyn Fn(LostLeases) + Send + Sync>>;

/// What travels in one frame.
struct Bundle {
    frame: pb::Ack,
    bytes: usize,
    failures: u32,
    retry_cost: u32,
    was_sent: bool,
    /// Dropped once the broker has answered, or it was given up.
    done: watch::Sender<()>,
}

/// Sends the settlements of one subscription, many at a time, and keeps each until the broker has confirmed it; across a reconnect
/// they go out again, and their fences tell whether they still count.
pub(crate) struct AckSender {
    sub: u64,
    pub inbox: Arc<Inbox>,
    on_lost: OnLostLeases,
    /// Batches with something to settle, by their address.
    live: BTreeMap<usize, Arc<Delivered>>,
    unsent: VecDeque<Bundle>,
    under_way: BTreeMap<u64, Bundle>,
    channel: Option<u16>,
    not_before: Option<Instant>,
}

fn address(batch: &Arc<Delivered>) -> usize {
    Arc::as_ptr(batch) as usize
}

impl AckSender {
    pub fn new(sub: u64, inbox: Arc<Inbox>, on_lost: OnLostLeases) -> Self {
        Self {
            sub,
            inbox,
            on_lost,
            live: BTreeMap::new(),
            unsent: VecDeque::new(),
            under_way: BTreeMap::new(),
            channel: None,
            not_before: None,
        }
    }

    pub fn on_delivered(&mut self, batch: &Arc<Delivered>) {
        self.live.insert(address(batch), batch.clone());
    }

    pub fn on_open(&mut self, net: &mut Net, channel: u16) {
        self.channel = Some(channel);
        self.flush(net);
    }

    pub fn on_lost(&mut self) {
        self.channel = None;
        let under_way = std::mem::take(&mut self.under_way);
        under_way
            .into_values()
            .rev()
            .for_each(|bundle| self.unsent.push_front(bundle));
    }

    /// Sends settlements that have waited, and forgets batches whose leases are over.
    pub fn tick(&mut self, net: &mut Net, now: Instant) {
        self.flush(net);
        self.live.retain(|_, batch| !batch.lease_over(now));
    }

    pub fn flush(&mut self, net: &mut Net) {
        self.inbox.records.store(0, Ordering::Relaxed);
        let settled =
            std::mem::take(&mut *self.inbox.settled.lock().expect("no panic under this lock"));
        let mut items = Vec::new();
        for batch in settled {
            if batch.collect(&mut items) {
                self.live.remove(&address(&batch));
            }
        }
        for item in items {
            self.pack(net, item);
        }
        self.send(net);
    }

    /// Adds a settlement that no message made.
    pub fn add(&mut self, net: &mut Net, item: pb::AckItem) {
        self.pack(net, item);
        self.send(net);
    }

    fn pack(&mut self, net: &mut Net, item: pb::AckItem) {
        let size = item.encoded_len();
        let fits = self.unsent.back().is_some_and(|last| {
            !last.was_sent
                && last.frame.items.len() < MAX_BUNDLE_ITEMS
                && last.bytes + size <= MAX_BUNDLE_BYTES
        });
        if !fits {
            self.unsent.push_back(Bundle {
                frame: pb::Ack {
                    items: Vec::new(),
                    want_result: true,
                },
                bytes: 0,
                failures: 0,
                retry_cost: 0,
                was_sent: false,
                done: watch::Sender::new(()),
            });
        }
        let last = self.unsent.back_mut().expect("there is one");
        last.frame.items.push(item);
        last.bytes += size;
        if self.unsent.len() > MAX_UNSENT_BUNDLES {
            let oldest = self.unsent.pop_front().expect("there are many");
            let error = Error::new(
                codes::CONNECTION_LOST,
                format!("settlements for {} were given up", self.inbox.topic),
                format!(
                    "too many wait for a connection: {}",
                    net.disconnected_because()
                ),
                "the records will be delivered again",
            );
            self.fail(net, &oldest, &error);
        }
    }

    fn send(&mut self, net: &mut Net) {
        let due = self.not_before.is_none_or(|at| Instant::now() >= at);
        let Some(channel) = self.channel.filter(|_| due) else {
            return;
        };
        while let Some(mut bundle) = self.unsent.pop_front() {
            bundle.was_sent = true;
            let id = net.id();
            let Some(conn) = net.conn.as_mut() else {
                self.unsent.push_front(bundle);
                return;
            };
            conn.request(
                Kind::ACK,
                channel,
                &bundle.frame,
                Waiting::Ack {
                    sub: self.sub,
                    bundle: id,
                },
            );
            self.under_way.insert(id, bundle);
        }
    }

    pub fn on_answer(&mut self, net: &mut Net, id: u64, answer: Result<pb::AckResult, pb::Error>) {
        let Some(mut bundle) = self.under_way.remove(&id) else {
            return;
        };
        match answer {
            Ok(result) => {
                net.on_success(bundle.retry_cost);
                item_errors(result.errors, |range, error| {
                    for item in bundle.frame.items.iter().take(range.end).skip(range.start) {
                        self.lost(net, item, &error);
                    }
                });
            }
            Err(e) => {
                bundle.failures += 1;
                let verdict =
                    net.after_read(&e, bundle.failures, std::time::Duration::from_secs(10));
                if verdict.again {
                    bundle.retry_cost = verdict.cost;
                    self.not_before = Some(Instant::now() + verdict.delay);
                    self.unsent.push_front(bundle);
                } else {
                    self.fail(net, &bundle, &Error::from_wire(&verdict.error));
                }
            }
        }
    }

    fn fail(&self, net: &mut Net, bundle: &Bundle, cause: &Error) {
        bundle
            .frame
            .items
            .iter()
            .for_each(|item| self.lost(net, item, cause));
    }

    fn lost(&self, net: &mut Net, item: &pb::AckItem, cause: &Error) {
        if item.outcome == RELEASE {
            return; // given back already, and nobody here has done anything with it
        }
        if let Some(tell) = self.on_lost.clone() {
            let lost = LostLeases {
                topic: self.inbox.topic.to_string(),
                partition: item.partition,
                first_offset: item.first,
                last_offset: item.last,
                cause: cause.clone(),
            };
            net.deferred.push(Box::new(move || tell(lost)));
        }
    }

    /// What everything settled up to now, and without answer yet, waits for: each ends when its sender is dropped.
    pub fn collect(&mut self, net: &mut Net) -> Vec<watch::Receiver<()>> {
        self.flush(net);
        self.unsent
            .iter()
            .chain(self.under_way.values())
            .map(|bundle| bundle.done.subscribe())
            .collect()
    }

    /// Gives back everything that was delivered and is not settled.
    pub fn release_all(&self) {
        self.live.values().for_each(|batch| batch.release(0));
    }

    /// Whether messages wait to be settled or settlements for their answer.
    pub fn is_busy(&self) -> bool {
        !self.live.is_empty() || self.has_unconfirmed()
    }

    /// Whether settlements wait for their answer.
    pub fn has_unconfirmed(&self) -> bool {
        let waiting = !self
            .inbox
            .settled
            .lock()
            .expect("no panic under this lock")
            .is_empty();
        waiting || !self.unsent.is_empty() || !self.under_way.is_empty()
    }

    pub fn end(&mut self, net: &mut Net, cause: &Error) {
        self.on_lost();
        for bundle in std::mem::take(&mut self.unsent) {
            self.fail(net, &bundle, cause);
        }
    }
}
