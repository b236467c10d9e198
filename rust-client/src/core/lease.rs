/// Outcomes of the wire.
pub(crate) const ACCEPT: u32 = 0;
pub(crate) const NACK: u32 = 1;
pub(crate) const EXTEND: u32 = 2;
pub(crate) const TERM: u32 = 3;
pub(crate) const RELEASE: u32 = 4;

/// Reason of a TERM: the record could not be read.
const POISON: u32 = 1;

/// What is said of one record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settlement<'a> {
    pub outcome: u32,
    /// Of a nack; 0 = the group's backoff.
    pub delay_ms: u32,
    pub reason: u32,
    pub detail: &'a str,
}

impl<'a> Settlement<'a> {
    pub fn of(outcome: u32, delay_ms: u32, detail: &'a str) -> Self {
        Self {
            outcome,
            delay_ms,
            reason: 0,
            detail,
        }
    }

    /// It cannot be read, and never will.
    pub fn poison(detail: &'a str) -> Self {
        Self {
            outcome: TERM,
            delay_ms: 0,
            reason: POISON,
            detail,
        }
    }
}

/// What is said of records of a batch, by index, both inclusive.
#[derive(Debug)]
pub(crate) struct Settled {
    pub first: usize,
    pub last: usize,
    pub outcome: u32,
    /// Of a nack; of an extension the new lease.
    pub delay_ms: u32,
    pub reason: u32,
    pub detail: String,
}

impl Settled {
    fn range(first: usize, last: usize, outcome: u32, delay_ms: u32) -> Self {
        Self {
            first,
            last,
            outcome,
            delay_ms,
            reason: 0,
            detail: String::new(),
        }
    }
}

/// The delivery of one batch as the broker describes it.
#[derive(Debug, Default)]
pub(crate) struct Delivery<'a> {
    pub base_offset: u64,
    pub count: usize,
    /// Bitmap; empty = all.
    pub selected: &'a [u8],
    /// A reader without a group has no lease.
    pub leased: bool,
    pub lease_ms: u32,
    pub attempt: u32,
    /// Of the selected records, if they differ.
    pub attempts: Vec<u32>,
    /// Deliveries of these records that failed.
    pub failures: u32,
    /// A reader has had the records below this offset.
    pub skip_before: u64,
}

/// What of a delivery never changes: which records are for this subscription, and how often they were delivered.
#[derive(Debug)]
pub(crate) struct Selection {
    selected: Vec<bool>,
    attempt: u32,
    attempts: Vec<u32>,
    pub failures: u32,
}

impl Selection {
    pub fn new(delivery: &Delivery<'_>) -> Self {
        let picked = |i: usize| {
            let byte = delivery.selected.get(i / 8);
            delivery.selected.is_empty() || byte.is_some_and(|byte| byte & 1 << (i % 8) != 0)
        };
        let wanted =
            |i: usize| delivery.base_offset.saturating_add(i as u64) >= delivery.skip_before;
        Self {
            selected: (0..delivery.count)
                .map(|i| picked(i) && wanted(i))
                .collect(),
            attempt: delivery.attempt,
            attempts: delivery.attempts.clone(),
            failures: delivery.failures,
        }
    }

    pub fn len(&self) -> usize {
        self.selected.len()
    }

    pub fn has(&self, index: usize) -> bool {
        self.selected[index]
    }

    pub fn count(&self) -> usize {
        self.selected.iter().filter(|selected| **selected).count()
    }

    /// Whether there is one from that index on.
    pub fn has_from(&self, index: usize) -> bool {
        self.selected.iter().skip(index).any(|selected| *selected)
    }

    /// 1 for the first delivery; the wire may say it for each selected record.
    pub fn attempt(&self, index: usize) -> u32 {
        let place = || self.selected[..index].iter().filter(|selected| **selected);
        let own = (!self.attempts.is_empty()).then(|| self.attempts.get(place().count()));
        own.flatten().copied().unwrap_or(self.attempt.max(1))
    }
}

