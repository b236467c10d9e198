use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::acks::AckSender;
use crate::codes;
use crate::conn::{Owner, Waiting};
use crate::delivery::Delivery;
use crate::net::{waits_for_leader, Net};
use crate::options::SubscribeOptions;
use crate::pb;
use crate::wire::Kind;
use crate::Error;

mod incoming;

const MODE_STREAM: u32 = 3;
const ROLE_STANDBY: u32 = 1;
pub(crate) const START_OFFSET: u32 = 3;
const STABLE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening,
    Active,
    Ended,
}

/// Changes of the active member on their way to the listener, in their order whichever tasks tell them.
#[derive(Default)]
struct Turns {
    changes: VecDeque<bool>,
    is_told: bool,
}

impl Turns {
    fn tell(turns: &Mutex<Self>, listener: &dyn Fn(bool)) {
        let next = |goes_on: bool| {
            let mut turns = turns.lock().expect("no panic under this lock");
            if turns.is_told && !goes_on {
                return None; // by another task, which takes these, too
            }
            let change = turns.changes.pop_front();
            turns.is_told = change.is_some();
            change
        };
        let mut change = next(false);
        while let Some(active) = change {
            listener(active);
            change = next(true);
        }
    }
}

/// The network side of a subscription: it subscribes, and again after each reconnect, checks and queues what is delivered, and
/// grants credit as it is consumed. A reader goes on at the record after the last one queued, in each partition.
pub(crate) struct SubLink {
    pub id: u64,
    topic: Arc<str>,
    opts: SubscribeOptions,
    pub queue: Arc<Delivery>,
    pub acks: AckSender,
    pub opened: Option<oneshot::Sender<Result<Vec<u32>, Error>>>,
    /// None while it is open; then why it is over, no error after a close.
    pub ended: watch::Sender<Option<Result<(), Error>>>,
    /// Whether it is subscribed and its turn in the group.
    pub active: watch::Sender<bool>,
    turns: Arc<Mutex<Turns>>,
    /// How many `consume`s run; a close waits for none.
    pub consumers: Arc<watch::Sender<usize>>,
    state: State,
    conn: Option<u64>,
    channel: u16,
    /// Reader only: offset of the next record, by partition.
    next: BTreeMap<u32, u64>,
    failures: u32,
    active_since: Instant,
    not_before: Option<Instant>,
    last_refusal: String,
    draining: bool,
    /// The broker is to be left: what it still delivers goes back.
    leaving: bool,
    /// Nobody holds it any more: it goes once its settlements are confirmed.
    pub dropped: bool,
    received: (u64, u64),
    granted: (u64, u64),
    corrupt: Option<(u64, u32)>,
    unsubscribed: Option<oneshot::Sender<()>>,
}

impl SubLink {
    pub fn new(
        id: u64,
        topic: Arc<str>,
        opts: SubscribeOptions,
        queue: Arc<Delivery>,
        acks: AckSender,
        next: BTreeMap<u32, u64>,
        opened: oneshot::Sender<Result<Vec<u32>, Error>>,
    ) -> Self {
        Self {
            id,
            topic,
            opts,
            queue,
            acks,
            opened: Some(opened),
            ended: watch::Sender::new(None),
            active: watch::Sender::new(false),
            turns: Arc::default(),
            consumers: Arc::new(watch::Sender::new(0)),
            state: State::Closed,
            conn: None,
            channel: 0,
            next,
            failures: 0,
            active_since: Instant::now(),
            not_before: None,
            last_refusal: String::new(),
            draining: false,
            leaving: false,
            dropped: false,
            received: (0, 0),
            granted: (0, 0),
            corrupt: None,
            unsubscribed: None,
        }
    }

