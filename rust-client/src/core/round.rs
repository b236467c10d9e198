use std::collections::VecDeque;

const MAX_REDIRECTS: u32 = 3;

/// One round of the endpoints: which are still to be tried, and what those that were tried have said.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub rest: VecDeque<usize>,
    pub unreachable: Vec<usize>,
    redirects: u32,
    /// A node is well, but does not lead.
    pub seen_follower: bool,
    /// The longest pause that such a node has asked for.
    pub retry_after_ms: u64,
}

impl Round {
    pub fn new(order: impl IntoIterator<Item = usize>) -> Self {
        Self {
            rest: order.into_iter().collect(),
            ..Self::default()
        }
    }

    /// It is tried out of its turn, or not at all.
    pub fn remove(&mut self, candidate: usize) {
        self.rest.retain(|each| *each != candidate);
    }

    /// A node says that another leads. Whether it is to be believed: not for ever, and not when that one was just not there.
    pub fn may_follow(&mut self, to: usize) -> bool {
        if self.redirects == MAX_REDIRECTS || self.unreachable.contains(&to) {
            return false;
        }
        self.redirects += 1;
        true
    }

    pub fn saw_follower(&mut self, retry_after_ms: u64) {
        self.seen_follower = true;
        self.retry_after_ms = self.retry_after_ms.max(retry_after_ms);
    }
}
