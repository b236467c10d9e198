use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::codes;
use crate::error::wire_error;
use crate::net::{Conn, Net, Owner, Waiting};
use crate::pb;
use crate::publisher::{Meta, Publisher};
use crate::sublink::SubLink;
use crate::wire::{Frame, Kind, Malformed};
use crate::Error;

const CALL_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const DEFAULT_GRACE: Duration = Duration::from_secs(5);

pub(crate) struct ProducerState {
    pub meta: Meta,
    pub parts: Vec<Publisher>,
    /// Nobody holds it any more: it goes once everything has its outcome.
    pub dropped: bool,
}

/// A request that stands for itself: sent when there is a connection, repeated when that is safe, failed at its deadline. Each is
/// read-only or carries a key by which the broker knows a repetition.
pub(crate) struct Call {
    pub what: String,
    pub kind: Kind,
    pub header: AdminHeader,
    /// Whether it changes something, so that its outcome may be unknown.
    pub changes: bool,
    pub deadline: Instant,
    pub timeout: Duration,
    pub done: Option<oneshot::Sender<Result<(Bytes, Bytes), Error>>>,
    pub correlation: Option<u32>,
    pub failures: u32,
    pub retry_cost: u32,
    pub sent: Instant,
    pub not_before: Option<Instant>,
    pub maybe_done: bool,
    pub last_error: Option<pb::Error>,
}

/// The headers that calls have.
pub(crate) enum AdminHeader {
    Topic(pb::TopicAdmin),
    Group(pb::GroupAdmin),
    Metadata(pb::Metadata),
    Seek(pb::Seek),
}

impl AdminHeader {
    fn request(&self, conn: &mut Conn, kind: Kind, call: u64) -> u32 {
        let waiting = Waiting::Call(call);
        match self {
            Self::Topic(header) => conn.request(kind, 0, header, waiting),
            Self::Group(header) => conn.request(kind, 0, header, waiting),
            Self::Metadata(header) => conn.request(kind, 0, header, waiting),
            Self::Seek(header) => conn.request(kind, 0, header, waiting),
        }
    }
}

/// Everything of a client, behind one lock that is never held while anything waits.
pub(crate) struct State {
    pub net: Net,
    pub producers: BTreeMap<u64, ProducerState>,
    pub subs: BTreeMap<u64, SubLink>,
    pub calls: BTreeMap<u64, Call>,
    runnable: VecDeque<(u64, usize)>,
    pub closed: bool,
}

impl State {
    pub fn new(net: Net) -> Self {
        Self {
            net,
            producers: BTreeMap::new(),
            subs: BTreeMap::new(),
            calls: BTreeMap::new(),
            runnable: VecDeque::new(),
            closed: false,
        }
    }

    // ---- publishing

    /// Queues a publisher that has something to do for its turn.
    pub fn run(&mut self, producer: u64, part: usize) {
        if let Some(publisher) = self
            .producers
            .get_mut(&producer)
            .and_then(|p| p.parts.get_mut(part))
        {
            if !publisher.queued {
                publisher.queued = true;
                self.runnable.push_back((producer, part));
            }
        }
    }

    /// Gives each publisher that has something to do its turn, until the window is full; sends what subscriptions want sent.
    pub fn pump(&mut self) {
        for _ in 0..self.runnable.len() {
            let Some((producer, part)) = self.runnable.pop_front() else {
                break;
            };
            let Some(state) = self.producers.get_mut(&producer) else {
                continue;
            };
            let publisher = &mut state.parts[part];
            publisher.queued = false;
            if publisher.pump(&mut self.net, &state.meta) {
                publisher.queued = true;
                self.runnable.push_back((producer, part));
            }
        }
        for sub in self.subs.values_mut() {
            sub.flush_if_wanted(&mut self.net);
        }
    }

    // ---- frames

