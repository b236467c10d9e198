use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use prost::Message as _;
use tokio::sync::watch;

use crate::codes;
use crate::conn::Waiting;
use crate::core::lease::RELEASE;
use crate::core::{AckBuffer, Bundle, ACK_LIMITS};
use crate::delivered::{Delivered, Inbox};
use crate::error::item_errors;
use crate::net::{waits_for_leader, Net};
use crate::pb;
use crate::wire::Kind;
use crate::{Error, LostLeases};

pub(crate) type OnLostLeases = Option<Arc<dyn Fn(LostLeases) + Send + Sync>>;

/// What is kept of a bundle on its way.
#[derive(Debug)]
struct Shipment {
    failures: u32,
    retry_cost: u32,
    /// Dropped once the broker has answered or it was given up, and what was lost of it was told.
    done: watch::Sender<()>,
}

impl Default for Shipment {
    fn default() -> Self {
        Self {
            failures: 0,
            retry_cost: 0,
            done: watch::Sender::new(()),
        }
    }
}

/// Sends the settlements of one subscription, many at a time, and keeps each until the broker has confirmed it; across a reconnect
/// they go out again, and their fences tell whether they still count.
pub(crate) struct AckSender {
    sub: u64,
    pub inbox: Arc<Inbox>,
    on_lost: OnLostLeases,
    /// Batches with something to settle, by their address.
    live: BTreeMap<usize, Arc<Delivered>>,
    buffer: AckBuffer<pb::AckItem, Shipment>,
    conn: Option<u64>,
    channel: u16,
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
            buffer: AckBuffer::new(ACK_LIMITS),
            conn: None,
            channel: 0,
        }
    }

    pub fn on_delivered(&mut self, batch: &Arc<Delivered>) {
        self.live.insert(address(batch), batch.clone());
    }

    pub fn on_open(&mut self, net: &mut Net, conn: Option<u64>, channel: u16) {
        self.conn = conn;
        self.channel = channel;
        self.buffer.open();
        self.flush(net);
    }

    pub fn on_lost(&mut self) {
        self.conn = None;
        self.buffer.lost();
    }

    /// Sends settlements that have waited, and forgets batches whose leases are over.
    pub fn tick(&mut self, net: &mut Net) {
        self.flush(net);
        let now = net.now_ms();
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
        if let Some(oldest) = self.buffer.add(item, size) {
            let error = Error::new(
                codes::CONNECTION_LOST,
                format!("settlements for {} were given up", self.inbox.topic),
                format!(
                    "too many wait for a connection: {}",
                    net.disconnected_because()
                ),
                "the records will be delivered again",
            );
            self.give_up(net, oldest, &error);
        }
    }

    fn send(&mut self, net: &mut Net) {
        let now = net.now_ms();
        let Some(conn) = net.conn(self.conn) else {
            return;
        };
        for bundle in self.buffer.take(now) {
            let header = pb::Ack {
                items: bundle.items.clone(),
                want_result: true,
            };
            let waiting = Waiting::Ack {
                sub: self.sub,
                bundle: bundle.id,
            };
            conn.request(Kind::ACK, self.channel, &header, waiting);
        }
    }

    pub fn on_answer(&mut self, net: &mut Net, id: u64, answer: Result<pb::AckResult, pb::Error>) {
        let Some(mut bundle) = self.buffer.answered(id) else {
            return;
        };
        match answer {
            Ok(result) => {
                net.on_success(bundle.with.retry_cost);
                item_errors(result.errors, |range, error| {
                    for item in bundle.items.iter().take(range.end).skip(range.start) {
                        self.lost(net, item, &error);
                    }
                });
                Self::arrived(net, bundle);
            }
            Err(e) => {
                bundle.with.failures += u32::from(!waits_for_leader(&e));
                let failures = bundle.with.failures;
                let verdict = net.after_read(&e, failures, std::time::Duration::from_secs(10));
                if verdict.again {
                    bundle.with.retry_cost = verdict.cost;
                    let at = net.now_ms() + verdict.delay.as_millis() as u64;
                    self.buffer.again(bundle, at);
                } else {
                    self.give_up(net, bundle, &Error::from_wire(&verdict.error));
                }
            }
        }
    }

    fn give_up(&self, net: &mut Net, bundle: Bundle<pb::AckItem, Shipment>, cause: &Error) {
        bundle
            .items
            .iter()
            .for_each(|item| self.lost(net, item, cause));
        Self::arrived(net, bundle);
    }

    /// Lets those go on who wait for the bundle, once they have heard what of it was lost.
    fn arrived(net: &mut Net, bundle: Bundle<pb::AckItem, Shipment>) {
        net.deferred.push(Box::new(move || drop(bundle.with.done)));
    }

    fn lost(&self, net: &mut Net, item: &pb::AckItem, cause: &Error) {
        if item.outcome == RELEASE {
            return; // given back already, and nobody here has done anything with it
        }
        let (partition, first, last) = (item.partition, item.first, item.last);
        tracing::warn!(topic = %self.inbox.topic, partition, first, last, cause = %cause, "settlement lost");
        if let Some(tell) = self.on_lost.clone() {
            let leases = LostLeases {
                topic: self.inbox.topic.to_string(),
                partition: item.partition,
                first_offset: item.first,
                last_offset: item.last,
                cause: cause.clone(),
            };
            net.deferred.push(Box::new(move || tell(leases)));
        }
    }

    /// What everything settled up to now, and without answer yet, waits for: each ends when its sender is dropped.
    pub fn collect(&mut self, net: &mut Net) -> Vec<watch::Receiver<()>> {
        self.flush(net);
        self.buffer
            .pending()
            .map(|bundle| bundle.with.done.subscribe())
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
        waiting || !self.buffer.is_empty()
    }

    /// Whether a settlement that matters has no answer; what was only given back does not.
    pub fn is_owed(&mut self, net: &mut Net) -> bool {
        self.flush(net);
        self.buffer
            .pending()
            .any(|bundle| bundle.items.iter().any(|item| item.outcome != RELEASE))
    }

    pub fn end(&mut self, net: &mut Net, cause: &Error) {
        self.conn = None;
        for bundle in self.buffer.end() {
            self.give_up(net, bundle, cause);
        }
    }
}
