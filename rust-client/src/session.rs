use std::time::Instant;

use crate::codes;
use crate::conn::Conn;
use crate::core::{Action, Farewell, Node, Phase, Pressure, Refusal, Welcome};
use crate::error::wire_error;
use crate::net::Net;
use crate::pb;
use crate::publisher::Publisher;
use crate::state::State;
use crate::sublink::SubLink;
use crate::wire::Kind;
use crate::Error;

/// What the connection machine decides, done.
impl State {
    pub fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Dial(candidate) => {
                    self.net.dials.push(candidate);
                    self.net.dial_wanted.notify_one();
                }
                Action::Use(candidate) => self.on_ready(candidate),
                Action::Drain(_) => self.on_draining(),
                Action::MovePublishers(candidate) => self.on_publishers_moved(candidate),
                Action::MoveSubscriptions(candidate) => self.on_subscriptions_moved(candidate),
                Action::Close(candidate) => self.close_connection(candidate),
                Action::Lost(candidate) => self.on_disconnected(candidate),
                Action::RoundFailed => {
                    if self.net.impatient && !self.net.was_ready {
                        let error = Error::from_wire(&self.net.last_error);
                        self.tell_first(Err(error));
                    }
                }
            }
        }
    }

    fn tell_first(&mut self, outcome: Result<(), Error>) {
        if let Some(first) = self.net.first.take() {
            let _ = first.send(outcome); // who waited may have given up
        }
    }

    /// A dial has a connection.
    pub fn on_connected(&mut self, mut conn: Conn, hello: &pb::HelloOk, latency_ms: u64) {
        let candidate = conn.candidate;
        conn.reads_health = hello.features.contains(&crate::health::FEATURE);
        self.net.conns.push(conn);
        self.tell_load();
        let (now, r) = (self.net.now_ms(), self.net.r());
        self.net.nodes = nodes_of(&hello.endpoints);
        let broker = Welcome {
            zone: zone_of(hello),
            pressure: Pressure::of(hello.state),
            nodes: &self.net.nodes,
        };
        let machine = &mut self.net.machine;
        let actions = machine.hello_ok(candidate, &broker, latency_ms, now, r);
        self.perform(actions);
        self.pump();
    }

    /// A dial has failed.
    pub fn on_connect_failed(&mut self, candidate: usize, e: pb::Error) {
        let (now, r) = (self.net.now_ms(), self.net.r());
        let (code, retry_after_ms) = (e.code, e.retry_after_ms.into());
        let redirect = e.redirect.as_ref().and_then(host_port).unwrap_or_default();
        let cause = Error::from_wire(&e);
        self.net.last_error = e;
        let endpoint = self.net.endpoint(candidate);
        tracing::debug!(endpoint, cause = %cause, "connect failed");
        self.net
            .measure(move |m| m.on_disconnected(&endpoint, &cause));
        let why = Refusal {
            code,
            redirect: &redirect,
            retry_after_ms,
        };
        let actions = self.net.machine.failed(candidate, &why, now, r);
        self.perform(actions);
    }

    fn id_of(&self, candidate: usize) -> Option<u64> {
        let conn = self
            .net
            .conns
            .iter()
            .find(|conn| conn.candidate == candidate);
        conn.map(|conn| conn.id)
    }

    fn on_ready(&mut self, candidate: usize) {
        let may_resend = !self.net.was_ready || self.net.charge_reconnect();
        self.net.was_ready = true;
        self.publish_on(candidate, may_resend);
        self.net.consuming = self.net.publishing;
        for sub in self.subs.values_mut() {
            sub.on_ready(&mut self.net);
        }
        self.tell_first(Ok(()));
    }

    fn publish_on(&mut self, candidate: usize, may_resend: bool) {
        self.net.publishing = self.id_of(candidate);
        self.net.draining = false;
        let Some(conn) = self.net.conn(self.net.publishing) else {
            return;
        };
        let (endpoint, state) = (conn.endpoint.clone(), conn.state);
        self.net.reset_flow(state);
        for (id, state) in &mut self.producers {
            for (part, publisher) in state.parts.iter_mut().enumerate() {
                if !may_resend {
                    publisher.give_up_unanswered(&mut self.net, &state.meta);
                }
                publisher.on_ready();
                if !publisher.queued {
                    publisher.queued = true;
                    self.runnable.push_back((*id, part));
                }
            }
        }
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.send_call(id);
        }
        tracing::debug!(endpoint, "connected");
        self.net.measure(move |m| m.on_connected(&endpoint));
    }

    fn lose_publishers(&mut self) {
        for state in self.producers.values_mut() {
            let lose = |publisher: &mut Publisher| publisher.on_lost(&mut self.net);
            state.parts.iter_mut().for_each(lose);
        }
        self.net.in_flight = 0;
    }

    fn on_draining(&mut self) {
        tracing::debug!("the broker is to be left; connecting elsewhere");
        self.net.draining = true;
        self.net.consuming = None;
        for sub in self.subs.values_mut() {
            sub.on_draining(&mut self.net);
        }
    }

    fn on_publishers_moved(&mut self, candidate: usize) {
        let may_resend = !self.is_publishing() || self.net.charge_reconnect();
        self.lose_publishers();
        self.publish_on(candidate, may_resend);
    }

    fn on_subscriptions_moved(&mut self, candidate: usize) {
        self.net.consuming = self.id_of(candidate);
        for sub in self.subs.values_mut() {
            sub.on_moved(&mut self.net);
        }
    }

    fn on_disconnected(&mut self, candidate: usize) {
        self.net.publishing = None;
        self.net.consuming = None;
        self.lose_publishers();
        for sub in self.subs.values_mut() {
            sub.on_lost(&mut self.net);
        }
        let endpoint = self.net.endpoint(candidate);
        let cause = Error::from_wire(&self.net.last_error);
        tracing::debug!(endpoint, cause = %cause, "disconnected");
        self.net
            .measure(move |m| m.on_disconnected(&endpoint, &cause));
    }

    /// Forgets a connection; its tasks end by themselves.
    fn forget(&mut self, id: u64) {
        self.net.conns.retain(|conn| conn.id != id);
        for call in self.calls.values_mut() {
            if call.asked.is_some_and(|(conn, _)| conn == id) {
                call.asked = None;
            }
        }
    }

    fn close_connection(&mut self, candidate: usize) {
        if let Some(id) = self.id_of(candidate) {
            if self.net.machine.phase() != Phase::Closed {
                self.net.last_error = wire_error(
                    codes::DRAINING,
                    format!("{} is left", self.net.endpoint(candidate)),
                    "it goes away, or a broker in the client's zone is back",
                    "the client goes on elsewhere by itself",
                );
            }
            self.forget(id);
        }
    }

    /// A connection ended that was not closed by us.
    pub fn on_lost(&mut self, id: u64, why: pb::Error) {
        if let Some(candidate) = self.net.conn(Some(id)).map(|conn| conn.candidate) {
            self.forget(id);
            self.net.last_error = why;
            let (now, r) = (self.net.now_ms(), self.net.r());
            let actions = self.net.machine.lost(candidate, now, r);
            self.perform(actions);
        }
    }

    pub fn on_go_away(&mut self, id: u64, notice: &pb::GoAway) {
        if self.is_active(id) {
            let (now, r) = (self.net.now_ms(), self.net.r());
            let broker = Farewell {
                grace_ms: notice.grace_ms.into(),
                reconnect_after_ms: notice.reconnect_after_ms.into(),
                nodes: &host_ports(&notice.endpoints),
            };
            let actions = self.net.machine.go_away(&broker, now, r);
            self.perform(actions);
        }
    }

    /// A request was answered with an error that says so. All else that is under way there will be, too.
    pub fn on_not_leader(&mut self, id: u64, e: &pb::Error) {
        if self.is_active(id) {
            let (now, r) = (self.net.now_ms(), self.net.r());
            let redirect = e.redirect.as_ref().and_then(host_port).unwrap_or_default();
            let actions = self.net.machine.not_leader(&redirect, now, r);
            self.perform(actions);
        }
    }

    /// Tells the machine what is under way, which may end the move to another connection, and then whether this one is in use.
    fn is_active(&mut self, id: u64) -> bool {
        self.tell_load();
        let candidate = self.net.conn(Some(id)).map(|conn| conn.candidate);
        candidate.is_some() && candidate == self.net.machine.active()
    }

    fn is_publishing(&self) -> bool {
        self.net.in_flight > 0
    }

    fn tell_load(&mut self) {
        let consuming = self.subs.values().any(SubLink::is_busy);
        let (publishing, now, r) = (self.is_publishing(), self.net.now_ms(), self.net.r());
        let actions = self.net.machine.load(publishing, consuming, now, r);
        self.perform(actions);
    }

    pub fn tick_connections(&mut self, now: Instant) {
        for conn in &mut self.net.conns {
            ping_when_quiet(conn, now);
        }
        if self.net.machine.phase() == Phase::Draining {
            self.tell_load();
        }
        let Net { machine, .. } = &mut self.net;
        if machine.phase() != Phase::Closed {
            let (now_ms, r) = (self.net.now_ms(), self.net.r());
            let actions = self.net.machine.timer(now_ms, r);
            self.perform(actions);
        }
    }
}

