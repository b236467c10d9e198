use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, Semaphore};

use crate::batch::{BatchCell, OutBatch};
use crate::codes;
use crate::conn::{Owner, Waiting};
use crate::core::PressureView;
use crate::error::wire_error;
use crate::net::{waits_for_leader, Net, MAX_GATE_MS, MAX_PUBLISH_ATTEMPTS};
use crate::options::ProducerOptions;
use crate::pb;
use crate::queue::Queue;
use crate::wire::Kind;
use crate::Error;

mod expiry;
mod handle;
mod in_progress;
mod load;

/// While this many batches are under way, records gather until a batch is full.
const GATHER_AT: usize = 4;
/// The broker remembers 64 batches of a producer; half of them may be under way.
const MAX_IN_FLIGHT: usize = 32;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const MIN_ATTEMPT: Duration = Duration::from_millis(50);
const MAX_STARVED: Duration = Duration::from_secs(2);

/// What the partitions of a producer share.
pub(crate) struct Meta {
    pub id: u64,
    pub topic: Arc<str>,
    pub opts: ProducerOptions,
    pub space: Arc<Semaphore>,
    pub producer_id: u64,
    pub opened: Option<oneshot::Sender<Result<(), Error>>>,
    pub obstacle: String,
}

impl Meta {
    pub fn on_open(&mut self, result: Result<(), Error>) {
        if let Err(error) = &result {
            self.obstacle = error.to_string();
        }
        if let Some(opened) = self.opened.take() {
            let _ = opened.send(result); // who waited may have given up
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Opened when it is wanted and there is a connection.
    Closed,
    Opening,
    Open,
    /// For good.
    Ended,
}

/// Absolute totals since the publisher was opened.
#[derive(Debug, Default)]
struct Credit {
    limited: bool,
    max: (u64, u64),
    used: (u64, u64),
}

impl Credit {
    fn grant(&mut self, credit: Option<&pb::Credit>) {
        if let Some(credit) = credit {
            self.max = (
                self.max.0.max(credit.max_batches),
                self.max.1.max(credit.max_bytes),
            );
        }
    }

    fn used_up(&self) -> String {
        let (used, max) = (self.used, self.max);
        format!(
            "the broker's credit is used up: {} of {} batches, {} of {} bytes",
            used.0, max.0, used.1, max.1
        )
    }

    /// The last batch may exceed the bytes, as with the broker's own count.
    fn admits(&self) -> bool {
        !self.limited || self.used.0 < self.max.0 && self.used.1 < self.max.1
    }
}

/// Sends the batches of one producer to one partition, in the order of their sequence, until each has its outcome.
///
/// `sent` holds the batches under way; `again` those that were taken back, after a refusal or with a lost connection, and go
/// before anything new. Both are in sequence order, and `sent` is before `again`. A batch whose records have their outcome before
/// the broker's verdict is *abandoned*: in `sent` it goes on, in `again` it only keeps its place. When an abandoned place comes up,
/// the broker is asked what it has: a batch that was stored leaves no hole; else the producer's epoch is raised, its sequence
/// starts at 0, and what came after the hole, which cannot have been stored, is sent under the new epoch.
#[allow(clippy::struct_excessive_bools)] // each may be true without the others
pub(crate) struct Publisher {
    index: usize,
    pub queue: Arc<Queue>,
    /// Whether it waits for its turn; the state's.
    pub queued: bool,
    sent: VecDeque<OutBatch>,
    again: VecDeque<OutBatch>,
    /// Not to be sent before.
    later: Vec<(Instant, OutBatch)>,
    epoch_used: bool,
    next_sequence: u64,
    /// The broker expects another sequence; it is asked once nothing is under way.
    out_of_step: bool,
    starved_since: Instant,

    state: State,
    conn: Option<u64>,
    channel: u16,
    credit: Credit,
    max_in_flight: usize,
    producer_id: u64,
    epoch: u16,
    /// Whether the next opening gives the producer's name, which makes the broker raise the epoch.
    by_name: bool,
    wanted: bool,
    failures: u32,
    not_before: Option<Instant>,
    last_refusal: Option<pb::Error>,
    view: PressureView,
}

impl Publisher {
    pub fn new(index: usize, queue: Arc<Queue>) -> Self {
        Self {
            index,
            queue,
            queued: false,
            sent: VecDeque::new(),
            again: VecDeque::new(),
            later: Vec::new(),
            epoch_used: false,
            next_sequence: 0,
            out_of_step: false,
            starved_since: Instant::now(),
            state: State::Closed,
            conn: None,
            channel: 0,
            credit: Credit::default(),
            max_in_flight: MAX_IN_FLIGHT,
            producer_id: 0,
            epoch: 0,
            by_name: true,
            wanted: false,
            failures: 0,
            not_before: None,
            last_refusal: None,
            view: PressureView::default(),
        }
    }

    /// Opens the handle as soon as possible, and again whenever it is lost, whether or not there is work.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    fn partition(&self) -> u32 {
        self.index as u32
    }

    fn is_missed(&self) -> bool {
        self.wanted && self.state == State::Closed
    }

    fn is_due(&self) -> bool {
        self.not_before.is_none_or(|at| Instant::now() >= at)
    }

    fn wait(&mut self, time: Duration) {
        self.not_before = Some(Instant::now() + time);
    }

    pub fn has_work(&self) -> bool {
        !self.again.is_empty() || !self.queue.is_empty()
    }

    /// Whether a record is without outcome.
    pub fn is_busy(&self) -> bool {
        !self.sent.is_empty() || !self.later.is_empty() || self.has_work()
    }

    // ---- the handle

    /// Whether that connection is the one whose answers count.
    pub fn is_on(&self, conn: u64) -> bool {
        self.conn == Some(conn)
    }

    /// Sends what may be sent. True when there is more, but the flow lets nothing out at present.
    pub fn pump(&mut self, net: &mut Net, meta: &Meta) -> bool {
        self.queue.looked();
        if self.is_missed() || self.has_work() {
            self.open(net, meta);
        }
        while self.state == State::Open && self.sent.len() < self.max_in_flight && self.is_due() {
            if net.is_held(meta) {
                return false; // the next tick looks again
            }
            if !net.may_send() {
                return self.has_work();
            }
            let Some(batch) = self.next(net, meta) else {
                return false;
            };
            if too_late(&batch) {
                self.expire_one(net, meta, batch);
            } else if self.credit.admits() {
                self.send(net, meta, batch);
            } else {
                self.again.push_front(batch);
                return false;
            }
        }
        false
    }

    fn expire_one(&mut self, net: &mut Net, meta: &Meta, mut batch: OutBatch) {
        let error = self.expired(net, meta, &batch);
        self.abandon(net, meta, &mut batch, error);
        if batch.epoch.is_some() {
            self.again.push_front(batch);
        }
    }

    fn next(&mut self, net: &mut Net, meta: &Meta) -> Option<OutBatch> {
        let hole = self
            .again
            .front()
            .filter(|first| first.abandoned)
            .map(|first| first.maybe_stored);
        if hole.is_some() || self.out_of_step {
            if self.sent.is_empty() && (self.out_of_step || hole == Some(true)) {
                self.close(net);
                self.open(net, meta);
            } else if self.sent.is_empty() {
                self.raise_epoch(net, meta);
                self.open(net, meta);
            }
            return None;
        }
        self.again.pop_front().or_else(|| {
            let open_too = self.takes_open_batch(meta);
            self.queue.take(open_too)
        })
    }

    fn takes_open_batch(&self, meta: &Meta) -> bool {
        self.sent.len() < GATHER_AT
            && (meta.opts.linger.is_zero()
                || self
                    .queue
                    .open_since()
                    .is_none_or(|since| since.elapsed() >= meta.opts.linger))
    }

    fn send(&mut self, net: &mut Net, meta: &Meta, mut batch: OutBatch) {
        if batch.epoch != Some(self.epoch) {
            batch.epoch = Some(self.epoch);
            batch.sequence = self.next_sequence;
            self.next_sequence = batch.end_sequence();
            self.epoch_used = true;
        }
        let now = Instant::now();
        batch.sent = now;
        batch.sends += 1;
        net.in_flight += 1;
        let bytes = batch.writer.len();
        self.credit.used.0 += 1;
        self.credit.used.1 += bytes as u64;
        let header = pb::Publish {
            timeout_ms: u32::try_from((batch.deadline() - now).as_millis())
                .unwrap_or(u32::MAX)
                .max(1),
            durability: meta.opts.durability.wire(),
            attempt: batch.sends,
            queued_ms: u32::try_from((now - batch.created).as_millis()).unwrap_or(u32::MAX),
            shed_class: meta.opts.shed_class,
            ..pb::Publish::default()
        };
        let waiting = Waiting::Publish {
            producer: meta.id,
            part: self.index,
            serial: batch.serial,
        };
        let payload = batch
            .writer
            .seal(self.producer_id, self.epoch, batch.sequence);
        let conn = net
            .conn(self.conn)
            .expect("the flow lets batches out to a connection only");
        batch.correlation =
            conn.request_with(Kind::PUBLISH, self.channel, &header, Some(payload), waiting);
        let (topic, partition, records, sends) = (
            meta.topic.clone(),
            self.partition(),
            batch.count(),
            batch.sends,
        );
        net.measure(move |m| m.on_batch_sent(&topic, partition, records, bytes, sends));
        self.sent.push_back(batch);
    }

    // ---- verdicts

    pub fn on_ack(&mut self, net: &mut Net, meta: &Meta, serial: u64, ack: pb::PublishAck) {
        let Some(place) = self.sent.iter().position(|batch| batch.serial == serial) else {
            return;
        };
        let mut batch = self.sent.remove(place).expect("it is there");
        self.credit.grant(ack.credit.as_ref());
        self.last_refusal = None;
        self.on_load_over(net, meta);
        net.on_acked(ack.state, ack.throttle_ms);
        net.on_success(batch.retry_cost);
        net.on_outcome(None, batch.sent);
        let (topic, partition, records, took) = (
            meta.topic.clone(),
            self.partition(),
            batch.count(),
            batch.sent.elapsed(),
        );
        net.measure(move |m| m.on_batch_acked(&topic, partition, records, took));
        if !batch.abandoned {
            let later = self.keep_in_progress(&mut batch, &ack.errors);
            meta.space.add_permits(batch.reserved);
            batch.acked(partition, ack, &later);
        }
    }

    pub fn on_refused(&mut self, net: &mut Net, meta: &mut Meta, serial: u64, e: &pb::Error) {
        let Some(place) = self.sent.iter().position(|batch| batch.serial == serial) else {
            return;
        };
        self.last_refusal = Some(e.clone());
        self.take_back(net, place);
        if e.code == codes::PRODUCER_FENCED {
            self.end(net, meta, &Error::from_wire(e));
            return;
        }
        let mut batch = self.again.pop_front().expect("it was taken back");
        batch.failures += u32::from(!waits_for_leader(e));
        net.on_outcome(Some(e), batch.sent);
        if e.code == codes::SEQUENCE_GAP && batch.failures < MAX_PUBLISH_ATTEMPTS {
            self.out_of_step = true;
            self.again.push_front(batch);
            return;
        }
        net.on_refused(e);
        let left = batch.deadline().saturating_duration_since(Instant::now());
        let verdict = net.after_publish(e, batch.failures, left);
        if verdict.outcome_unknown {
            batch.maybe_stored = true;
            self.again
                .iter_mut()
                .for_each(|taken| taken.maybe_stored = true);
        }
        if verdict.again && !batch.abandoned {
            batch.retry_cost = verdict.cost;
            self.wait(verdict.delay);
            self.on_load_refusal(net, meta, e, verdict.delay);
        } else {
            let mut cause = Error::from_wire(&verdict.error);
            if batch.maybe_stored && !cause.outcome_unknown() {
                cause = self.unknown(meta, &cause);
            }
            self.abandon(net, meta, &mut batch, cause);
        }
        self.again.push_front(batch);
    }

    /// Takes back the batch at that place and all sent after it, to be sent again in order.
    fn take_back(&mut self, net: &mut Net, place: usize) {
        let taken = self.sent.split_off(place);
        for batch in taken.into_iter().rev() {
            if let Some(conn) = net.conn(self.conn) {
                conn.waiting.remove(&batch.correlation);
            }
            net.in_flight = net.in_flight.saturating_sub(1);
            self.again.push_front(batch);
        }
    }

    fn take_back_all(&mut self, net: &mut Net) {
        self.sent
            .iter_mut()
            .for_each(|batch| batch.maybe_stored = true);
        self.take_back(net, 0);
    }

    pub fn on_lost(&mut self, net: &mut Net) {
        self.take_back_all(net);
        self.lose_handle();
    }

    /// A new connection. What was open is opened again, whether or not there is work.
    pub fn on_ready(&mut self) {
        self.not_before = None;
    }

    /// The retry budget is empty: what was sent and has no verdict fails rather than being sent again.
    pub fn give_up_unanswered(&mut self, net: &mut Net, meta: &Meta) {
        let cause = Error::new(
            codes::OUTCOME_UNKNOWN,
            format!(
                "records for {}/{} were sent and got no answer",
                meta.topic, self.index
            ),
            "the connection was lost, and the retry budget of this client is used up",
            "look at the broker's health; publish again only if a second copy does no harm",
        );
        let mut again = std::mem::take(&mut self.again);
        for batch in again.iter_mut().filter(|batch| batch.maybe_stored) {
            self.abandon(net, meta, batch, cause.clone());
        }
        self.again = again;
    }

    // ---- time

    pub fn tick(&mut self, net: &mut Net, meta: &mut Meta, now: Instant) -> bool {
        self.take_due(now);
        let changed = self.view.timer(net.now_ms());
        self.tell_when(net, meta, changed);
        self.expire(net, meta, now);
        if let Some(oldest) = self
            .sent
            .front()
            .filter(|oldest| now.saturating_duration_since(oldest.sent) > ATTEMPT_TIMEOUT)
        {
            let serial = oldest.serial;
            net.on_attempt_timeout();
            self.sent
                .iter_mut()
                .for_each(|batch| batch.maybe_stored = true);
            let e = wire_error(
                codes::ATTEMPT_TIMEOUT,
                format!("no answer to a batch for {}/{}", meta.topic, self.index),
                format!("none came within {} ms", ATTEMPT_TIMEOUT.as_millis()),
                "look at the broker's health",
            );
            self.on_refused(net, meta, serial, &e);
        }
        self.renew_starved_credit(net, now);
        self.has_work() || self.is_missed()
    }

    /// With nothing under way no ack can bring credit: should the two sides count differently, a new handle starts afresh.
    fn renew_starved_credit(&mut self, net: &mut Net, now: Instant) {
        let waits = self.again.front().is_some_and(|first| !first.abandoned);
        if !(self.state == State::Open && self.sent.is_empty() && waits && !self.credit.admits()) {
            self.starved_since = now;
        } else if now.saturating_duration_since(self.starved_since) > MAX_STARVED {
            self.starved_since = now;
            self.close(net);
        }
    }
}

fn too_late(batch: &OutBatch) -> bool {
    batch.deadline().saturating_duration_since(Instant::now()) < MIN_ATTEMPT.min(batch.timeout / 2)
}
