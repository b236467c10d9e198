/// The largest random number r.
pub(crate) const MAX_R: u32 = 65_535;

/// A random share of a maximum: r from 0 to [`MAX_R`] chooses it.
pub(crate) fn scaled(maximum: u64, r: u32) -> u64 {
    maximum * u64::from(r) / u64::from(MAX_R)
}

/// Which first delay an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backoff {
    Transient,
    Throttle,
}

/// Capped exponential delay with full jitter (Brooker, "Exponential Backoff and Jitter"), never sooner than the peer asked
/// for. Times are in ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffConfig {
    base_ms: u64,
    throttle_base_ms: u64,
    cap_ms: u64,
    retry_after_slack_ms: u64,
    pub min_attempt_ms: u64,
}

/// For requests.
pub(crate) const REQUESTS: BackoffConfig = BackoffConfig {
    base_ms: 50,
    throttle_base_ms: 1_000,
    cap_ms: 5_000,
    retry_after_slack_ms: 5_000,
    min_attempt_ms: 50,
};

/// For connections.
pub(crate) const CONNECTS: BackoffConfig = BackoffConfig {
    base_ms: 100,
    cap_ms: 10_000,
    ..REQUESTS
};

impl BackoffConfig {
    /// Delay before retry number `retry_no` (1 = the first), whatever the deadline.
    pub fn delay(&self, kind: Backoff, retry_no: u32, r: u32, retry_after_ms: u64) -> u64 {
        let base = match kind {
            Backoff::Transient => self.base_ms,
            Backoff::Throttle => self.throttle_base_ms,
        };
        let top = self.cap_ms.min(base << retry_no.saturating_sub(1).min(40));
        self.at_least(scaled(top, r), retry_after_ms)
    }

    /// Makes a delay no shorter than the peer asked for, within the slack.
    pub fn at_least(&self, delay_ms: u64, retry_after_ms: u64) -> u64 {
        delay_ms.max(retry_after_ms.min(delay_ms + self.retry_after_slack_ms))
    }
}