/// A sign of life when nothing else was sent for half a heartbeat.
fn ping_when_quiet(conn: &mut Conn, now: Instant) {
    if now.saturating_duration_since(conn.last_write) > conn.heartbeat / 2 {
        conn.last_write = now;
        conn.request(
            Kind::PING,
            0,
            &pb::Ping { nonce: 1 },
            crate::conn::Waiting::Pong,
        );
    }
}

/// Where the broker says it is; empty when it does not say.
fn zone_of(hello: &pb::HelloOk) -> &str {
    if !hello.zone.is_empty() {
        return &hello.zone;
    }
    let own = |each: &&pb::Endpoint| each.broker_id == hello.broker_id;
    let endpoint = hello.endpoints.iter().find(own);
    endpoint.map_or("", |endpoint| &endpoint.zone)
}

/// An endpoint as options have it; none when a broker says nothing that can be dialled.
fn host_port(endpoint: &pb::Endpoint) -> Option<String> {
    let port = u16::try_from(endpoint.port).ok().filter(|port| *port > 0)?;
    match endpoint.host.as_str() {
        "" => None,
        host if host.contains(':') => Some(format!("[{host}]:{port}")),
        host => Some(format!("{host}:{port}")),
    }
}

pub(crate) fn nodes_of(endpoints: &[pb::Endpoint]) -> Vec<Node> {
    let node = |each: &pb::Endpoint| {
        host_port(each).map(|endpoint| Node {
            endpoint,
            zone: each.zone.clone(),
        })
    };
    endpoints.iter().filter_map(node).collect()
}

fn host_ports(endpoints: &[pb::Endpoint]) -> Vec<String> {
    endpoints.iter().filter_map(host_port).collect()
}
