use super::Backoff;

const CAPACITY: u32 = 500;
const COST_TRANSIENT: u32 = 14;
const COST_THROTTLE: u32 = 5;

/// Tokens that retries cost and successes bring back, so that retries stay a small share of the load when everything fails
/// (the AWS SDKs' standard retry quota). One per client.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    pub(super) tokens: u32,
}

impl RetryBudget {
    pub fn new() -> Self {
        Self { tokens: CAPACITY }
    }

    /// Takes what a retry costs; 0 = refused, otherwise the cost, to be given to `on_success` later.
    pub fn take(&mut self, kind: Backoff) -> u32 {
        let cost = match kind {
            Backoff::Transient => COST_TRANSIENT,
            Backoff::Throttle => COST_THROTTLE,
        };
        if self.tokens < cost {
            return 0;
        }
        self.tokens -= cost;
        cost
    }

    /// A call succeeded; `held` is the cost of its last retry, 0 when it was a first attempt.
    pub fn on_success(&mut self, held: u32) {
        self.tokens = CAPACITY.min(self.tokens + held.max(1));
    }
}
