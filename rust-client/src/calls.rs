use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::codes;
use crate::conn::{Conn, Waiting};
use crate::error::wire_error;
use crate::net::waits_for_leader;
use crate::pb;
use crate::state::State;
use crate::wire::{Frame, Kind};
use crate::Error;

const CALL_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

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
    /// The connection and correlation of the request under way.
    pub asked: Option<(u64, u32)>,
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
    Replay(pb::ReplayAdmin),
}

impl AdminHeader {
    fn request(&self, conn: &mut Conn, kind: Kind, call: u64) -> u32 {
        let waiting = Waiting::Call(call);
        match self {
            Self::Topic(header) => conn.request(kind, 0, header, waiting),
            Self::Group(header) => conn.request(kind, 0, header, waiting),
            Self::Metadata(header) => conn.request(kind, 0, header, waiting),
            Self::Seek(header) => conn.request(kind, 0, header, waiting),
            Self::Replay(header) => conn.request(kind, 0, header, waiting),
        }
    }
}

impl State {
    pub fn send_call(&mut self, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let due = call.not_before.is_none_or(|at| Instant::now() >= at);
        if call.asked.is_some() || !due {
            return;
        }
        if let Some(conn) = self.net.usable() {
            call.sent = Instant::now();
            call.maybe_done = true;
            let correlation = call.header.request(conn, call.kind, id);
            call.asked = Some((conn.id, correlation));
        }
    }

    pub fn on_call_answer(&mut self, id: u64, failed: Option<pb::Error>, frame: Frame) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.asked = None;
        match failed {
            None => {
                self.net.on_success(call.retry_cost);
                self.net.on_outcome(None, call.sent);
                if call.kind == Kind::METADATA {
                    self.on_metadata(&frame.header);
                }
                self.finish_call(id, Ok((frame.header, frame.payload)));
            }
            Some(e) => self.on_call_error(id, e),
        }
    }

    fn on_call_error(&mut self, id: u64, e: pb::Error) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.failures += u32::from(!waits_for_leader(&e));
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

    pub fn tick_call(&mut self, id: u64, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if call.deadline < now {
            let error = self.late(id);
            self.finish_call(id, Err(error));
        } else if let Some((conn, correlation)) = call
            .asked
            .filter(|_| now - call.sent > CALL_ATTEMPT_TIMEOUT)
        {
            call.asked = None;
            let e = wire_error(
                codes::ATTEMPT_TIMEOUT,
                format!("no answer to {}", call.what),
                format!("none came within {} ms", CALL_ATTEMPT_TIMEOUT.as_millis()),
                "look at the broker's health",
            );
            if let Some(conn) = self.net.conn(Some(conn)) {
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
}
