use std::collections::{BTreeMap, VecDeque};
use std::sync::Weak;
use std::time::Instant;

use bytes::Bytes;

use crate::calls::Call;
use crate::client::Shared;
use crate::codes;
use crate::conn::{Owner, Waiting};
use crate::core::{Pressure, PressureView};
use crate::net::Net;
use crate::pb;
use crate::publisher::{Meta, Publisher};
use crate::sublink::SubLink;
use crate::wire::{Frame, Kind, Malformed};
use crate::Error;

pub(crate) struct ProducerState {
    pub meta: Meta,
    pub parts: Vec<Publisher>,
    /// Nobody holds it any more: it goes once everything has its outcome.
    pub dropped: bool,
}

/// Everything of a client, behind one lock that is never held while anything waits.
pub(crate) struct State {
    pub net: Net,
    pub producers: BTreeMap<u64, ProducerState>,
    pub subs: BTreeMap<u64, SubLink>,
    pub calls: BTreeMap<u64, Call>,
    /// Readers of the nearest node, each with connections of its own, and the number of its subscription there.
    pub readers: Vec<(Weak<Shared>, u64)>,
    pub runnable: VecDeque<(u64, usize)>,
    pub closed: bool,
}

impl State {
    pub fn new(net: Net) -> Self {
        Self {
            net,
            producers: BTreeMap::new(),
            subs: BTreeMap::new(),
            calls: BTreeMap::new(),
            readers: Vec::new(),
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

    pub fn on_frame(&mut self, id: u64, frame: Frame) -> Result<(), Malformed> {
        let Some(conn) = self.net.conn(Some(id)) else {
            return Ok(()); // closed by us meanwhile
        };
        if frame.is_response() && frame.correlation != 0 {
            return match conn.waiting.remove(&frame.correlation) {
                Some(waiting) => self.on_answer(id, waiting, frame),
                None => Ok(()),
            };
        }
        let owner = conn.channels.get(&frame.channel).copied();
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
            Kind::HANDOFF => {
                if let Some(Owner::Subscription(id)) = owner {
                    if let Some(sub) = self.subs.get_mut(&id) {
                        sub.on_handoff(&mut self.net, &decode(&frame.header)?);
                    }
                }
            }
            Kind::PING if !frame.is_response() && frame.correlation != 0 => {
                let ping: pb::Ping = decode(&frame.header)?;
                if let Some(conn) = self.net.conn(Some(id)) {
                    conn.put(Kind::PING, 1, 0, frame.correlation, &ping, None);
                }
            }
            Kind::GO_AWAY => self.on_go_away(id, &decode(&frame.header)?),
            Kind::TOGGLE_UPDATE => self.net.on_toggles(&decode(&frame.header)?),
            Kind::BACKPRESSURE => self.on_backpressure(id, frame.channel, &decode(&frame.header)?),
            _ if frame.is_error() => return self.on_one_way_error(id, &frame, owner),
            _ => {}
        }
        Ok(())
    }

    /// The broker ends a handle, or says why it ends the session.
    fn on_one_way_error(
        &mut self,
        id: u64,
        frame: &Frame,
        owner: Option<Owner>,
    ) -> Result<(), Malformed> {
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
        if owner.is_some() && e.code == codes::NOT_LEADER {
            self.on_not_leader(id, &e);
        }
        Ok(())
    }

    fn on_answer(&mut self, id: u64, waiting: Waiting, frame: Frame) -> Result<(), Malformed> {
        let failed: Option<pb::Error> = if frame.is_error() {
            Some(decode(&frame.header)?)
        } else {
            None
        };
        let elsewhere = failed.clone().filter(|e| e.code == codes::NOT_LEADER);
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
                if let Some(state) = self
                    .producers
                    .get_mut(&producer)
                    .filter(|state| state.parts[part].is_on(id))
                {
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
                if let Some(state) = self
                    .producers
                    .get_mut(&producer)
                    .filter(|state| state.parts[part].is_on(id))
                {
                    let answer = result(failed, &frame.header)?;
                    state.parts[part].on_open_answer(&mut self.net, &mut state.meta, answer);
                }
                self.run(producer, part);
            }
            Waiting::Call(call) => self.on_call_answer(call, failed, frame),
            Waiting::Subscribe(sub) => {
                if let Some(sub) = self.subs.get_mut(&sub).filter(|sub| sub.is_on(id)) {
                    sub.on_open_answer(&mut self.net, result(failed, &frame.header)?);
                }
            }
            Waiting::Unsubscribe(sub) => {
                if let Some(sub) = self.subs.get_mut(&sub) {
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
        if let Some(e) = elsewhere {
            self.on_not_leader(id, &e);
        }
        Ok(())
    }

    fn on_backpressure(&mut self, id: u64, channel: u16, signal: &pb::Backpressure) {
        let channel = if signal.channel == 0 {
            channel
        } else {
            signal.channel as u16
        };
        if channel == 0 {
            if self.net.publishing == Some(id) {
                let actions = self.net.machine.pressure(Pressure::of(signal.state));
                self.perform(actions);
                self.net.on_backpressure(signal);
            }
            return;
        }
        let owner = self
            .net
            .conn(Some(id))
            .and_then(|conn| conn.channels.get(&channel).copied());
        if let Some(Owner::Publisher { producer, part }) = owner {
            if let Some(state) = self.producers.get_mut(&producer) {
                state.parts[part].on_backpressure(&mut self.net, &state.meta, signal);
            }
            self.run(producer, part);
        }
    }

    // ---- time

    pub fn tick(&mut self, now: Instant) {
        self.tick_connections(now);
        let now_ms = self.net.now_ms();
        let changed = self.net.view.timer(now_ms);
        self.net.tell_pressure_when(changed);
        self.net.end_holds(PressureView::timer);
        for (id, state) in &mut self.producers {
            for (part, publisher) in state.parts.iter_mut().enumerate() {
                if publisher.tick(&mut self.net, &mut state.meta, now) && !publisher.queued {
                    publisher.queued = true;
                    self.runnable.push_back((*id, part));
                }
            }
        }
        for sub in self.subs.values_mut() {
            sub.tick(&mut self.net);
        }
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.tick_call(id, now);
        }
        self.tick_refresh(now);
        self.tick_health();
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
            state.meta.on_open(Err(cause.clone()));
            state.meta.space.close();
        }
    }

    // ---- the end

    pub fn shut_down(&mut self) {
        self.closed = true;
        let actions = self.net.machine.close();
        let cause = Error::closed("the client");
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.finish_call(id, Err(cause.clone()));
        }
        for id in self.producers.keys().copied().collect::<Vec<_>>() {
            self.end_producer(id, &cause);
        }
        for sub in self.subs.values_mut() {
            sub.end(&mut self.net, &cause);
        }
        self.subs.clear();
        self.perform(actions);
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
