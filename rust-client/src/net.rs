use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, Notify};

use crate::codes;
use crate::conn::Conn;
use crate::core::{
    backoff_of, classify, Backoff, Candidate, ConnectionMachine, Decision, Node, Outcome,
    Preference, Pressure, PressureView, RetryBudget, RetryClass, Signal, Window, MAX_R, REQUESTS,
};
use crate::error::{retry_class, wire_error};
use crate::health::Reporter;
use crate::holds::Holds;
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::pb;
use crate::pressure::{self, OnPressure, Turns};
use crate::refresh::Refresher;
use crate::toggles::{OnToggles, Toggles};
use crate::Error;

/// How many bytes may wait for the socket before publishing holds back.
const MAX_QUEUED: usize = 1 << 20;
pub(crate) const MAX_GATE_MS: u64 = 30_000;
pub(crate) const MAX_PUBLISH_ATTEMPTS: u32 = 5;
const MAX_READ_ATTEMPTS: u32 = 4;
const MAX_ADMIN_ATTEMPTS: u32 = 3;
const MAX_CHECKSUM_ATTEMPTS: u32 = 3;
const REFRESH_MS: u64 = 100;
const FREE_REFRESHES: u32 = 2;
/// Times that a change of leader in the middle of a call costs nothing.
const FREE_UNKNOWN_OUTCOMES: u32 = 2;

/// What a failed call leads to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub again: bool,
    pub delay: Duration,
    pub outcome_unknown: bool,
    pub cost: u32,
    pub error: pb::Error,
}

/// Told once how the first round of connecting went.
pub(crate) type First = oneshot::Sender<Result<(), Error>>;

/// What producers, subscriptions and calls share: the connections, the flow of publishes, the retry budget.
pub(crate) struct Net {
    pub start: Instant,
    pub machine: ConnectionMachine,
    /// Those that the broker named last.
    pub nodes: Vec<Node>,
    /// One, and for a moment two while the client moves from a broker that goes away to another.
    pub conns: Vec<Conn>,
    /// The connection of publishers and requests; its breaker counts their outcomes.
    pub publishing: Option<u64>,
    /// The connection on which subscriptions may be opened.
    pub consuming: Option<u64>,
    /// Nothing new is sent on the connection of publishers.
    pub draining: bool,
    /// Candidates to connect to now.
    pub dials: Vec<usize>,
    pub dial_wanted: Arc<Notify>,
    pub first: Option<First>,
    /// Whether connecting gives up after the first round.
    pub impatient: bool,
    pub was_ready: bool,
    pub last_error: pb::Error,
    pub window: Window,
    pub view: PressureView,
    pub holds: Holds,
    pub on_pressure: Option<OnPressure>,
    pub turns: Arc<Mutex<Turns>>,
    pub toggles: Arc<Toggles>,
    pub on_toggles: Option<OnToggles>,
    /// What the broker knows this client by.
    pub instance: [u8; 16],
    pub in_flight: usize,
    budget: RetryBudget,
    reconnect_cost: u32,
    random: u64,
    pub health: Reporter,
    pub refresh: Refresher,
    pub metrics: Option<Arc<dyn Metrics>>,
    /// Run once the lock is free.
    pub deferred: Vec<Box<dyn FnOnce() + Send>>,
    pub next_id: u64,
}

impl Net {
    pub fn new(opts: &ClientOptions, first: First, seed: u64) -> Self {
        let candidates = opts.endpoints.iter().map(Candidate::new).collect();
        let prefers = Preference {
            zone: opts.zone.clone(),
            nearest: opts.follower_reads,
        };
        Self {
            start: Instant::now(),
            machine: ConnectionMachine::new(candidates, prefers),
            nodes: Vec::new(),
            conns: Vec::new(),
            publishing: None,
            consuming: None,
            draining: false,
            dials: Vec::new(),
            dial_wanted: Arc::default(),
            first: Some(first),
            impatient: opts.wait_for_broker.is_zero(),
            was_ready: false,
            last_error: wire_error(
                codes::CONNECT_FAILED,
                "not connected yet",
                "no attempt was made",
                "wait",
            ),
            window: Window::new(),
            view: PressureView::default(),
            holds: Holds::default(),
            on_pressure: opts.on_pressure.clone(),
            turns: Arc::default(),
            toggles: Arc::default(),
            on_toggles: opts.on_toggles.clone(),
            instance: [0; 16],
            in_flight: 0,
            budget: RetryBudget::new(),
            reconnect_cost: 0,
            random: seed | 1,
            health: Reporter::new(opts.reports_every()),
            refresh: Refresher::new(opts),
            metrics: opts.metrics.clone(),
            deferred: Vec::new(),
            next_id: 0,
        }
    }

