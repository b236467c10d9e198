use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::client::Shared;
use crate::pb;
use crate::wire::{Batch, Records};
use crate::Message;

pub(crate) const ACCEPT: u32 = 0;
pub(crate) const NACK: u32 = 1;
const EXTEND: u32 = 2;
pub(crate) const TERM: u32 = 3;
pub(crate) const RELEASE: u32 = 4;

const REJECT_DELAY_MS: u32 = 1_000;
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
    selected: Vec<bool>,
    segment: pb::Segment,
    received: Instant,
    state: Mutex<Settlements>,
}

struct Settlements {
    lease_end: Instant,
    unsettled: Vec<bool>,
    left: usize,
    acked: Vec<bool>,
    some_acked: bool,
    others: Vec<pb::AckItem>,
    reported: bool,
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

    /// The next record that is for this subscription. What cannot be read goes back to the broker as failed.
    pub fn next(&mut self) -> Option<Message> {
        while self.index < self.from.selected.len() {
            let index = self.index;
            self.index += 1;
            if !self.from.selected[index] {
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
                Err(e) => self
                    .from
                    .settle(index, NACK, REJECT_DELAY_MS, &e.to_string()),
            }
        }
        None
    }

    pub fn is_over(&self) -> bool {
        !self
            .from
            .selected
            .iter()
            .skip(self.index)
            .any(|selected| *selected)
    }
}

impl Delivered {
    /// Records below `skip_before` are not for this subscription.
    pub fn new(inbox: Arc<Inbox>, batch: Batch, segment: pb::Segment, skip_before: u64) -> Self {
        let now = Instant::now();
        let picked = |i: usize| {
            segment.selected.is_empty()
                || segment
                    .selected
                    .get(i / 8)
                    .is_some_and(|byte| byte & 1 << (i % 8) != 0)
        };
        let base = segment.base_offset;
        let selected: Vec<bool> = (0..batch.count())
            .map(|i| picked(i) && base.saturating_add(i as u64) >= skip_before)
            .collect();
        let left = selected.iter().filter(|selected| **selected).count();
        let leased = segment.fence != 0;
        let state = Settlements {
            lease_end: now + Duration::from_millis(segment.lease_ms.into()),
            unsettled: if leased { selected.clone() } else { Vec::new() },
            left: if leased { left } else { 0 },
            acked: if leased {
                vec![false; selected.len()]
            } else {
                Vec::new()
            },
            some_acked: false,
            others: Vec::new(),
            reported: false,
        };
        Self {
            inbox,
            batch,
            partition: segment.partition,
            base,
            fence: segment.fence,
            selected,
            segment,
            received: now,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Settlements> {
        self.state.lock().expect("no panic under this lock")
    }

    pub fn selected_count(&self) -> usize {
        self.selected.iter().filter(|selected| **selected).count()
    }

    /// A record handed out now would probably not be settled before its lease ends.
    pub fn is_stale(&self) -> bool {
        let lease = Duration::from_millis(self.segment.lease_ms.into());
        self.fence != 0 && self.received.elapsed() > lease / 5 * 4
    }

    /// 1 for the first delivery; the wire may say it for each selected record.
    pub fn attempt(&self, index: usize) -> u32 {
        if !self.segment.attempts.is_empty() {
            let place = self.selected[..index]
                .iter()
                .filter(|selected| **selected)
                .count();
            if let Some(attempt) = self.segment.attempts.get(place) {
                return *attempt;
            }
        }
        self.segment.attempt.max(1)
    }

    pub fn settle(self: &Arc<Self>, index: usize, outcome: u32, delay_ms: u32, detail: &str) {
        let mut state = self.lock();
        if !state.unsettled.get(index).copied().unwrap_or(false) {
            return;
        }
        let detail = shortened(detail);
        state.unsettled[index] = false;
        state.left -= 1;
        if outcome == ACCEPT {
            state.acked[index] = true;
            state.some_acked = true;
        } else {
            state
                .others
                .push(self.item(index, index, outcome, delay_ms, detail));
        }
        self.report(state);
        if self.inbox.records.fetch_add(1, Ordering::Relaxed) + 1 == FLUSH_AT_RECORDS {
            self.inbox.ask_flush();
        }
    }

    pub fn extend(self: &Arc<Self>, index: usize, lease: Duration) {
        let lease = lease.min(MAX_LEASE);
        let mut state = self.lock();
        if !state.unsettled.get(index).copied().unwrap_or(false) {
            return;
        }
        let ms = u32::try_from(lease.as_millis()).unwrap_or(u32::MAX);
        state.others.push(self.item(index, index, EXTEND, ms, ""));
        state.lease_end = state.lease_end.max(Instant::now() + lease);
        self.report(state);
    }

    /// Gives back what is not settled from that record on.
    pub fn release(self: &Arc<Self>, from: usize) {
        let mut state = self.lock();
        let mut first = None;
        let mut some = false;
        for i in from..=state.unsettled.len() {
            let unsettled = state.unsettled.get(i).copied().unwrap_or(false);
            if unsettled {
                state.unsettled[i] = false;
                state.left -= 1;
                first.get_or_insert(i);
            } else if let Some(start) = first.take() {
                state.others.push(self.item(start, i - 1, RELEASE, 0, ""));
                some = true;
            }
        }
        if some {
            self.report(state);
        }
    }

    /// Tells the sender, once until it has collected.
    fn report(self: &Arc<Self>, mut state: MutexGuard<'_, Settlements>) {
        let first = !std::mem::replace(&mut state.reported, true);
        drop(state);
        if first {
            self.inbox
                .settled
                .lock()
                .expect("no panic under this lock")
                .push(self.clone());
        }
    }

    /// Takes what is to be sent. True when nothing of the batch is left to settle.
    pub fn collect(&self, items: &mut Vec<pb::AckItem>) -> bool {
        let mut state = self.lock();
        if std::mem::take(&mut state.some_acked) {
            let mut first = None;
            for i in 0..=state.acked.len() {
                if state.acked.get(i).copied().unwrap_or(false) {
                    state.acked[i] = false;
                    first.get_or_insert(i);
                } else if let Some(start) = first.take() {
                    items.push(self.item(start, i - 1, ACCEPT, 0, ""));
                }
            }
        }
        items.append(&mut state.others);
        state.reported = false;
        state.left == 0
    }

    pub fn lease_over(&self, now: Instant) -> bool {
        now > self.lock().lease_end
    }

    fn item(
        &self,
        first: usize,
        last: usize,
        outcome: u32,
        delay_ms: u32,
        detail: &str,
    ) -> pb::AckItem {
        pb::AckItem {
            partition: self.partition,
            first: self.base.saturating_add(first as u64),
            last: self.base.saturating_add(last as u64),
            fence: self.fence,
            outcome,
            delay_ms,
            detail: detail.to_owned(),
            ..pb::AckItem::default()
        }
    }
}
