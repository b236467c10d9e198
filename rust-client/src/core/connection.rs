use std::collections::VecDeque;

use super::failover::{is_panic, order, Candidate};
use super::{scaled, Backoff, Outcome, Pressure, CONNECTS};
use crate::codes;

/// Where a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Connecting,
    Handshaking,
    Ready,
    /// Connected, and the broker is under pressure.
    Pressured,
    /// Connected to a broker that is to be left: nothing new is started there.
    Draining,
    Backoff,
    /// Every endpoint refused what only another configuration can mend.
    Blocked,
    Closed,
}

/// What is to be done, and with which candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Connect and shake hands.
    Dial(usize),
    /// There is a connection again: reopen everything on it.
    Use(usize),
    /// Start nothing new on this connection.
    Drain(usize),
    /// From now on publishers and requests use this connection.
    MovePublishers(usize),
    /// From now on subscriptions use this connection.
    MoveSubscriptions(usize),
    /// End this connection.
    Close(usize),
    /// There is no connection any more.
    Lost(usize),
    /// No endpoint could be connected to.
    RoundFailed,
}

const FIRST_DELAY_MS: u64 = 100;
const BLOCKED_MS: u64 = 60_000;
const STABLE_MS: u64 = 30_000;
const DEFAULT_GRACE_MS: u64 = 5_000;
const HOME_AFTER_MS: u64 = 60_000;
const HOME_SPREAD_MS: u64 = 30_000;

/// Decides to which endpoint a client is connected. Each event returns what is to be done now, in order. Endpoints are tried in the
/// failover order; after a round without success it waits, longer from round to round. When the broker goes away, or the home zone is
/// back, it connects elsewhere first and leaves the old connection once nothing is under way there, or its grace is over (make before
/// break). Times are ms of one monotonic clock.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each may be true without the others
pub(crate) struct ConnectionMachine {
    pub candidates: Vec<Candidate>,
    own_zone: String,
    round: VecDeque<usize>,
    actions: Vec<Action>,
    phase: Phase,
    dialing: Option<usize>,
    active: Option<usize>,
    /// Connected, and takes over from the active one.
    heir: Option<usize>,
    publishers_moved: bool,
    subscriptions_moved: bool,
    publishing: bool,
    consuming: bool,
    failed_rounds: u32,
    ready_since_ms: u64,
    wake_at_ms: u64,
    grace_end_ms: u64,
    home_at_ms: Option<u64>,
    reconnect_after_ms: u64,
}

