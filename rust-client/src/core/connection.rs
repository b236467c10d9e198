use super::events::{Action, Farewell, Node, Phase, Refusal, Welcome};
use super::failover::{is_panic, order};
use super::known::{is_cluster, KnownEndpoints};
use super::round::Round;
use super::{scaled, Backoff, Candidate, Outcome, Preference, Pressure, CONNECTS};
use crate::codes;

const FIRST_DELAY_MS: u64 = 100;
const BLOCKED_MS: u64 = 60_000;
const STABLE_MS: u64 = 30_000;
const DEFAULT_GRACE_MS: u64 = 5_000;
const DEPOSED_GRACE_MS: u64 = 1_000;
/// Until there is a leader. Elections are short, so that the pauses do not grow.
const LEADERLESS_DELAY_MS: u64 = 400;

/// Decides to which endpoint a client is connected. Each event returns what is to be done now, in order. Endpoints are tried in the
/// failover order; after a round without success it waits, longer from round to round. When the broker goes away, or the home zone is
/// back, it connects elsewhere first and leaves the old connection once nothing is under way there, or its grace is over (make before
/// break). In a cluster all work is at the leader: the other nodes say where that is, and are asked in turn while there is none. Times
/// are ms of one monotonic clock.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each may be true without the others
pub(crate) struct ConnectionMachine {
    pub known: KnownEndpoints,
    prefers: Preference,
    round: Round,
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
    /// The configured ones are never forgotten.
    pub fn new(configured: Vec<Candidate>, prefers: Preference) -> Self {
        Self {
            known: KnownEndpoints::new(configured),
            prefers,
            round: Round::default(),
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

    /// What a broker has named as the nodes of its cluster, to this connection or to another one.
    pub fn know(&mut self, nodes: &[Node]) {
        if is_cluster(nodes) {
            self.known.replace_learned(nodes, &self.in_use());
            if self.prefers.nearest {
                self.known.locate(nodes);
            }
        }
    }

    /// Connects from now on.
    pub fn start(&mut self, now: u64, r: u32) -> Vec<Action> {
        if self.phase != Phase::Closed {
            self.begin_round(now, r);
        }
        self.done()
    }

    /// TCP is there; the handshake begins.
    pub fn connected(&mut self, candidate: usize) -> Vec<Action> {
        if self.dialing == Some(candidate) && self.phase == Phase::Connecting {
            self.phase = Phase::Handshaking;
        }
        self.done()
    }

    /// Ends a dial.
    pub fn hello_ok(
        &mut self,
        candidate: usize,
        broker: &Welcome,
        latency_ms: u64,
        now: u64,
        r: u32,
    ) -> Vec<Action> {
        if self.dialing != Some(candidate) {
            return self.done();
        }
        self.know(broker.nodes);
        self.dialing = None;
        let known = &mut self.known.candidates[candidate];
        known.breaker.on_success(now, latency_ms);
        known.pressure = broker.pressure;
        known.draining_until_ms = 0;
        known.clustered = is_cluster(broker.nodes);
        if !broker.zone.is_empty() {
            broker.zone.clone_into(&mut known.zone);
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
    pub fn failed(&mut self, candidate: usize, why: &Refusal, now: u64, r: u32) -> Vec<Action> {
        if self.dialing != Some(candidate) {
            return self.done();
        }
        self.dialing = None;
        let known = &mut self.known.candidates[candidate];
        if why.is_of_follower() {
            known.breaker.on_failure(now, Outcome::Ignore, 0, r);
            self.round.saw_follower(why.retry_after_ms);
            if why.code == codes::NOT_LEADER
                && self.seeks_leader()
                && self.follow(candidate, why.redirect, now)
            {
                return self.done();
            }
        } else {
            known.failed_ms = now;
            known.breaker.on_failure(now, Outcome::ConnectFailed, 0, r);
            if why.is_lasting() {
                known.blocked_until_ms = now + BLOCKED_MS;
            }
            self.round.unreachable.push(candidate);
        }
        self.dial_next(now, r);
        self.done()
    }

    /// The broker says how it is, for the whole connection.
    pub fn pressure(&mut self, pressure: Pressure) -> Vec<Action> {
        if let Some(active) = self.in_service() {
            self.known.candidates[active].pressure = pressure;
            self.phase = Phase::ready(pressure);
        }
        self.done()
    }

    /// The broker leaves, or leads no more.
    pub fn go_away(&mut self, broker: &Farewell, now: u64, r: u32) -> Vec<Action> {
        let Some(active) = self.in_service() else {
            return self.done();
        };
        let mut first = "";
        if is_cluster(broker.nodes) {
            let in_use = self.in_use();
            for node in broker.nodes {
                self.known.learn(node, &in_use);
            }
            let leaving = &self.known.candidates[active].endpoint;
            let other = broker.nodes.iter().find(|node| *node != leaving);
            let leader = other.filter(|_| !self.prefers.nearest);
            first = leader.map_or("", String::as_str);
        }
        let grace_ms = if broker.grace_ms == 0 {
            DEFAULT_GRACE_MS
        } else {
            broker.grace_ms
        };
        self.reconnect_after_ms = broker.reconnect_after_ms;
        self.go_elsewhere(grace_ms, first, now, r);
        self.done()
    }

    /// A call on the active connection was answered with `NOT_LEADER`; an empty redirect was not said.
    pub fn not_leader(&mut self, redirect: &str, now: u64, r: u32) -> Vec<Action> {
        if self.in_service().is_some() {
            self.reconnect_after_ms = 0;
            self.go_elsewhere(DEPOSED_GRACE_MS, redirect, now, r);
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
        let known = &mut self.known.candidates[candidate];
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
                let mut order = order(&self.known, &self.prefers, now);
                let (known, prefers, active) = (&self.known, &self.prefers, self.active);
                order.retain(|i| prefers.is_home(&known.candidates[*i]) && Some(*i) != active);
                self.round = Round::new(order);
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
        self.round = Round::new(order(&self.known, &self.prefers, now));
        self.dial_next(now, r);
    }

    fn dial_next(&mut self, now: u64, r: u32) {
        let panic = is_panic(&self.known, now);
        while let Some(next) = self.round.rest.pop_front() {
            if panic || self.known.candidates[next].breaker.allow(now) {
                self.dial(next);
                return;
            }
        }
        if self.active.is_some() {
            self.plan_return(now, r);
            return;
        }
        self.actions.push(Action::RoundFailed);
        if self.round.seen_follower {
            let delay_ms = scaled(LEADERLESS_DELAY_MS, r);
            self.pause(CONNECTS.at_least(delay_ms, self.round.retry_after_ms), now);
            return;
        }
        self.failed_rounds += 1;
        let known = &self.known;
        if known.is_all(|each| each.is_blocked(now)) {
            self.phase = Phase::Blocked;
            let numbers = known.all().iter();
            let first = numbers.map(|each| known.candidates[*each].blocked_until_ms);
            self.wake_at_ms = first.min().unwrap_or(now);
        } else {
            self.pause(
                CONNECTS.delay(Backoff::Transient, self.failed_rounds, r, 0),
                now,
            );
        }
    }

    fn dial(&mut self, candidate: usize) {
        self.dialing = Some(candidate);
        self.known.candidates[candidate].dialed = true;
        if self.active.is_none() {
            self.phase = Phase::Connecting;
        }
        self.actions.push(Action::Dial(candidate));
    }

    /// A reader of the nearest goes on to the next node as long as it has one.
    fn seeks_leader(&self) -> bool {
        !self.prefers.nearest || self.active.is_none() && self.round.rest.is_empty()
    }

    /// Dials where a node that refused says that the leader is.
    fn follow(&mut self, from: usize, redirect: &str, now: u64) -> bool {
        if redirect.is_empty()
            || self.is_at(Some(from), redirect)
            || self.is_at(self.active, redirect)
        {
            return false;
        }
        let to = self.known.learn(redirect, &self.in_use());
        if self.known.candidates[to].is_blocked(now) || !self.round.may_follow(to) {
            return false;
        }
        self.dial_out_of_turn(to);
        true
    }

    /// Whoever names a leader should know: the breaker is not asked.
    fn dial_out_of_turn(&mut self, candidate: usize) {
        self.round.remove(candidate);
        self.dial(candidate);
    }

    /// Leaves the active connection; `first` is tried first, unless it is empty.
    fn go_elsewhere(&mut self, grace_ms: u64, first: &str, now: u64, r: u32) {
        let Some(leaving) = self.active else { return };
        self.drain(now + grace_ms);
        self.known.candidates[leaving].draining_until_ms =
            self.grace_end_ms + self.reconnect_after_ms;
        if self.dialing.is_some() || self.heir.is_some() {
            return;
        }
        self.round = Round::new(order(&self.known, &self.prefers, now));
        self.round.remove(leaving);
        if !first.is_empty() && !self.is_at(self.active, first) {
            let to = self.known.learn(first, &self.in_use());
            if !self.known.candidates[to].is_blocked(now) {
                self.dial_out_of_turn(to);
                return;
            }
        }
        self.dial_next(now, r);
    }

    fn is_at(&self, candidate: Option<usize>, endpoint: &str) -> bool {
        candidate.is_some_and(|number| self.known.candidates[number].endpoint == endpoint)
    }

    /// The active connection, unless it is to be left.
    fn in_service(&self) -> Option<usize> {
        self.active
            .filter(|_| matches!(self.phase, Phase::Ready | Phase::Pressured))
    }

    /// The numbers of candidates that no other may take.
    fn in_use(&self) -> Vec<usize> {
        let connections = [self.dialing, self.active, self.heir];
        let round = self.round.rest.iter().chain(&self.round.unreachable);
        connections.iter().flatten().chain(round).copied().collect()
    }

    fn pause(&mut self, delay_ms: u64, now: u64) {
        self.phase = Phase::Backoff;
        self.wake_at_ms = now + delay_ms;
    }

    fn take_into_use(&mut self, candidate: usize, now: u64, r: u32) {
        self.active = Some(candidate);
        self.phase = Phase::ready(self.known.candidates[candidate].pressure);
        self.ready_since_ms = now;
        self.reconnect_after_ms = 0;
        self.plan_return(now, r);
    }

    fn plan_return(&mut self, now: u64, r: u32) {
        let (prefers, known) = (&self.prefers, &self.known);
        let active = self.active.map(|number| &known.candidates[number]);
        self.home_at_ms = active.and_then(|active| prefers.look_at_ms(active, known, now, r));
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
            if self.known.all().len() == 1 {
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
