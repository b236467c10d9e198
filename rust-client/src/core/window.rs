/// State of a broker, from well to worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// At ease.
    Normal,
    /// It takes all, and should not have more.
    Elevated,
    /// It asks to wait.
    Throttled,
    /// It refuses what can be refused.
    Overloaded,
    /// It stores nothing.
    ReadOnly,
}

impl Pressure {
    /// Unknown ones count as overloaded.
    pub(crate) fn of(wire: i32) -> Self {
        match wire {
            0 => Self::Normal,
            1 => Self::Elevated,
            2 => Self::Throttled,
            4 => Self::ReadOnly,
            _ => Self::Overloaded,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Elevated => "ELEVATED",
            Self::Throttled => "THROTTLED",
            Self::Overloaded => "OVERLOADED",
            Self::ReadOnly => "READ_ONLY",
        }
    }
}

/// Why the window shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Elevated,
    Throttled,
    Overloaded,
    Timeout,
}

const INITIAL: usize = 16;
const MIN: usize = 1;
const MAX: usize = 256;
const COOLDOWN_MS: u64 = 100;

/// How many batches may be unanswered on a connection: grows by one per full window of acks while it is used and the broker is
/// at ease, shrinks by a share on pressure (additive increase, multiplicative decrease: Chiu and Jain). After a refusal of the whole
/// connection one batch goes first, and each ack lets one more go until the window is full.
#[derive(Debug)]
pub(crate) struct Window {
    limit: usize,
    /// How many may be unanswered while it fills again.
    ramp: Option<usize>,
    acks: usize,
    last_shrink_ms: Option<u64>,
    state: Pressure,
}

impl Window {
    pub fn new() -> Self {
        Self {
            limit: INITIAL,
            ramp: None,
            acks: 0,
            last_shrink_ms: None,
            state: Pressure::Normal,
        }
    }

    pub fn limit(&self) -> usize {
        self.ramp.map_or(self.limit, |ramp| ramp.min(self.limit))
    }

    /// What was sent was refused because of all that this connection sends.
    pub fn on_refused(&mut self) {
        self.ramp = Some(1);
    }

    /// The broker's state; the window grows in normal only.
    pub fn on_state(&mut self, state: Pressure) {
        self.state = state;
    }

    /// `in_flight`: batches unanswered when the ack came, itself among them.
    pub fn on_ack(&mut self, in_flight: usize) {
        if let Some(ramp) = self.ramp {
            self.ramp = Some(ramp + 1).filter(|ramp| *ramp < self.limit);
            return;
        }
        if self.state != Pressure::Normal || in_flight * 2 < self.limit {
            return;
        }
        self.acks += 1;
        if self.acks >= self.limit {
            self.acks = 0;
            self.limit = MAX.min(self.limit + 1);
        }
    }

    /// Shrinks, at most once in 100 ms.
    pub fn on_signal(&mut self, signal: Signal, now_ms: u64) {
        if self
            .last_shrink_ms
            .is_some_and(|last| now_ms.saturating_sub(last) < COOLDOWN_MS)
        {
            return;
        }
        let keep = if signal == Signal::Elevated { 9 } else { 7 };
        self.limit = MIN.max(self.limit * keep / 10);
        self.acks = 0;
        self.last_shrink_ms = Some(now_ms);
    }
}