    fn is_stream(&self) -> bool {
        self.opts.group.is_empty()
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    pub fn obstacle(&self, net: &mut Net) -> String {
        if net.usable().is_none() {
            net.disconnected_because()
        } else if self.last_refusal.is_empty() {
            "no answer from the broker".into()
        } else {
            self.last_refusal.clone()
        }
    }

    pub fn open(&mut self, net: &mut Net) {
        let due = self.not_before.is_none_or(|at| Instant::now() >= at);
        if self.state != State::Closed
            || !due
            || self.draining && !self.acks.has_unconfirmed()
            || net.consuming.is_none()
        {
            return;
        }
        self.received = (0, 0);
        let credit = if self.draining {
            pb::Credit::default()
        } else {
            self.next_credit()
        };
        let Some(conn) = net.conn(net.consuming) else {
            return;
        };
        self.state = State::Opening;
        self.conn = Some(conn.id);
        self.channel = conn.open_channel(Owner::Subscription(self.id));
        let starts = self.next.iter().map(|(partition, offset)| pb::Start {
            kind: START_OFFSET,
            partition: *partition,
            offset: *offset,
            ..pb::Start::default()
        });
        let header = pb::Subscribe {
            topic: self.topic.to_string(),
            partitions: self.opts.partitions.clone(),
            group: self.opts.group.clone(),
            mode: if self.is_stream() {
                MODE_STREAM
            } else {
                self.opts.terms.mode.wire()
            },
            start: self.opts.start,
            lease_ms: self.opts.lease.as_millis() as u32,
            max_unacked: self.opts.max_unacked.unwrap_or(0),
            max_deliveries: self.opts.max_deliveries,
            role: if self.opts.standby { ROLE_STANDBY } else { 0 },
            credit: Some(credit),
            consumer_name: self.opts.name.clone(),
            starts: starts.collect(),
            filter: self.opts.terms.filter.clone().unwrap_or_default(),
            group_config: self.opts.terms.by_name().into_iter().collect(),
            ..pb::Subscribe::default()
        };
        conn.request(
            Kind::SUBSCRIBE,
            self.channel,
            &header,
            Waiting::Subscribe(self.id),
        );
    }

    pub fn on_open_answer(&mut self, net: &mut Net, answer: Result<pb::SubscribeOk, pb::Error>) {
        if self.state != State::Opening {
            return;
        }
        match answer {
            Err(e) => self.on_ended(net, &e),
            Ok(ok) => {
                self.state = State::Active;
                self.active_since = Instant::now();
                tracing::debug!(topic = %self.topic, group = self.opts.group, partitions = ?ok.partitions, "subscribed");
                self.acks.on_open(net, self.conn, self.channel);
                self.set_active(net, ok.role != ROLE_STANDBY);
                if net.health.braked {
                    self.pause(net);
                }
                if let Some(opened) = self.opened.take() {
                    let _ = opened.send(Ok(ok.partitions)); // who waited may have given up
                }
            }
        }
    }

    /// The broker has made it the active member of its group, or another one in its place.
    pub fn on_handoff(&mut self, net: &mut Net, handoff: &pb::Handoff) {
        let stands_by = self.opts.standby || self.opts.terms.mode == crate::GroupMode::Exclusive;
        if self.state == State::Active && stands_by {
            self.set_active(net, handoff.gained);
        }
    }

    fn set_active(&mut self, net: &mut Net, active: bool) {
        if self.active.send_replace(active) == active {
            return;
        }
        tracing::debug!(topic = %self.topic, group = self.opts.group, active, "active member");
        if let Some(tell) = self.opts.on_active.clone() {
            let turns = self.turns.clone();
            turns
                .lock()
                .expect("no panic under this lock")
                .changes
                .push_back(active);
            net.deferred
                .push(Box::new(move || Turns::tell(&turns, &*tell)));
        }
    }

    /// Refused, or ended by the broker.
    pub fn on_ended(&mut self, net: &mut Net, e: &pb::Error) {
        if self.state == State::Active && self.active_since.elapsed() > STABLE {
            self.failures = 0;
        }
        self.leave(net);
        self.failures += u32::from(!waits_for_leader(e));
        self.last_refusal = Error::from_wire(e).to_string();
        let verdict = net.after_subscribe(e, self.failures);
        // A change of leader is as a lost connection.
        if verdict.again && (!self.draining || waits_for_leader(e)) {
            self.not_before = Some(Instant::now() + verdict.delay);
        } else {
            self.end(net, &Error::from_wire(&verdict.error));
        }
    }

    fn leave(&mut self, net: &mut Net) {
        if let Some(conn) = net.conn(self.conn) {
            conn.channels.remove(&self.channel);
        }
        self.on_lost(net);
    }

    pub fn on_lost(&mut self, net: &mut Net) {
        self.set_active(net, false);
        self.discard_idle();
        self.acks.on_lost();
        self.conn = None;
        self.leaving = false;
        self.unsubscribed = None;
        if self.state != State::Ended {
            self.state = State::Closed;
        }
    }

    /// Whether something is under way at the broker; what that has ended is not.
    pub fn is_busy(&self) -> bool {
        self.state == State::Active && self.acks.is_busy()
    }

    /// Whether that connection is the one whose answers count.
    pub fn is_on(&self, conn: u64) -> bool {
        self.conn == Some(conn)
    }

    /// The connection soon will be over: what a group's members have not begun is better handled elsewhere.
    pub fn on_draining(&mut self, net: &mut Net) {
        if !self.is_stream() {
            self.leaving = true;
            self.pause(net);
            self.discard_idle();
        }
    }

    /// It goes on over another connection.
    pub fn on_moved(&mut self, net: &mut Net) {
        self.unsubscribe(net, None);
        self.leave(net);
        self.on_ready(net);
    }

    fn discard_idle(&self) {
        if !self.is_stream() {
            self.queue.discard();
        }
    }

    pub fn on_ready(&mut self, net: &mut Net) {
        self.not_before = None;
        self.open(net);
    }

    pub fn tick(&mut self, net: &mut Net) {
        self.open(net);
        self.acks.tick(net);
        if self.dropped && !self.acks.has_unconfirmed() {
            self.unsubscribe(net, None);
            self.close(net);
        }
    }

    /// Settlements and credit that consuming tasks have asked to be sent.
    pub fn flush_if_wanted(&mut self, net: &mut Net) {
        if self.acks.inbox.flush_wanted.swap(false, Ordering::AcqRel) {
            self.acks.flush(net);
            self.grant_credit(net);
        }
    }

    // ---- the end

    /// Takes no more; what still comes is given back.
    pub fn pause_deliveries(&mut self, net: &mut Net) {
        self.draining = true;
        self.pause(net);
    }

    fn pause(&mut self, net: &mut Net) {
        if self.state == State::Active {
            let credit = Some(pb::Credit {
                max_batches: self.granted.0,
                max_bytes: self.granted.1,
            });
            let channel = self.channel;
            if let Some(conn) = net.conn(self.conn) {
                conn.send(
                    Kind::CREDIT_GRANT,
                    channel,
                    &pb::CreditGrant {
                        credit,
                        drain: false,
                        paused: true,
                    },
                );
            }
        }
    }

    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// The client has no memory for more, or has it again.
    pub fn on_brake(&mut self, net: &mut Net) {
        if self.draining || self.leaving || self.state != State::Active {
            return;
        }
        if net.health.braked {
            self.pause(net);
            return;
        }
        let (channel, credit) = (self.channel, Some(self.next_credit()));
        if let Some(conn) = net.conn(self.conn) {
            let grant = pb::CreditGrant {
                credit,
                ..pb::CreditGrant::default()
            };
            conn.send(Kind::CREDIT_GRANT, channel, &grant);
        }
    }

    /// The sender is dropped or used when it is done, or there is nothing to do. What is only being opened is given back, too:
    /// one that was refused is no mistake to give back.
    pub fn unsubscribe(&mut self, net: &mut Net, done: Option<oneshot::Sender<()>>) {
        if matches!(self.state, State::Opening | State::Active) {
            self.unsubscribed = done;
            let (channel, id) = (self.channel, self.id);
            if let Some(conn) = net.conn(self.conn) {
                conn.request(
                    Kind::UNSUBSCRIBE,
                    channel,
                    &pb::Unsubscribe::default(),
                    Waiting::Unsubscribe(id),
                );
            }
        }
    }

    pub fn on_unsubscribed(&mut self) {
        self.unsubscribed = None;
    }

    /// Over, by the user's wish.
    pub fn close(&mut self, net: &mut Net) {
        let closed = Error::closed(self.describe());
        self.over(net, &closed, Ok(()));
    }

    /// Over, because it cannot go on.
    pub fn end(&mut self, net: &mut Net, why: &Error) {
        tracing::debug!(topic = %self.topic, group = self.opts.group, cause = %why, "subscription ended");
        let result = if why.code() == codes::CLIENT_CLOSED {
            Ok(())
        } else {
            Err(why.clone())
        };
        self.over(net, why, result);
    }

    fn over(&mut self, net: &mut Net, why: &Error, result: Result<(), Error>) {
        if self.state == State::Ended {
            return;
        }
        self.leave(net);
        self.state = State::Ended;
        if let Some(opened) = self.opened.take() {
            // Only its client's end drains what is not open yet, and gives it back; the broker may say just that.
            let error = if self.draining {
                Error::closed(self.describe())
            } else {
                why.clone()
            };
            let _ = opened.send(Err(error)); // who waited may have given up
        }
        self.queue.end(why.clone());
        self.acks.end(net, why);
        self.ended.send_replace(Some(result));
    }

    pub fn describe(&self) -> String {
        if self.is_stream() {
            format!("the subscription of a reader to {}", self.topic)
        } else {
            format!(
                "the subscription of group {} to {}",
                self.opts.group, self.topic
            )
        }
    }
}
