//! The handle at the broker: how it is opened, refused, lost and given up, and what that does to the epoch and its sequence.

use crate::core::Pressure;

use super::{
    codes, pb, waits_for_leader, Credit, Duration, Error, Kind, Meta, Net, Owner, Publisher, State,
    Waiting, MAX_GATE_MS, MAX_IN_FLIGHT,
};

impl Publisher {
    pub(super) fn open(&mut self, net: &mut Net, meta: &Meta) {
        if self.state != State::Closed || !self.is_due() {
            return;
        }
        let index = self.index;
        let Some(conn) = net.usable() else { return };
        self.state = State::Opening;
        self.conn = Some(conn.id);
        self.channel = conn.open_channel(Owner::Publisher {
            producer: meta.id,
            part: index,
        });
        if self.producer_id == 0 {
            self.producer_id = meta.producer_id;
        }
        let header = pb::OpenPublisher {
            topic: meta.topic.to_string(),
            partition: index as u32,
            producer_name: if self.by_name {
                meta.opts.name.clone()
            } else {
                String::new()
            },
            producer_id: self.producer_id,
            producer_epoch: self.epoch.into(),
            durability: meta.opts.durability.wire(),
            allow_degraded: meta.opts.allow_degraded,
            ..pb::OpenPublisher::default()
        };
        conn.request(
            Kind::OPEN_PUBLISHER,
            self.channel,
            &header,
            Waiting::OpenPublisher {
                producer: meta.id,
                part: index,
            },
        );
    }

    pub fn on_open_answer(
        &mut self,
        net: &mut Net,
        meta: &mut Meta,
        answer: Result<pb::OpenPublisherOk, pb::Error>,
    ) {
        if self.state != State::Opening {
            return;
        }
        match answer {
            Ok(ok) => self.on_opened(net, meta, &ok),
            Err(e) => self.on_open_refused(net, meta, &e),
        }
    }

    pub(super) fn on_opened(&mut self, net: &mut Net, meta: &mut Meta, ok: &pb::OpenPublisherOk) {
        self.state = State::Open;
        self.wanted = true;
        self.failures = 0;
        self.by_name = false;
        self.producer_id = ok.producer_id;
        meta.producer_id = ok.producer_id;
        let goes_on = ok.producer_epoch == u32::from(self.epoch);
        self.epoch = ok.producer_epoch as u16;
        self.credit = Credit {
            limited: ok.credit.is_some(),
            ..Credit::default()
        };
        self.credit.grant(ok.credit.as_ref());
        let changed = self.view.connected(Pressure::Normal, net.now_ms());
        self.tell_when(net, meta, changed);
        self.max_in_flight = match ok.max_inflight_batches as usize {
            0 => MAX_IN_FLIGHT,
            allowed => allowed.min(MAX_IN_FLIGHT),
        };
        meta.on_open(Ok(()));
        self.out_of_step = false;
        if !goes_on {
            self.start_epoch();
        } else if self.epoch_used {
            self.compare_sequence(
                net,
                meta,
                if ok.has_last { ok.last_sequence + 1 } else { 0 },
            );
        }
    }

    pub(super) fn on_open_refused(&mut self, net: &mut Net, meta: &mut Meta, e: &pb::Error) {
        self.leave(net);
        self.last_refusal = Some(e.clone());
        if e.code == codes::PRODUCER_FENCED {
            let error = Error::from_wire(e);
            meta.on_open(Err(error.clone()));
            self.end(net, meta, &error);
            return;
        }
        self.failures += u32::from(!waits_for_leader(e));
        let verdict = net.after_read(e, self.failures, meta.opts.delivery_timeout);
        let cause = Error::from_wire(&verdict.error);
        if verdict.again {
            meta.obstacle = cause.to_string();
            self.wait(verdict.delay);
            self.on_load_refusal(net, meta, e, verdict.delay);
        } else {
            self.failures = 0;
            self.wanted = false;
            meta.on_open(Err(cause.clone()));
            self.fail_all(net, meta, &cause);
        }
    }

    /// The broker ended the handle; what is under way on it has no outcome.
    pub fn on_ended(&mut self, net: &mut Net, meta: &mut Meta, e: &pb::Error) {
        self.take_back_all(net);
        self.on_open_refused(net, meta, e);
    }

    pub fn on_backpressure(&mut self, net: &mut Net, meta: &Meta, signal: &pb::Backpressure) {
        self.credit.grant(signal.credit.as_ref());
        self.on_load_signal(net, meta, signal);
        if !(0..2).contains(&signal.state) {
            let wait = Duration::from_millis(u64::from(signal.retry_after_ms).min(MAX_GATE_MS));
            self.wait(wait);
            let scope = format!("{}/{}", meta.topic, self.index);
            tracing::debug!(scope, ?wait, "throttled");
            net.measure(move |m| m.on_throttled(&scope, wait));
        }
    }

    /// Gives the handle back, also one that is only being opened, with nothing under way on it. The next one begins with the
    /// broker's view of the sequence.
    pub(super) fn close(&mut self, net: &mut Net) {
        if matches!(self.state, State::Opening | State::Open) {
            if let Some(conn) = net.conn(self.conn) {
                conn.send(
                    Kind::CLOSE_PUBLISHER,
                    self.channel,
                    &pb::ClosePublisher::default(),
                );
            }
        }
        self.leave(net);
    }

    pub(super) fn leave(&mut self, net: &mut Net) {
        if let Some(conn) = net.conn(self.conn) {
            conn.channels.remove(&self.channel);
        }
        self.lose_handle();
    }

    pub(super) fn lose_handle(&mut self) {
        self.conn = None;
        if self.state != State::Ended {
            self.state = State::Closed;
        }
    }

    // ---- the sequence

    /// After a gap in the conversation: the broker says which sequence it expects next.
    pub(super) fn compare_sequence(&mut self, net: &mut Net, meta: &Meta, expected: u64) {
        let mut first = self.next_sequence;
        for batch in self
            .again
            .iter_mut()
            .filter(|batch| batch.epoch == Some(self.epoch))
        {
            first = first.min(batch.sequence);
            batch.maybe_stored = batch.end_sequence() <= expected;
        }
        if expected < first || expected > self.next_sequence {
            self.raise_epoch(net, meta);
        } else {
            self.again
                .retain(|batch| !(batch.abandoned && batch.maybe_stored));
        }
    }

    /// Closes the handle; the next one is of the next epoch, in which the sequence starts at 0.
    pub(super) fn raise_epoch(&mut self, net: &mut Net, _meta: &Meta) {
        self.close(net);
        self.epoch = self.epoch.wrapping_add(1);
        self.by_name = true;
        self.start_epoch();
    }

    pub(super) fn start_epoch(&mut self) {
        self.epoch_used = false;
        self.next_sequence = 0;
        self.again.retain(|batch| !batch.abandoned);
        self.again
            .iter_mut()
            .for_each(|batch| batch.maybe_stored = false);
    }
}