impl ConnectionMachine {
    /// An empty zone means no preference.
    pub fn new(candidates: Vec<Candidate>, own_zone: impl Into<String>) -> Self {
        Self {
            candidates,
            own_zone: own_zone.into(),
            round: VecDeque::new(),
            actions: Vec::new(),
            phase: Phase::Idle,
            dialing: None,
            active: None,
            heir: None,
            publishers_moved: false,
            subscriptions_moved: false,
            publishing: false,
            consuming: false,
            failed_rounds: 0,
            ready_since_ms: 0,
            wake_at_ms: 0,
            grace_end_ms: 0,
            home_at_ms: None,
            reconnect_after_ms: 0,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The connection in use; while it drains, the one to be left.
    pub fn active(&self) -> Option<usize> {
        self.active
    }

    /// When backoff or blocking ends.
    #[cfg(test)]
    pub fn wake_at_ms(&self) -> u64 {
        self.wake_at_ms
    }

    // ---- events

    /// Connects from now on.
    pub fn start(&mut self, now: u64, r: u32) -> Vec<Action> {
        self.begin_round(now, r);
        self.done()
    }

    /// TCP is there; the handshake begins.
    pub fn connected(&mut self, candidate: usize) -> Vec<Action> {
        if self.dialing == Some(candidate) && self.phase == Phase::Connecting {
            self.phase = Phase::Handshaking;
        }
        self.done()
    }

    /// Ends a dial; `zone` is where the broker says it is, empty when it does not say.
    pub fn hello_ok(
        &mut self,
        candidate: usize,
        zone: &str,
        pressure: Pressure,
        latency_ms: u64,
        now: u64,
        r: u32,
    ) -> Vec<Action> {
        if self.dialing != Some(candidate) {
            return self.done();
        }
        self.dialing = None;
        let known = &mut self.candidates[candidate];
        known.breaker.on_success(now, latency_ms);
        known.pressure = pressure;
        known.draining_until_ms = 0;
        if !zone.is_empty() {
            zone.clone_into(&mut known.zone);
        }
        if self.active.is_none() {
            self.take_into_use(candidate, now, r);
            self.actions.push(Action::Use(candidate));
            return self.done();
        }
        self.heir = Some(candidate);
        self.publishers_moved = false;
        self.subscriptions_moved = false;
        if self.phase != Phase::Draining {
            self.drain(now + DEFAULT_GRACE_MS);
        }
        self.leave(now, r);
        self.done()
    }

    /// Ends a dial.
    pub fn failed(&mut self, candidate: usize, code: u32, now: u64, r: u32) -> Vec<Action> {
        if self.dialing == Some(candidate) {
            self.dialing = None;
            let known = &mut self.candidates[candidate];
            known.failed_ms = now;
            known.breaker.on_failure(now, Outcome::ConnectFailed, 0, r);
            if is_refusal(code) {
                known.blocked_until_ms = now + BLOCKED_MS;
            }
            self.dial_next(now, r);
        }
        self.done()
    }

    /// The broker says how it is, for the whole connection.
    pub fn pressure(&mut self, pressure: Pressure) -> Vec<Action> {
        if let (Some(active), Phase::Ready | Phase::Pressured) = (self.active, self.phase) {
            self.candidates[active].pressure = pressure;
            self.phase = ready_phase(pressure);
        }
        self.done()
    }

    /// The broker leaves. Without a grace what is under way has 5 s.
    pub fn go_away(
        &mut self,
        grace_ms: u64,
        reconnect_after_ms: u64,
        now: u64,
        r: u32,
    ) -> Vec<Action> {
        if let (Some(active), Phase::Ready | Phase::Pressured) = (self.active, self.phase) {
            let grace_ms = if grace_ms == 0 {
                DEFAULT_GRACE_MS
            } else {
                grace_ms
            };
            self.reconnect_after_ms = reconnect_after_ms;
            self.drain(now + grace_ms);
            self.candidates[active].draining_until_ms = self.grace_end_ms + reconnect_after_ms;
            if self.dialing.is_none() && self.heir.is_none() {
                self.round = order(&self.candidates, &self.own_zone, now).into();
                self.round.retain(|each| *each != active);
                self.dial_next(now, r);
            }
        }
        self.done()
    }

    /// What is under way on the active connection. Tell it before `go_away` and `hello_ok`, and often while it is draining.
    pub fn load(&mut self, publishing: bool, consuming: bool, now: u64, r: u32) -> Vec<Action> {
        self.publishing = publishing;
        self.consuming = consuming;
        if self.phase == Phase::Draining {
            self.leave(now, r);
        }
        self.done()
    }

    /// A connection ended that the machine did not close.
    pub fn lost(&mut self, candidate: usize, now: u64, r: u32) -> Vec<Action> {
        let (is_active, is_heir) = (self.active == Some(candidate), self.heir == Some(candidate));
        if self.phase == Phase::Closed || !(is_active || is_heir) {
            return self.done();
        }
        let known = &mut self.candidates[candidate];
        known.failed_ms = now;
        if is_heir || self.phase != Phase::Draining {
            known.breaker.on_failure(now, Outcome::ConnectFailed, 0, r);
        }
        if is_heir {
            self.heir = None;
            if let (Some(active), true) = (
                self.active,
                self.publishers_moved || self.subscriptions_moved,
            ) {
                self.actions.push(Action::Close(active));
                self.disconnected(now, r);
            }
        } else if let Some(heir) = self.heir {
            self.take_over(heir, now, r);
        } else {
            self.disconnected(now, r);
        }
        self.done()
    }

    /// Time has passed; some times a second.
    pub fn timer(&mut self, now: u64, r: u32) -> Vec<Action> {
        match self.phase {
            Phase::Backoff | Phase::Blocked if now >= self.wake_at_ms => self.begin_round(now, r),
            Phase::Draining => self.leave(now, r),
            Phase::Ready | Phase::Pressured
                if self.home_at_ms.is_some_and(|at| now >= at) && self.dialing.is_none() =>
            {
                self.round = order(&self.candidates, &self.own_zone, now).into();
                let (candidates, home, active) = (&self.candidates, &self.own_zone, self.active);
                self.round
                    .retain(|each| candidates[*each].zone == *home && Some(*each) != active);
                self.dial_next(now, r);
            }
            _ => {}
        }
        self.done()
    }

    /// For good; later events change nothing.
    pub fn close(&mut self) -> Vec<Action> {
        self.actions
            .extend(self.active.take().into_iter().map(Action::Close));
        self.actions
            .extend(self.heir.take().into_iter().map(Action::Close));
        self.phase = Phase::Closed;
        self.dialing = None;
        self.done()
    }

    // ---- decisions

    fn begin_round(&mut self, now: u64, r: u32) {
        self.phase = Phase::Connecting;
        self.round = order(&self.candidates, &self.own_zone, now).into();
        self.dial_next(now, r);
    }

    fn dial_next(&mut self, now: u64, r: u32) {
        let panic = is_panic(&self.candidates, now);
        while let Some(next) = self.round.pop_front() {
            if panic || self.candidates[next].breaker.allow(now) {
                self.dialing = Some(next);
                if self.active.is_none() {
                    self.phase = Phase::Connecting;
                }
                self.actions.push(Action::Dial(next));
                return;
            }
        }
        if self.active.is_some() {
            self.plan_return(now, r);
            return;
        }
        self.failed_rounds += 1;
        self.actions.push(Action::RoundFailed);
        if self.candidates.iter().all(|each| each.is_blocked(now)) {
            self.phase = Phase::Blocked;
            let first = self.candidates.iter().map(|each| each.blocked_until_ms);
            self.wake_at_ms = first.min().unwrap_or(now);
        } else {
            self.pause(
                CONNECTS.delay(Backoff::Transient, self.failed_rounds, r, 0),
                now,
            );
        }
    }

    fn pause(&mut self, delay_ms: u64, now: u64) {
        self.phase = Phase::Backoff;
        self.wake_at_ms = now + delay_ms;
    }

    fn take_into_use(&mut self, candidate: usize, now: u64, r: u32) {
        self.active = Some(candidate);
        self.phase = ready_phase(self.candidates[candidate].pressure);
        self.ready_since_ms = now;
        self.reconnect_after_ms = 0;
        self.plan_return(now, r);
    }

    /// Far from home, it looks from time to time whether the home zone is back; clients do not return all at once.
    fn plan_return(&mut self, now: u64, r: u32) {
        let home = &self.own_zone;
        let away = !home.is_empty()
            && self
                .active
                .is_some_and(|active| self.candidates[active].zone != *home);
        let known = self.candidates.iter().any(|each| each.zone == *home);
        self.home_at_ms = (away && known).then(|| now + HOME_AFTER_MS + scaled(HOME_SPREAD_MS, r));
    }

    fn drain(&mut self, grace_end_ms: u64) {
        self.phase = Phase::Draining;
        self.grace_end_ms = grace_end_ms;
        self.actions
            .extend(self.active.into_iter().map(Action::Drain));
    }

    /// Moves what has nothing under way any more, and everything once the grace is over.
    fn leave(&mut self, now: u64, r: u32) {
        let over = now >= self.grace_end_ms;
        let Some(active) = self.active else { return };
        let Some(heir) = self.heir else {
            if over || !self.publishing && !self.consuming && self.dialing.is_none() {
                self.actions.push(Action::Close(active));
                self.disconnected(now, r);
            }
            return;
        };
        if !self.publishers_moved && (over || !self.publishing) {
            self.publishers_moved = true;
            self.actions.push(Action::MovePublishers(heir));
        }
        if !self.subscriptions_moved && (over || !self.consuming) {
            self.subscriptions_moved = true;
            self.actions.push(Action::MoveSubscriptions(heir));
        }
        if self.publishers_moved && self.subscriptions_moved {
            self.actions.push(Action::Close(active));
            self.heir = None;
            self.take_into_use(heir, now, r);
        }
    }

    /// The connection that was to be left is gone already.
    fn take_over(&mut self, heir: usize, now: u64, r: u32) {
        if !self.publishers_moved {
            self.actions.push(Action::MovePublishers(heir));
        }
        if !self.subscriptions_moved {
            self.actions.push(Action::MoveSubscriptions(heir));
        }
        self.heir = None;
        self.take_into_use(heir, now, r);
    }

    fn disconnected(&mut self, now: u64, r: u32) {
        self.actions
            .extend(self.active.take().into_iter().map(Action::Lost));
        self.home_at_ms = None;
        self.failed_rounds = if now - self.ready_since_ms > STABLE_MS {
            0
        } else {
            self.failed_rounds + 1
        };
        if self.dialing.is_some() {
            self.phase = Phase::Connecting;
            return;
        }
        let delay_ms = match self.failed_rounds {
            0 | 1 => scaled(FIRST_DELAY_MS, r),
            rounds => CONNECTS.delay(Backoff::Transient, rounds - 1, r, 0),
        };
        let asked = std::mem::take(&mut self.reconnect_after_ms);
        self.pause(
            if self.candidates.len() == 1 {
                CONNECTS.at_least(delay_ms, asked)
            } else {
                delay_ms
            },
            now,
        );
    }

    fn done(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }
}

fn ready_phase(pressure: Pressure) -> Phase {
    if pressure == Pressure::Normal {
        Phase::Ready
    } else {
        Phase::Pressured
    }
}

/// Errors that only another configuration can mend.
fn is_refusal(code: u32) -> bool {
    [
        codes::UNSUPPORTED_VERSION,
        codes::UNSUPPORTED_FEATURE,
        codes::UNAUTHENTICATED,
        codes::PERMISSION_DENIED,
    ]
    .contains(&code)
}
