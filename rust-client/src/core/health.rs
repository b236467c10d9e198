/// How a client is, as on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthState {
    /// Well.
    #[default]
    Ready,
    /// It should have less work.
    Degraded,
    /// It should have none.
    Critical,
    /// The client, or each of its subscriptions, is being closed.
    Draining,
}

pub(crate) const GC: u32 = 1;
pub(crate) const MEMORY: u32 = 2;
pub(crate) const IO_WAIT: u32 = 3;
pub(crate) const SCHED_LATENCY: u32 = 7;
pub(crate) const MANUAL: u32 = 8;

/// What was measured at one moment. Shares are per mille; 0 where a part cannot be measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub gc_cpu_pm: u32,
    pub heap_pm: u32,
    pub mem_pm: u32,
    pub sched_p99_us: u32,
    pub psi_mem_some_pm: u32,
    pub psi_mem_full_pm: u32,
    pub psi_io_full_pm: u32,
    pub inflight: u32,
    pub max_inflight: u32,
    /// What the application says of itself.
    pub app_state: HealthState,
    pub app_util_pm: u32,
}

const FULL_PM: u32 = 1_000;
const ENTER_PM: u32 = 800;
const LEAVE_PM: u32 = 600;
const CRITICAL_PM: u32 = 950;
const LEAVE_CRITICAL_PM: u32 = 800;
const ENTER_AFTER: u32 = 2;
const LEAVE_AFTER: u32 = 5;
const HANDOFF_AFTER_MS: u64 = 10_000;
const MIN_REPORT_GAP_MS: u64 = 200;

const SCHED_FULL_US: u32 = 10_000;
const PSI_MEM_SOME_FULL_PM: u32 = 100;
const PSI_MEM_FULL_FULL_PM: u32 = 50;
const PSI_IO_FULL_FULL_PM: u32 = 200;

/// Decides how a client is, from samples, and when the broker is told. What is measured counts by the worst part; how many handlers
/// are busy counts for the utilisation only: a client that has work is not ill. Each event returns whether a report is due now.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each may be true without the others
pub(crate) struct HealthMachine {
    /// The share of the collector that counts as 1,000.
    gc_full_pm: u32,
    pub state: HealthState,
    /// Why it is not ready, the worst first.
    pub reasons: Vec<u32>,
    /// The worst part of the last sample, handlers included.
    pub util_pm: u32,
    /// Somebody else should have its work.
    pub handoff: bool,
    /// It should take nothing new: there is no memory for it.
    pub brake: bool,
    degraded: bool,
    /// Samples in a row.
    above: u32,
    below: u32,
    below_memory: u32,
    app: HealthState,
    draining: bool,
    ill_since_ms: u64,
    sampled: bool,
    reported_ms: Option<u64>,
    due: bool,
}

impl HealthMachine {
    pub fn new(gc_full_pm: u32) -> Self {
        Self {
            gc_full_pm,
            ..Self::default()
        }
    }

    pub fn sample(&mut self, s: &Sample, now_ms: u64) -> bool {
        self.sampled = true;
        self.due = true;
        self.app = s.app_state.min(HealthState::Critical);
        let memory = s.heap_pm.max(s.mem_pm);
        let stalled = share(s.psi_mem_some_pm, PSI_MEM_SOME_FULL_PM)
            .max(share(s.psi_mem_full_pm, PSI_MEM_FULL_FULL_PM));
        let mut parts = [
            (GC, share(s.gc_cpu_pm, self.gc_full_pm)),
            (MEMORY, memory.max(stalled).min(FULL_PM)),
            (IO_WAIT, share(s.psi_io_full_pm, PSI_IO_FULL_FULL_PM)),
            (SCHED_LATENCY, share(s.sched_p99_us, SCHED_FULL_US)),
            (MANUAL, s.app_util_pm.min(FULL_PM)),
        ];
        parts.sort_by_key(|(_, pm)| FULL_PM - pm); // stable: equal ones by number
        let worst = parts[0].1;
        self.util_pm = worst.max(share(s.inflight, s.max_inflight));
        self.judge(worst, memory);
        self.explain(&parts);
        self.settle(now_ms);
        self.is_due(now_ms)
    }

    /// Whether the client is being closed.
    pub fn drain(&mut self, draining: bool, now_ms: u64) -> bool {
        self.draining = draining;
        self.settle(now_ms);
        self.is_due(now_ms)
    }

    /// To a broker that has heard nothing yet.
    pub fn connected(&mut self, now_ms: u64) -> bool {
        self.reported_ms = None;
        self.due = true;
        self.is_due(now_ms)
    }

    /// Time has passed; some times a second.
    pub fn timer(&mut self, now_ms: u64) -> bool {
        self.is_due(now_ms)
    }

    fn judge(&mut self, worst: u32, memory: u32) {
        self.above = in_a_row(self.above, worst >= ENTER_PM);
        self.below = in_a_row(self.below, worst < LEAVE_PM);
        self.below_memory = in_a_row(self.below_memory, memory < LEAVE_CRITICAL_PM);
        if self.above >= ENTER_AFTER {
            self.degraded = true;
        } else if self.below >= LEAVE_AFTER {
            self.degraded = false;
        }
        if memory >= CRITICAL_PM {
            self.brake = true;
        } else if self.below_memory >= LEAVE_AFTER {
            self.brake = false;
        }
    }

    /// What is above the line that has to be passed to be well again. When nothing is, the old reasons stand.
    fn explain(&mut self, parts: &[(u32, u32)]) {
        let forced = self.app != HealthState::Ready;
        let reasons: Vec<u32> = parts
            .iter()
            .filter(|(reason, pm)| *pm >= LEAVE_PM || *reason == MANUAL && forced)
            .map(|(reason, _)| *reason)
            .collect();
        if !reasons.is_empty() {
            self.reasons = reasons;
        }
    }

    fn settle(&mut self, now_ms: u64) {
        let before = self.state;
        let measured = if self.brake {
            HealthState::Critical
        } else if self.degraded {
            HealthState::Degraded
        } else {
            HealthState::Ready
        };
        self.state = measured.max(self.app);
        if self.state == HealthState::Ready {
            self.ill_since_ms = now_ms;
            self.reasons.clear();
        }
        self.handoff = self.state == HealthState::Critical
            || now_ms.saturating_sub(self.ill_since_ms) >= HANDOFF_AFTER_MS;
        if self.draining {
            self.state = HealthState::Draining;
        }
        self.due |= self.state != before;
    }

    fn is_due(&mut self, now_ms: u64) -> bool {
        let known = self.sampled || self.state == HealthState::Draining;
        let soon = |at: u64| now_ms.saturating_sub(at) < MIN_REPORT_GAP_MS;
        if !self.due || !known || self.reported_ms.is_some_and(soon) {
            return false;
        }
        self.due = false;
        self.reported_ms = Some(now_ms);
        true
    }
}

fn share(part: u32, whole: u32) -> u32 {
    match u64::from(part) * u64::from(FULL_PM) / u64::from(whole.max(1)) {
        _ if whole == 0 => 0,
        share => share.min(FULL_PM.into()) as u32,
    }
}

fn in_a_row(count: u32, holds: bool) -> u32 {
    if holds {
        count.saturating_add(1)
    } else {
        0
    }
}
