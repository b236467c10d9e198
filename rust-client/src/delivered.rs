use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::client::Shared;
use crate::core::lease::{self, Lease, Selection, Settlement, RELEASE};
use crate::pb;
use crate::wire::{Batch, Records};
use crate::Message;

const FLUSH_AT_RECORDS: u32 = 256;
const MAX_LEASE: Duration = Duration::from_secs(12 * 60 * 60);
const MAX_REASON_CHARS: usize = 512;

/// A reason that keeps the frame small.
fn shortened(reason: &str) -> &str {
    reason
        .char_indices()
        .nth(MAX_REASON_CHARS)
        .map_or(reason, |(end, _)| &reason[..end])
}

/// Where messages say that they are settled, on whatever thread.
pub(crate) struct Inbox {
    pub shared: Arc<Shared>,
    pub topic: Arc<str>,
    pub records: AtomicU32,
    pub flush_wanted: AtomicBool,
    pub settled: Mutex<Vec<Arc<Delivered>>>,
}

impl Inbox {
    /// Has settlements and credit sent now.
    pub fn ask_flush(&self) {
        self.flush_wanted.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }
}

/// One batch as it was delivered: its bytes and what of it is settled.
pub(crate) struct Delivered {
    inbox: Arc<Inbox>,
    pub batch: Batch,
    pub partition: u32,
    pub base: u64,
    fence: u64,
    pub selection: Selection,
    lease: Mutex<Lease>,
    received_ms: u64,
    /// The broker's clock when it delivered, ms since 1970; 0 = it did not say.
    broker_ms: u64,
}

/// Where consuming tasks are in a batch.
pub(crate) struct Place {
    pub from: Arc<Delivered>,
    records: Records,
    pub index: usize,
}

impl Place {
    pub fn new(from: Arc<Delivered>) -> Self {
        Self {
            records: from.batch.records(),
            from,
            index: 0,
        }
    }

    /// The next record that is for this subscription. What cannot be read never will be; the broker hears that.
    pub fn next(&mut self) -> Option<Message> {
        while self.index < self.from.selection.len() {
            let index = self.index;
            self.index += 1;
            if !self.from.selection.has(index) {
                self.records.skip(&self.from.batch);
                continue;
            }
            match self.records.next(&self.from.batch) {
                Ok(view) => {
                    return Some(Message::new(
                        &self.from,
                        &self.from.inbox.topic,
                        index,
                        view,
                    ))
                }
                Err(e) => self.from.settle(index, Settlement::poison(&e.to_string())),
            }
        }
        None
    }

    pub fn is_over(&self) -> bool {
        !self.from.selection.has_from(self.index)
    }
}

impl Delivered {
    /// Records below `skip_before` are not for this subscription.
    pub fn new(
        inbox: Arc<Inbox>,
        batch: Batch,
        segment: &pb::Segment,
        skip_before: u64,
        (now_ms, broker_ms): (u64, u64),
    ) -> Self {
        let delivery = lease::Delivery {
            base_offset: segment.base_offset,
            count: batch.count(),
            selected: &segment.selected,
            leased: segment.fence != 0,
            lease_ms: segment.lease_ms,
            attempt: segment.attempt,
            attempts: segment.attempts.clone(),
            failures: segment.failures,
            skip_before,
        };
        let selection = Selection::new(&delivery);
        Self {
            inbox,
            batch,
            partition: segment.partition,
            base: segment.base_offset,
            fence: segment.fence,
            lease: Mutex::new(Lease::new(&delivery, &selection, now_ms)),
            selection,
            received_ms: now_ms,
            broker_ms,
        }
    }

    /// What is left until a time of the broker's clock; of this machine's, when the broker has not told its own.
    pub fn time_until(&self, unix_ms: u64) -> Duration {
        let now_ms = if self.broker_ms == 0 {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.map_or(0, |since| since.as_millis() as u64)
        } else {
            self.broker_ms + self.inbox.shared.now_ms().saturating_sub(self.received_ms)
        };
        Duration::from_millis(unix_ms.saturating_sub(now_ms))
    }

    fn lock(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().expect("no panic under this lock")
    }

    /// A record handed out now would probably not be settled before its lease ends.
    pub fn is_stale(&self) -> bool {
        self.fence != 0 && self.inbox.shared.now_ms() > self.lock().hand_out_until_ms()
    }

    pub fn settle(self: &Arc<Self>, index: usize, how: Settlement<'_>) {
        let detail = shortened(how.detail);
        let outcome = how.outcome;
        let settled = self.change(|lease| lease.settle(index, Settlement { detail, ..how }));
        if settled {
            self.inbox.shared.work.on_settled(outcome);
        }
        if settled && self.inbox.records.fetch_add(1, Ordering::Relaxed) + 1 == FLUSH_AT_RECORDS {
            self.inbox.ask_flush();
        }
    }

    pub fn extend(self: &Arc<Self>, index: usize, lease: Duration) {
        let ms = u32::try_from(lease.min(MAX_LEASE).as_millis()).unwrap_or(u32::MAX);
        let now = self.inbox.shared.now_ms();
        self.change(|lease| lease.extend(index, ms, now));
    }

    /// Gives back what is not settled from that record on.
    pub fn release(self: &Arc<Self>, from: usize) {
        self.change(|lease| lease.rest(from, RELEASE, 0));
    }

    /// Tells the sender, once until it has collected; false when there was nothing to change.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut Lease) -> bool) -> bool {
        let mut lease = self.lock();
        let changed = change(&mut lease);
        let first = changed && lease.must_report();
        drop(lease);
        if first {
            self.inbox
                .settled
                .lock()
                .expect("no panic under this lock")
                .push(self.clone());
        }
        changed
    }

    /// Takes what is to be sent. True when nothing of the batch is left to settle.
    pub fn collect(&self, items: &mut Vec<pb::AckItem>) -> bool {
        self.lock().collect(|each| {
            items.push(pb::AckItem {
                partition: self.partition,
                first: self.base.saturating_add(each.first as u64),
                last: self.base.saturating_add(each.last as u64),
                fence: self.fence,
                outcome: each.outcome,
                delay_ms: each.delay_ms,
                reason: each.reason,
                detail: each.detail,
                ..pb::AckItem::default()
            });
        })
    }

    pub fn lease_over(&self, now_ms: u64) -> bool {
        self.lock().is_over(now_ms)
    }
}