    pub fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Random r (xorshift64*, Vigna).
    pub fn r(&mut self) -> u32 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as u32 % (MAX_R + 1)
    }

    pub fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    pub fn conn(&mut self, id: Option<u64>) -> Option<&mut Conn> {
        self.conns.iter_mut().find(|conn| Some(conn.id) == id)
    }

    /// The connection for new publishes and requests.
    pub fn usable(&mut self) -> Option<&mut Conn> {
        if self.draining {
            return None;
        }
        self.conn(self.publishing)
    }

    pub fn endpoint(&self, candidate: usize) -> String {
        self.machine.known.candidates[candidate].endpoint.clone()
    }

    pub fn disconnected_because(&self) -> String {
        if self.publishing.is_some() {
            "the broker is going away".into()
        } else {
            Error::from_wire(&self.last_error).to_string()
        }
    }

    /// Tells the metrics, if there are any, once the lock is free.
    pub fn measure(&mut self, tell: impl FnOnce(&dyn Metrics) + Send + 'static) {
        if let Some(metrics) = self.metrics.clone() {
            self.deferred.push(Box::new(move || tell(&*metrics)));
        }
    }

    // ---- flow

    pub fn reset_flow(&mut self, state: i32) {
        self.window = Window::new();
        self.window.on_state(Pressure::of(state));
        self.in_flight = 0;
        let now = self.now_ms();
        let changed = self.view.connected(Pressure::of(state), now);
        self.tell_pressure_when(changed);
        self.end_holds(|view, now| view.connected(Pressure::Normal, now));
    }

    fn is_gated(&self) -> bool {
        self.view.retry_after_ms(self.now_ms()) > 0
    }

    pub fn may_send(&mut self) -> bool {
        let free = self.in_flight < self.window.limit() && !self.is_gated();
        free && self
            .usable()
            .is_some_and(|conn| conn.out.len() < MAX_QUEUED)
    }

    /// Why nothing can be sent on the connection there is; for the error of a batch whose time is over.
    pub fn obstacle(&self) -> String {
        if self.is_gated() {
            let state = self.view.state.name();
            format!("the broker asked to wait, its state is {state}")
        } else if self.in_flight >= self.window.limit() {
            format!(
                "{} batches are in flight, the window allows no more",
                self.in_flight
            )
        } else {
            "the connection does not take more bytes".into()
        }
    }

    pub fn on_acked(&mut self, state: i32, throttle_ms: u32) {
        self.window.on_ack(self.in_flight);
        self.in_flight = self.in_flight.saturating_sub(1);
        let now = self.now_ms();
        let changed = self.view.ack(Pressure::of(state), throttle_ms.into(), now);
        self.tell_pressure_when(changed);
        self.on_load(Pressure::of(state), throttle_ms, "connection");
    }

    /// Only a refusal for load says something about the window.
    pub fn on_refused(&mut self, e: &pb::Error) {
        if backoff_of(e.code) == Backoff::Throttle {
            let now = self.now_ms();
            self.window.on_signal(Signal::Throttled, now);
        }
    }

    pub fn on_attempt_timeout(&mut self) {
        let now = self.now_ms();
        self.window.on_signal(Signal::Timeout, now);
    }

    pub fn on_backpressure(&mut self, wire: &pb::Backpressure) {
        let now = self.now_ms();
        let changed = self.view.signal(pressure::signal(wire, &wire.scope), now);
        self.tell_pressure_when(changed);
        self.on_load(Pressure::of(wire.state), wire.retry_after_ms, &wire.scope);
    }

    fn on_load(&mut self, state: Pressure, retry_after_ms: u32, scope: &str) {
        if state == Pressure::Normal && retry_after_ms == 0 {
            return;
        }
        let signal = match state {
            Pressure::Elevated => Signal::Elevated,
            Pressure::Normal | Pressure::Throttled => Signal::Throttled,
            Pressure::Overloaded | Pressure::ReadOnly => Signal::Overloaded,
        };
        let now = self.now_ms();
        self.window.on_signal(signal, now);
        if state != Pressure::Elevated {
            let wait = Duration::from_millis(u64::from(retry_after_ms).min(MAX_GATE_MS));
            tracing::debug!(scope, ?wait, "throttled");
            let scope = scope.to_owned();
            self.measure(move |m| m.on_throttled(&scope, wait));
        }
    }

    /// Tells the breaker of the current endpoint how a call ended.
    pub fn on_outcome(&mut self, e: Option<&pb::Error>, since: Instant) {
        let publishing = self.publishing;
        let Some(candidate) = self.conn(publishing).map(|conn| conn.candidate) else {
            return;
        };
        let (now, latency, r) = (self.now_ms(), since.elapsed().as_millis() as u64, self.r());
        let breaker = &mut self.machine.known.candidates[candidate].breaker;
        match e {
            None => breaker.on_success(now, latency),
            Some(e) => {
                let outcome = codes::lookup(e.code).map_or(Outcome::Ignore, |info| info.breaker);
                breaker.on_failure(now, outcome, latency, r);
            }
        }
    }

    // ---- retries

    pub fn after_publish(&mut self, e: &pb::Error, attempts: u32, left: Duration) -> Verdict {
        let max = if e.code == codes::CHECKSUM_MISMATCH {
            MAX_CHECKSUM_ATTEMPTS
        } else {
            MAX_PUBLISH_ATTEMPTS
        };
        self.after(e, true, attempts, left, max)
    }

    pub fn after_read(&mut self, e: &pb::Error, attempts: u32, left: Duration) -> Verdict {
        self.after(e, false, attempts, left, MAX_READ_ATTEMPTS)
    }

    pub fn after_admin(&mut self, e: &pb::Error, attempts: u32, left: Duration) -> Verdict {
        self.after(e, false, attempts, left, MAX_ADMIN_ATTEMPTS)
    }

    /// Subscribing is tried for as long as the subscription is open and costs nothing, but it waits.
    pub fn after_subscribe(&mut self, e: &pb::Error, attempts: u32) -> Verdict {
        if waits_for_leader(e) {
            return Verdict {
                again: true,
                delay: leader_delay(e),
                outcome_unknown: false,
                cost: 0,
                error: e.clone(),
            };
        }
        let decision = classify(RetryClass::of(e.retry), e.code, false, true);
        let looked_enough = decision == Decision::RefreshThenRetry && attempts >= MAX_READ_ATTEMPTS;
        Verdict {
            again: decision != Decision::Fail && !looked_enough,
            delay: self.delay(e, decision, attempts),
            outcome_unknown: false,
            cost: 0,
            error: e.clone(),
        }
    }

    fn after(
        &mut self,
        e: &pb::Error,
        publish: bool,
        attempts: u32,
        left: Duration,
        max: u32,
    ) -> Verdict {
        let outcome_unknown = retry_class(e) == RetryClass::UnknownOutcome;
        let decision = classify(RetryClass::of(e.retry), e.code, publish, true);
        let delay = if waits_for_leader(e) {
            leader_delay(e)
        } else {
            self.delay(e, decision, attempts)
        };
        let mut verdict = Verdict {
            again: false,
            delay,
            outcome_unknown,
            cost: 0,
            error: e.clone(),
        };
        let late = delay + Duration::from_millis(REQUESTS.min_attempt_ms) > left;
        if waits_for_leader(e) {
            verdict.again = !late;
            return verdict;
        }
        if decision == Decision::Fail || attempts >= max || late {
            return verdict;
        }
        let is_free = if e.code == codes::REPLICATION_TIMEOUT {
            attempts <= FREE_UNKNOWN_OUTCOMES
        } else {
            decision == Decision::RefreshThenRetry && attempts <= FREE_REFRESHES
        };
        if is_free {
            verdict.again = true;
            return verdict;
        }
        verdict.cost = self.budget.take(backoff_of(e.code));
        verdict.again = verdict.cost > 0;
        if !verdict.again {
            verdict.error = exhausted(e);
        }
        verdict
    }

    fn delay(&mut self, e: &pb::Error, decision: Decision, attempts: u32) -> Duration {
        let r = self.r();
        let ms = REQUESTS.delay(backoff_of(e.code), attempts, r, e.retry_after_ms.into());
        Duration::from_millis(if decision == Decision::RefreshThenRetry {
            ms.max(REFRESH_MS)
        } else {
            ms
        })
    }

    /// One charge for sending again all that was in flight, whatever that is; false = not allowed.
    pub fn charge_reconnect(&mut self) -> bool {
        self.reconnect_cost = self.budget.take(Backoff::Transient);
        self.reconnect_cost > 0
    }

    /// `cost`: what the call's last retry took, 0 when it was a first attempt.
    pub fn on_success(&mut self, cost: u32) {
        self.budget.on_success(cost);
        if self.reconnect_cost > 0 {
            self.budget.on_success(self.reconnect_cost);
            self.reconnect_cost = 0;
        }
    }
}

/// Nothing was done, and nothing is wrong: the call waits for the leader of the cluster. This is no failure of it.
pub(crate) fn waits_for_leader(e: &pb::Error) -> bool {
    [codes::NOT_LEADER, codes::LEADER_ELECTION].contains(&e.code)
}

fn leader_delay(e: &pb::Error) -> Duration {
    Duration::from_millis(REQUESTS.at_least(REFRESH_MS, e.retry_after_ms.into()))
}

/// Keeps the class of the last error, which tells whether the outcome is known.
fn exhausted(last: &pb::Error) -> pb::Error {
    let mut e = wire_error(
        codes::RETRY_BUDGET_EXHAUSTED,
        last.message.clone(),
        format!(
            "too much has failed lately for another retry; the last cause: {}, {}",
            last.reason, last.cause
        ),
        "look at the broker's health; successes refill the budget",
    );
    e.retry = match retry_class(last) {
        RetryClass::Never => 0,
        RetryClass::Safe => 1,
        RetryClass::UnknownOutcome => 2,
        RetryClass::Refresh => 3,
    };
    e
}