    pub fn on_frame(&mut self, frame: Frame) -> Result<(), Malformed> {
        if frame.is_response() && frame.correlation != 0 {
            let waiting = self
                .net
                .conn
                .as_mut()
                .and_then(|conn| conn.waiting.remove(&frame.correlation));
            return match waiting {
                Some(waiting) => self.on_answer(waiting, frame),
                None => Ok(()),
            };
        }
        let owner = self
            .net
            .conn
            .as_ref()
            .and_then(|conn| conn.channels.get(&frame.channel).copied());
        match frame.kind {
            Kind::DELIVER => {
                if let Some(Owner::Subscription(id)) = owner {
                    if let Some(sub) = self.subs.get_mut(&id) {
                        return sub.on_deliver(
                            &mut self.net,
                            decode(&frame.header)?,
                            frame.payload,
                        );
                    }
                }
            }
            Kind::PING if !frame.is_response() && frame.correlation != 0 => {
                let ping: pb::Ping = decode(&frame.header)?;
                if let Some(conn) = self.net.conn.as_mut() {
                    conn.put(Kind::PING, 1, 0, frame.correlation, &ping, None);
                }
            }
            Kind::GO_AWAY => self.on_go_away(&decode(&frame.header)?),
            Kind::BACKPRESSURE => self.on_backpressure(frame.channel, &decode(&frame.header)?),
            _ if frame.is_error() => return self.on_one_way_error(&frame, owner),
            _ => {}
        }
        Ok(())
    }

    /// The broker ends a handle, or says why it ends the session.
    fn on_one_way_error(&mut self, frame: &Frame, owner: Option<Owner>) -> Result<(), Malformed> {
        let e: pb::Error = decode(&frame.header)?;
        match owner {
            Some(Owner::Subscription(id)) if frame.kind == Kind::SUBSCRIBE => {
                if let Some(sub) = self.subs.get_mut(&id) {
                    sub.on_ended(&mut self.net, &e);
                }
            }
            Some(Owner::Publisher { producer, part }) if frame.kind == Kind::OPEN_PUBLISHER => {
                if let Some(state) = self.producers.get_mut(&producer) {
                    state.parts[part].on_ended(&mut self.net, &mut state.meta, &e);
                }
                self.run(producer, part);
            }
            None if frame.channel == 0 && frame.kind == Kind::HELLO => {
                return Err(Malformed(format!(
                    "the broker ended the session: {}",
                    Error::from_wire(&e)
                )));
            }
            _ => {}
        }
        Ok(())
    }

    fn on_answer(&mut self, waiting: Waiting, frame: Frame) -> Result<(), Malformed> {
        let failed: Option<pb::Error> = if frame.is_error() {
            Some(decode(&frame.header)?)
        } else {
            None
        };
        match waiting {
            Waiting::Pong => {}
            Waiting::Bye(done) => {
                let _ = done.send(()); // who waited may have given up
            }
            Waiting::Publish {
                producer,
                part,
                serial,
            } => {
                if let Some(state) = self.producers.get_mut(&producer) {
                    let publisher = &mut state.parts[part];
                    match failed {
                        Some(e) => publisher.on_refused(&mut self.net, &mut state.meta, serial, &e),
                        None => publisher.on_ack(
                            &mut self.net,
                            &state.meta,
                            serial,
                            decode(&frame.header)?,
                        ),
                    }
                }
                self.run(producer, part);
            }
            Waiting::OpenPublisher { producer, part } => {
                if let Some(state) = self.producers.get_mut(&producer) {
                    let answer = result(failed, &frame.header)?;
                    state.parts[part].on_open_answer(&mut self.net, &mut state.meta, answer);
                }
                self.run(producer, part);
            }
            Waiting::Call(id) => self.on_call_answer(id, failed, frame),
            Waiting::Subscribe(id) => {
                if let Some(sub) = self.subs.get_mut(&id) {
                    sub.on_open_answer(&mut self.net, result(failed, &frame.header)?);
                }
            }
            Waiting::Unsubscribe(id) => {
                if let Some(sub) = self.subs.get_mut(&id) {
                    sub.on_unsubscribed();
                }
            }
            Waiting::Ack { sub, bundle } => {
                if let Some(sub) = self.subs.get_mut(&sub) {
                    sub.acks
                        .on_answer(&mut self.net, bundle, result(failed, &frame.header)?);
                }
            }
        }
        Ok(())
    }

