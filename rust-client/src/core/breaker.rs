use super::scaled;

/// Where a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Closed,
    Open,
    HalfOpen,
}

/// How a failed call counts, as the error registry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ignore,
    Failed,
    ConnectFailed,
}

const BUCKETS: usize = 10;
const BUCKET_MS: u64 = 1_000;
const MIN_CALLS: u32 = 20;
const FAILURE_PERCENT: u32 = 50;
const SLOW_PERCENT: u32 = 80;
const SLOW_MS: u64 = 2_000;
const CONNECT_FAILURES: u32 = 5;
const OPEN_BASE_MS: u64 = 5_000;
const OPEN_CAP_MS: u64 = 60_000;
const PROBES: u32 = 3;
const RESET_AFTER_CLOSED_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    number: Option<u64>,
    calls: u32,
    failed: u32,
    slow: u32,
}

/// Circuit breaker of one endpoint (Nygard, "Release It!"): opens on connection failures in a row, or on the share of failed or
/// slow calls in a sliding window, and probes after a jittered time that doubles.
#[derive(Debug)]
pub(crate) struct Breaker {
    window: [Bucket; BUCKETS],
    state: State,
    connect_failures: u32,
    times_opened: u32,
    open_until_ms: u64,
    probes_left: u32,
    probe_successes: u32,
    closed_at_ms: u64,
}

impl Breaker {
    pub fn new() -> Self {
        Self {
            window: [Bucket::default(); BUCKETS],
            state: State::Closed,
            connect_failures: 0,
            times_opened: 0,
            open_until_ms: 0,
            probes_left: 0,
            probe_successes: 0,
            closed_at_ms: 0,
        }
    }

    pub fn state(&self) -> State {
        self.state
    }

    #[cfg(test)]
    pub fn open_until_ms(&self) -> u64 {
        self.open_until_ms
    }

    /// Whether it is open at this time; changes nothing.
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.state == State::Open && now_ms < self.open_until_ms
    }

    /// Whether a call may go; half-open it takes one of the probes.
    pub fn allow(&mut self, now_ms: u64) -> bool {
        if self.state == State::Open && now_ms >= self.open_until_ms {
            self.state = State::HalfOpen;
            self.probes_left = PROBES;
            self.probe_successes = 0;
        }
        match self.state {
            State::Closed => true,
            State::HalfOpen if self.probes_left > 0 => {
                self.probes_left -= 1;
                true
            }
            _ => false,
        }
    }

    pub fn on_success(&mut self, now_ms: u64, latency_ms: u64) {
        self.count(now_ms, None, latency_ms, 0);
    }

    /// `Ignore` counts nowhere and gives a probe back.
    pub fn on_failure(&mut self, now_ms: u64, outcome: Outcome, latency_ms: u64, r: u32) {
        if outcome != Outcome::Ignore {
            self.count(now_ms, Some(outcome), latency_ms, r);
        } else if self.state == State::HalfOpen {
            self.probes_left += 1;
        }
    }

    fn count(&mut self, now_ms: u64, failure: Option<Outcome>, latency_ms: u64, r: u32) {
        match self.state {
            State::Open => {}
            State::HalfOpen if failure.is_some() => self.open(now_ms, r),
            State::HalfOpen => {
                self.probe_successes += 1;
                if self.probe_successes >= PROBES {
                    self.state = State::Closed;
                    self.closed_at_ms = now_ms;
                    self.connect_failures = 0;
                    self.window = [Bucket::default(); BUCKETS];
                }
            }
            State::Closed => self.count_closed(now_ms, failure, latency_ms, r),
        }
    }

    fn count_closed(&mut self, now_ms: u64, failure: Option<Outcome>, latency_ms: u64, r: u32) {
        if self.times_opened > 0
            && now_ms.saturating_sub(self.closed_at_ms) >= RESET_AFTER_CLOSED_MS
        {
            self.times_opened = 0;
        }
        let number = now_ms / BUCKET_MS;
        let bucket = &mut self.window[usize::try_from(number % BUCKETS as u64).unwrap_or(0)];
        if bucket.number != Some(number) {
            *bucket = Bucket {
                number: Some(number),
                ..Bucket::default()
            };
        }
        bucket.calls += 1;
        bucket.failed += u32::from(failure.is_some());
        bucket.slow += u32::from(latency_ms >= SLOW_MS);
        self.connect_failures = if failure == Some(Outcome::ConnectFailed) {
            self.connect_failures + 1
        } else {
            0
        };
        if self.must_open(number) {
            self.open(now_ms, r);
        }
    }

    fn must_open(&self, now: u64) -> bool {
        let recent = self
            .window
            .iter()
            .filter(|b| b.number.is_some_and(|n| n + (BUCKETS as u64) > now));
        let (mut calls, mut failed, mut slow) = (0, 0, 0);
        for bucket in recent {
            calls += bucket.calls;
            failed += bucket.failed;
            slow += bucket.slow;
        }
        self.connect_failures >= CONNECT_FAILURES
            || calls >= MIN_CALLS
                && (failed * 100 >= FAILURE_PERCENT * calls || slow * 100 >= SLOW_PERCENT * calls)
    }

    fn open(&mut self, now_ms: u64, r: u32) {
        self.times_opened += 1;
        let open = OPEN_CAP_MS.min(OPEN_BASE_MS << (self.times_opened - 1).min(20));
        let half = open / 2;
        self.open_until_ms = now_ms + half + scaled(open - half, r);
        self.state = State::Open;
        self.connect_failures = 0;
        self.window = [Bucket::default(); BUCKETS];
    }
}

#[cfg(test)]
pub(crate) use State as BreakerState;