/// The lease of one delivered batch, and what of it is settled. A record is settled once; what comes later is ignored. Acks that touch
/// travel as one range. Times are ms of one monotonic clock.
#[derive(Debug)]
pub(crate) struct Lease {
    received_ms: u64,
    lease_ms: u32,
    end_ms: u64,
    unsettled: Vec<bool>,
    left: usize,
    acked: Vec<bool>,
    some_acked: bool,
    others: Vec<Settled>,
    reported: bool,
}

impl Lease {
    pub fn new(delivery: &Delivery<'_>, selection: &Selection, now_ms: u64) -> Self {
        let leased = delivery.leased;
        Self {
            received_ms: now_ms,
            lease_ms: delivery.lease_ms,
            end_ms: now_ms + u64::from(delivery.lease_ms),
            unsettled: if leased {
                selection.selected.clone()
            } else {
                Vec::new()
            },
            left: if leased { selection.count() } else { 0 },
            acked: if leased {
                vec![false; delivery.count]
            } else {
                Vec::new()
            },
            some_acked: false,
            others: Vec::new(),
            reported: false,
        }
    }

    /// A record handed out later would probably not be settled before its lease ends.
    pub fn hand_out_until_ms(&self) -> u64 {
        self.received_ms + u64::from(self.lease_ms) * 80 / 100
    }

    pub fn is_over(&self, now_ms: u64) -> bool {
        now_ms > self.end_ms
    }

    /// Settles one record. False when it was settled before, is not for this subscription, or there is no lease.
    pub fn settle(&mut self, index: usize, how: Settlement<'_>) -> bool {
        if !self.is_open(index) {
            return false;
        }
        self.unsettled[index] = false;
        self.left -= 1;
        if how.outcome == ACCEPT {
            self.acked[index] = true;
            self.some_acked = true;
        } else {
            self.others.push(Settled {
                reason: how.reason,
                detail: how.detail.to_owned(),
                ..Settled::range(index, index, how.outcome, how.delay_ms)
            });
        }
        true
    }

    /// Asks for a longer lease of one record. False when it is settled, or there is no lease.
    pub fn extend(&mut self, index: usize, lease_ms: u32, now_ms: u64) -> bool {
        if !self.is_open(index) {
            return false;
        }
        self.others
            .push(Settled::range(index, index, EXTEND, lease_ms));
        self.end_ms = self.end_ms.max(now_ms + u64::from(lease_ms));
        true
    }

    fn is_open(&self, index: usize) -> bool {
        self.unsettled.get(index).copied().unwrap_or(false)
    }

    /// Settles what is not settled from that record on. False when there is nothing, or no lease.
    pub fn rest(&mut self, from: usize, outcome: u32, delay_ms: u32) -> bool {
        let before = self.others.len();
        let open = self.unsettled.get_mut(from..).unwrap_or_default();
        for (first, last) in runs(open) {
            self.others
                .push(Settled::range(from + first, from + last, outcome, delay_ms));
            self.left -= last + 1 - first;
        }
        open.fill(false);
        self.others.len() > before
    }

    /// Whether this is the first settlement since the last [`collect`](Self::collect): the batch has to be announced.
    pub fn must_report(&mut self) -> bool {
        !std::mem::replace(&mut self.reported, true)
    }

    /// Passes on what is to be sent, acks first. True when nothing of the batch is left to settle.
    pub fn collect(&mut self, mut send: impl FnMut(Settled)) -> bool {
        if self.some_acked {
            for (first, last) in runs(&self.acked) {
                send(Settled::range(first, last, ACCEPT, 0));
            }
            self.acked.fill(false);
            self.some_acked = false;
        }
        self.others.drain(..).for_each(send);
        self.reported = false;
        self.left == 0
    }
}

/// The runs of members, both ends inclusive.
fn runs(set: &[bool]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut i = 0;
    while i < set.len() {
        if set[i] {
            let first = i;
            while i + 1 < set.len() && set[i + 1] {
                i += 1;
            }
            runs.push((first, i));
        }
        i += 1;
    }
    runs
}