    fn on_backpressure(&mut self, channel: u16, signal: &pb::Backpressure) {
        let channel = if signal.channel == 0 {
            channel
        } else {
            signal.channel as u16
        };
        if channel == 0 {
            self.net
                .on_pressure(signal.state, signal.retry_after_ms, &signal.scope);
        } else if let Some(Owner::Publisher { producer, part }) = self
            .net
            .conn
            .as_ref()
            .and_then(|conn| conn.channels.get(&channel).copied())
        {
            if let Some(state) = self.producers.get_mut(&producer) {
                state.parts[part].on_backpressure(&mut self.net, &state.meta, signal);
            }
            self.run(producer, part);
        }
    }

    fn on_go_away(&mut self, notice: &pb::GoAway) {
        let Some(conn) = self
            .net
            .conn
            .as_mut()
            .filter(|conn| conn.draining.is_none())
        else {
            return;
        };
        let grace = match notice.grace_ms {
            0 => DEFAULT_GRACE,
            ms => Duration::from_millis(ms.into()),
        };
        conn.draining = Some(Instant::now() + grace);
        self.net.reconnect_after_ms = notice.reconnect_after_ms.into();
        self.net.begin = self.net.chosen + 1;
        self.subs.values().for_each(SubLink::discard_idle);
    }

    // ---- the connection

