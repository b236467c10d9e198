use super::Pressure;

/// Reason of pressure that this side gives, as on the wire.
const QUOTA: u32 = 1;
const MAX_GATE_MS: u64 = 30_000;
const MIN_VALID_MS: u64 = 3_000;
const REFUSAL_STANDS_MS: u64 = 1_000;

/// What is known of a broker's pressure: on a connection, or on one publisher. What a broker says stands for the time it says, so
/// that a word that never comes blocks nobody for ever. Each event returns whether something changed that is worth telling: the
/// state, its reasons or its scope.
#[derive(Debug)]
pub(crate) struct PressureView {
    pub state: Pressure,
    /// The first is the cause.
    pub reasons: Vec<u32>,
    pub scope: String,
    seq: u64,
    gate_ms: u64,
    until_ms: u64,
    /// It is what a refusal said, and the next success ends it.
    refused: bool,
}

impl Default for PressureView {
    fn default() -> Self {
        Self {
            state: Pressure::Normal,
            reasons: Vec::new(),
            scope: String::new(),
            seq: 0,
            gate_ms: 0,
            until_ms: 0,
            refused: false,
        }
    }
}

/// What a broker says.
#[derive(Debug)]
pub(crate) struct PressureSignal<'a> {
    /// Older ones count no more; 0 is always new.
    pub seq: u64,
    pub state: Pressure,
    pub reasons: Vec<u32>,
    pub scope: &'a str,
    pub retry_after_ms: u64,
    /// 0: three times `retry_after_ms`, at least 3 s.
    pub valid_for_ms: u64,
}

impl PressureView {
    /// Nothing is known any more, and nothing has to wait.
    pub fn is_over(&self, now_ms: u64) -> bool {
        self.state == Pressure::Normal && now_ms >= self.gate_ms
    }

    /// How long nothing should be sent.
    pub fn retry_after_ms(&self, now_ms: u64) -> u64 {
        self.gate_ms.saturating_sub(now_ms)
    }

    /// To a broker that was in this state when the session began.
    pub fn connected(&mut self, state: Pressure, now_ms: u64) -> bool {
        self.seq = 0;
        self.gate_ms = now_ms;
        self.refused = false;
        if state == Pressure::Normal {
            return self.clear();
        }
        self.set(state, Vec::new(), "connection", now_ms + MIN_VALID_MS)
    }

    pub fn signal(&mut self, s: PressureSignal<'_>, now_ms: u64) -> bool {
        if s.seq > 0 && s.seq <= self.seq {
            return false;
        }
        self.seq = self.seq.max(s.seq);
        self.refused = false;
        if s.state == Pressure::Normal && s.retry_after_ms == 0 {
            self.gate_ms = now_ms;
            return self.clear();
        }
        if s.state != Pressure::Elevated {
            self.gate_ms = now_ms + s.retry_after_ms.min(MAX_GATE_MS);
        }
        let state = match s.state {
            Pressure::Normal => Pressure::Throttled,
            state => state,
        };
        let valid = match s.valid_for_ms {
            0 => (3 * s.retry_after_ms).max(MIN_VALID_MS),
            valid => valid,
        };
        let until = (now_ms + valid).max(self.gate_ms);
        self.set(state, s.reasons, s.scope, until)
    }

    /// An ack carries a state, too. It ends a refusal whose time is over, and no signal: what is over is said by another one.
    pub fn ack(&mut self, state: Pressure, throttle_ms: u64, now_ms: u64) -> bool {
        let ended = self.refused && now_ms >= self.gate_ms && self.clear();
        if state == Pressure::Normal && throttle_ms == 0 {
            return ended;
        }
        let (state, reasons) = match state {
            Pressure::Normal => (Pressure::Throttled, vec![QUOTA]),
            state => (state, Vec::new()),
        };
        if state != Pressure::Elevated {
            self.gate_ms = self.gate_ms.max(now_ms + throttle_ms.min(MAX_GATE_MS));
        }
        let until = now_ms + (3 * throttle_ms).max(MIN_VALID_MS);
        if state < self.state {
            return ended;
        }
        if state == self.state {
            self.until_ms = self.until_ms.max(until);
            return ended;
        }
        self.set(state, reasons, "connection", until) || ended
    }

    /// A request was refused for load, and is tried again after that time at the earliest.
    pub fn refused(
        &mut self,
        state: Pressure,
        reasons: Vec<u32>,
        scope: &str,
        retry_after_ms: u64,
        now_ms: u64,
    ) -> bool {
        if state < self.state && !self.refused {
            return false;
        }
        self.refused = true;
        self.gate_ms = self.gate_ms.max(now_ms + retry_after_ms.min(MAX_GATE_MS));
        self.set(state, reasons, scope, self.gate_ms + REFUSAL_STANDS_MS)
    }

    /// Ends what stands no more.
    pub fn timer(&mut self, now_ms: u64) -> bool {
        self.state != Pressure::Normal && now_ms >= self.until_ms && self.clear()
    }

    fn clear(&mut self) -> bool {
        let changed = self.state != Pressure::Normal;
        self.state = Pressure::Normal;
        self.reasons.clear();
        self.scope.clear();
        self.refused = false;
        changed
    }

    fn set(&mut self, state: Pressure, reasons: Vec<u32>, scope: &str, until_ms: u64) -> bool {
        let changed = self.state != state || self.scope != scope || self.reasons != reasons;
        self.state = state;
        self.reasons = reasons;
        scope.clone_into(&mut self.scope);
        self.until_ms = until_ms;
        changed
    }
}
