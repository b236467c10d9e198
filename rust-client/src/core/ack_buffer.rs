use std::collections::{BTreeMap, VecDeque};

/// Bounds of a bundle by items and bytes, and of the number of bundles that wait for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub max_items: usize,
    pub max_bytes: usize,
    pub max_unsent: usize,
}

pub(crate) const ACK_LIMITS: Limits = Limits {
    max_items: 1_000,
    max_bytes: 32 << 10,
    max_unsent: 64,
};

/// What travels in one frame. `with` is what the driver keeps beside it.
#[derive(Debug)]
pub(crate) struct Bundle<I, X> {
    pub id: u64,
    pub items: Vec<I>,
    pub with: X,
    bytes: usize,
    was_sent: bool,
}

/// The settlements of one subscription on their way to the broker: packed into bundles, each kept until it is answered. What was under way
/// when a connection ended goes out again first, in its order. Bounded: when too many bundles wait for a connection, the oldest is
/// given up.
#[derive(Debug)]
pub(crate) struct AckBuffer<I, X> {
    limits: Limits,
    unsent: VecDeque<Bundle<I, X>>,
    /// By the order in which they were sent.
    under_way: BTreeMap<u64, Bundle<I, X>>,
    next_id: u64,
    open: bool,
    not_before_ms: u64,
}

impl<I, X: Default> AckBuffer<I, X> {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            unsent: VecDeque::new(),
            under_way: BTreeMap::new(),
            next_id: 0,
            open: false,
            not_before_ms: 0,
        }
    }

    /// Takes a settlement of that size; returns what is given up for it, mostly nothing.
    pub fn add(&mut self, item: I, bytes: usize) -> Option<Bundle<I, X>> {
        let fits = self.unsent.back().is_some_and(|last| {
            !last.was_sent
                && last.items.len() < self.limits.max_items
                && last.bytes + bytes <= self.limits.max_bytes
        });
        if !fits {
            self.unsent.push_back(Bundle {
                id: 0,
                items: Vec::new(),
                with: X::default(),
                bytes: 0,
                was_sent: false,
            });
        }
        let last = self.unsent.back_mut().expect("there is one");
        last.items.push(item);
        last.bytes += bytes;
        if self.unsent.len() > self.limits.max_unsent {
            self.unsent.pop_front()
        } else {
            None
        }
    }

    /// There is a connection.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// The connection is gone: what was under way waits again, before what came later.
    pub fn lost(&mut self) {
        self.open = false;
        for bundle in std::mem::take(&mut self.under_way).into_values().rev() {
            self.unsent.push_front(bundle);
        }
    }

    /// What goes out now, in this order; each has a new id.
    pub fn take(&mut self, now_ms: u64) -> impl Iterator<Item = &Bundle<I, X>> {
        let first = self.next_id + 1;
        if self.open && now_ms >= self.not_before_ms {
            for mut bundle in std::mem::take(&mut self.unsent) {
                self.next_id += 1;
                bundle.id = self.next_id;
                bundle.was_sent = true;
                self.under_way.insert(bundle.id, bundle);
            }
        }
        self.under_way.range(first..).map(|(_, bundle)| bundle)
    }

    /// The broker has answered it; nothing when it was not under way (any more).
    pub fn answered(&mut self, id: u64) -> Option<Bundle<I, X>> {
        self.under_way.remove(&id)
    }

    /// The broker refused what was just [`answered`](Self::answered), and it goes out again, not before that time.
    pub fn again(&mut self, bundle: Bundle<I, X>, at_ms: u64) {
        self.unsent.push_front(bundle);
        self.not_before_ms = at_ms;
    }

    /// Everything that has no answer, in the order in which it was settled.
    pub fn pending(&self) -> impl Iterator<Item = &Bundle<I, X>> {
        self.under_way.values().chain(self.unsent.iter())
    }

    /// Gives up everything: nothing will be answered any more.
    pub fn end(&mut self) -> VecDeque<Bundle<I, X>> {
        self.lost();
        std::mem::take(&mut self.unsent)
    }

    pub fn is_empty(&self) -> bool {
        self.unsent.is_empty() && self.under_way.is_empty()
    }

    /// Bundles that wait to be sent, and bundles that wait for their answer.
    #[cfg(test)]
    pub fn counts(&self) -> (usize, usize) {
        (self.unsent.len(), self.under_way.len())
    }
}