    pub fn on_ready(&mut self, conn: Conn) {
        self.net.reset_flow(conn.state);
        let endpoint = conn.endpoint.clone();
        self.net.conn = Some(conn);
        self.net.ready_since = Instant::now();
        let may_resend = !self.net.was_ready || self.net.charge_reconnect();
        self.net.was_ready = true;
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
        for sub in self.subs.values_mut() {
            sub.on_ready(&mut self.net);
        }
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.send_call(id);
        }
        self.net.measure(move |m| m.on_connected(&endpoint));
    }

    pub fn on_lost(&mut self, id: u64, why: pb::Error) {
        if self.net.conn.as_ref().is_none_or(|conn| conn.id != id) {
            return;
        }
        let conn = self.net.conn.take().expect("just looked");
        let cause = Error::from_wire(&why);
        self.net.last_error = why;
        for state in self.producers.values_mut() {
            state
                .parts
                .iter_mut()
                .for_each(|publisher| publisher.on_lost(&mut self.net));
        }
        self.subs.values_mut().for_each(SubLink::on_lost);
        for call in self.calls.values_mut() {
            call.correlation = None;
        }
        self.net.in_flight = 0;
        self.net
            .measure(move |m| m.on_disconnected(&conn.endpoint, &cause));
    }

    fn is_busy(&self) -> bool {
        self.net.in_flight > 0 || self.subs.values().any(|sub| sub.acks.is_busy())
    }

    // ---- time

    pub fn tick(&mut self, now: Instant) {
        let busy = self.is_busy();
        if let Some(conn) = self.net.conn.as_mut() {
            if now.saturating_duration_since(conn.last_write) > conn.heartbeat / 2 {
                conn.last_write = now;
                conn.request(Kind::PING, 0, &pb::Ping { nonce: 1 }, Waiting::Pong);
            }
            if conn.draining.is_some_and(|end| !busy || now > end) {
                conn.failed = Some(wire_error(
                    codes::DRAINING,
                    format!("{} is going away", conn.endpoint),
                    "it asked its clients to leave",
                    "the client reconnects by itself",
                ));
            }
        }
        for (id, state) in &mut self.producers {
            for (part, publisher) in state.parts.iter_mut().enumerate() {
                if publisher.tick(&mut self.net, &mut state.meta, now) && !publisher.queued {
                    publisher.queued = true;
                    self.runnable.push_back((*id, part));
                }
            }
        }
        for sub in self.subs.values_mut() {
            sub.tick(&mut self.net, now);
        }
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.tick_call(id, now);
        }
        self.forget_dropped();
        self.pump();
    }

    /// What nobody holds goes once it has nothing to do any more.
    fn forget_dropped(&mut self) {
        self.subs.retain(|_, sub| !sub.is_over());
        let idle =
            |state: &ProducerState| state.dropped && !state.parts.iter().any(Publisher::is_busy);
        let gone: Vec<u64> = self
            .producers
            .iter()
            .filter(|(_, state)| idle(state))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.end_producer(id, &Error::closed("the producer"));
        }
    }

    pub fn end_producer(&mut self, id: u64, cause: &Error) {
        if let Some(mut state) = self.producers.remove(&id) {
            state
                .parts
                .iter_mut()
                .for_each(|publisher| publisher.end(&mut self.net, &state.meta, cause));
            state.meta.space.close();
        }
    }

    // ---- calls

    pub fn send_call(&mut self, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let due = call.not_before.is_none_or(|at| Instant::now() >= at);
        if call.correlation.is_some() || !due {
            return;
        }
        if let Some(conn) = self.net.usable() {
            call.sent = Instant::now();
            call.maybe_done = true;
            call.correlation = Some(call.header.request(conn, call.kind, id));
        }
    }

    fn on_call_answer(&mut self, id: u64, failed: Option<pb::Error>, frame: Frame) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.correlation = None;
        match failed {
            None => {
                self.net.on_success(call.retry_cost);
                self.net.on_outcome(None, call.sent);
                self.finish_call(id, Ok((frame.header, frame.payload)));
            }
            Some(e) => self.on_call_error(id, e),
        }
    }

    fn on_call_error(&mut self, id: u64, e: pb::Error) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.failures += 1;
        self.net.on_outcome(Some(&e), call.sent);
        let verdict = self.net.after_admin(
            &e,
            call.failures,
            call.deadline.saturating_duration_since(Instant::now()),
        );
        call.maybe_done = verdict.outcome_unknown;
        call.last_error = Some(e);
        if verdict.again {
            call.retry_cost = verdict.cost;
            call.not_before = Some(Instant::now() + verdict.delay);
        } else {
            self.finish_call(id, Err(Error::from_wire(&verdict.error)));
        }
    }

    fn tick_call(&mut self, id: u64, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if call.deadline < now {
            let error = self.late(id);
            self.finish_call(id, Err(error));
        } else if let Some(correlation) = call
            .correlation
            .filter(|_| now - call.sent > CALL_ATTEMPT_TIMEOUT)
        {
            call.correlation = None;
            let e = wire_error(
                codes::ATTEMPT_TIMEOUT,
                format!("no answer to {}", call.what),
                format!("none came within {} ms", CALL_ATTEMPT_TIMEOUT.as_millis()),
                "look at the broker's health",
            );
            if let Some(conn) = self.net.conn.as_mut() {
                conn.waiting.remove(&correlation);
            }
            self.on_call_error(id, e);
        } else {
            self.send_call(id);
        }
    }

    fn late(&mut self, id: u64) -> Error {
        let call = &self.calls[&id];
        let (code, next) = if call.changes && call.maybe_done {
            (
                codes::OUTCOME_UNKNOWN,
                "look whether it was done before doing it again",
            )
        } else {
            (
                codes::DEADLINE_EXCEEDED,
                "try again, or allow a longer request timeout",
            )
        };
        let why = match &call.last_error {
            _ if self.net.usable().is_none() => self.net.disconnected_because(),
            Some(e) => Error::from_wire(e).to_string(),
            None => "the broker did not answer".into(),
        };
        let call = &self.calls[&id];
        Error::new(
            code,
            format!(
                "{} has no answer after {} ms",
                call.what,
                call.timeout.as_millis()
            ),
            why,
            next,
        )
    }

    pub fn finish_call(&mut self, id: u64, result: Result<(Bytes, Bytes), Error>) {
        if let Some(done) = self.calls.remove(&id).and_then(|mut call| call.done.take()) {
            let _ = done.send(result); // who waited may have given up
        }
    }

    // ---- the end

    pub fn shut_down(&mut self) {
        self.closed = true;
        let cause = Error::closed("the client");
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.finish_call(id, Err(cause.clone()));
        }
        for id in self.producers.keys().copied().collect::<Vec<_>>() {
            self.end_producer(id, &cause);
        }
        for sub in self.subs.values_mut() {
            sub.end(&mut self.net, cause.clone());
        }
        self.subs.clear();
    }
}

fn decode<M: prost::Message + Default>(header: &Bytes) -> Result<M, Malformed> {
    M::decode(header.clone()).map_err(|e| Malformed(format!("a header cannot be read: {e}")))
}

fn result<M: prost::Message + Default>(
    failed: Option<pb::Error>,
    header: &Bytes,
) -> Result<Result<M, pb::Error>, Malformed> {
    match failed {
        Some(e) => Ok(Err(e)),
        None => decode(header).map(Ok),
    }
}
