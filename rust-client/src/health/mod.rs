//! How the client is, and telling the broker.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::Shared;
use crate::core::{health, HealthMachine, HealthState, Sample};
use crate::net::Net;
use crate::pb;
use crate::state::State;
use crate::sublink::SubLink;
use crate::wire::Kind;
use lateness::Lateness;

mod lateness;
mod sampler;
mod workload;

pub(crate) use workload::{Busy, Workload};

/// What an application says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppHealth {
    /// Makes the client's no better than this; `Ready` leaves it to what is measured.
    pub state: HealthState,
    /// How much of what it has the application uses, per mille. From 800 on in two reports it is degraded.
    pub util_pm: u32,
}

/// How a client is, as the broker is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How it is.
    pub state: HealthState,
    /// Why it is not ready, the worst first: GC, MEMORY, IO_WAIT, SCHED_LATENCY, MANUAL.
    pub reasons: Vec<&'static str>,
    /// The share of what is used most, per mille: busy handlers, memory, and so on.
    pub util_pm: u32,
    /// It asks that another member has its work.
    pub handoff_requested: bool,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            state,
            reasons,
            util_pm,
            ..
        } = self;
        write!(f, "{state:?} {reasons:?}, {util_pm} per mille")
    }
}

pub(crate) type AskApp = Arc<dyn Fn() -> AppHealth + Send + Sync>;

/// The broker reads health reports.
pub(crate) const FEATURE: u32 = 1;

/// Tells the broker how the client is.
#[derive(Default)]
pub(crate) struct Reporter {
    pub machine: HealthMachine,
    interval_ms: u32,
    /// As of the last sample.
    last: pb::HealthReport,
    /// Which connection has heard of it, and how often.
    told: Option<u64>,
    seq: u64,
    pub braked: bool,
    lateness: Lateness,
}

impl Reporter {
    /// An interval of zero: nobody is told.
    pub fn new(interval: Duration) -> Self {
        Self {
            machine: HealthMachine::new(0), // there is no collector
            interval_ms: interval.as_millis() as u32,
            ..Self::default()
        }
    }

    pub fn is_on(&self) -> bool {
        self.interval_ms > 0
    }

    pub fn on_tick(&mut self, late: Duration) {
        if self.is_on() {
            self.lateness.add(late);
        }
    }

    pub fn health(&self) -> Health {
        let name = |reason: &u32| match *reason {
            health::GC => "GC",
            health::MEMORY => "MEMORY",
            health::IO_WAIT => "IO_WAIT",
            health::SCHED_LATENCY => "SCHED_LATENCY",
            _ => "MANUAL",
        };
        Health {
            state: self.machine.state,
            reasons: self.machine.reasons.iter().map(name).collect(),
            util_pm: self.machine.util_pm,
            handoff_requested: self.machine.handoff,
        }
    }
}

/// Looks how the client is, until it is closed.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut ticks = tokio::time::interval(shared.opts.health_interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let sampler = sampler::Sampler::new(&shared.opts.health_root);
    let mut before = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let (mut sample, psi_io_some_pm) = sampler.sample();
        if let Some(ask) = &shared.opts.app_health {
            let app = ask();
            sample.app_state = app.state;
            sample.app_util_pm = app.util_pm.min(1_000);
        }
        let elapsed = before.elapsed();
        before = Instant::now();
        shared.with(|state| state.on_health(&shared.work, sample, psi_io_some_pm, elapsed));
    }
}

fn per_second_milli(n: u64, elapsed: Duration) -> u32 {
    let ms = (elapsed.as_millis() as u64).max(1);
    u32::try_from(n * 1_000_000 / ms).unwrap_or(u32::MAX)
}

impl State {
    fn on_health(
        &mut self,
        work: &Workload,
        mut sample: Sample,
        psi_io_some_pm: u32,
        elapsed: Duration,
    ) {
        use std::sync::atomic::Ordering::Relaxed;
        let now = self.net.now_ms();
        let reporter = &mut self.net.health;
        sample.sched_p99_us = reporter.lateness.p99_us();
        sample.inflight = work.busy.load(Relaxed);
        sample.max_inflight = work.handlers.load(Relaxed);
        let done = work.take();
        reporter.last = pb::HealthReport {
            interval_ms: reporter.interval_ms,
            mem_pm: sample.mem_pm,
            sched_p99_us: sample.sched_p99_us,
            psi_mem_some_pm: sample.psi_mem_some_pm,
            psi_mem_full_pm: sample.psi_mem_full_pm,
            psi_io_some_pm,
            psi_io_full_pm: sample.psi_io_full_pm,
            inflight: sample.inflight,
            max_inflight: sample.max_inflight,
            handler_p50_us: done.p50_us,
            handler_p99_us: done.p99_us,
            rps_milli: per_second_milli(done.settled, elapsed),
            eps_milli: per_second_milli(done.failed, elapsed),
            ..pb::HealthReport::default()
        };
        let before = reporter.machine.state;
        let due = reporter.machine.sample(&sample, now);
        let (braked, changed) = (reporter.machine.brake, reporter.machine.state != before);
        if changed {
            let health = reporter.health();
            tracing::debug!(%health, "health");
            self.net.measure(move |m| m.on_health(&health));
        }
        self.net.report_when(due);
        if self.net.health.braked != braked {
            self.net.health.braked = braked;
            for sub in self.subs.values_mut() {
                sub.on_brake(&mut self.net);
            }
        }
    }

    pub(crate) fn tick_health(&mut self) {
        if !self.net.health.is_on() {
            return;
        }
        // Nothing is left that takes work.
        let draining =
            self.closed || !self.subs.is_empty() && self.subs.values().all(SubLink::is_draining);
        // Without a subscription nobody is given more or less for it.
        let to = self.net.publishing.filter(|_| !self.subs.is_empty());
        let now = self.net.now_ms();
        let health = &mut self.net.health;
        let mut due = health.machine.drain(draining, now);
        if to != health.told {
            health.told = to;
            due |= to.is_some() && health.machine.connected(now);
        }
        due |= health.machine.timer(now);
        self.net.report_when(due);
    }
}

impl Net {
    fn report_when(&mut self, due: bool) {
        let told = self.health.told;
        let reads = |conn: &mut crate::conn::Conn| conn.reads_health;
        if !due || !self.conn(told).is_some_and(reads) {
            return;
        }
        self.health.seq += 1;
        let machine = &self.health.machine;
        let report = pb::HealthReport {
            seq: self.health.seq,
            interval_ms: self.health.interval_ms,
            state: machine.state as u32,
            reasons: machine.reasons.clone(),
            app_util_pm: machine.util_pm,
            handoff_requested: machine.handoff,
            ..self.health.last.clone()
        };
        if let Some(conn) = self.conn(told) {
            conn.send(Kind::HEALTH_REPORT, 0, &report);
        }
    }
}
