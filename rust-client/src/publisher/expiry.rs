//! Records whose time is over, and the end of the publisher: each record still gets an outcome that is true.

use super::{codes, pb, Arc, BatchCell, Error, Instant, Meta, Net, OutBatch, Publisher, State};

impl Publisher {
    pub(super) fn expire(&mut self, net: &mut Net, meta: &Meta, now: Instant) {
        let is_over = |batch: &OutBatch| !batch.abandoned && batch.deadline() < now;
        if self.sent.iter().any(is_over) {
            let mut sent = std::mem::take(&mut self.sent);
            for batch in sent.iter_mut().filter(|batch| is_over(batch)) {
                batch.maybe_stored = true;
                let error = self.expired(net, meta, batch);
                self.abandon(net, meta, batch, error);
            }
            self.sent = sent;
        }
        if self.again.iter().any(is_over) {
            let mut again = std::mem::take(&mut self.again);
            for batch in again.iter_mut().filter(|batch| is_over(batch)) {
                let error = self.expired(net, meta, batch);
                self.abandon(net, meta, batch, error);
            }
            again.retain(|batch| !(batch.abandoned && batch.epoch.is_none()));
            self.again = again;
        }
        for mut batch in self.queue.take_expired(now) {
            let error = self.expired(net, meta, &batch);
            self.abandon(net, meta, &mut batch, error);
        }
    }

    pub(super) fn expired(&self, net: &mut Net, meta: &Meta, batch: &OutBatch) -> Error {
        let what = format!(
            "{} records for {}/{} have no outcome after {} ms",
            batch.count(),
            meta.topic,
            self.index,
            batch.timeout.as_millis()
        );
        if batch.maybe_stored {
            return Error::new(
                codes::OUTCOME_UNKNOWN,
                what,
                format!("they were sent and no answer came: {}", self.obstacle(net)),
                "publish them again only if a second copy does no harm, or with idempotency keys",
            );
        }
        if let Some(refused) = &batch.refused {
            return refused.clone();
        }
        match &self.last_refusal {
            // Why the time ran out says more than that it did.
            Some(refusal) if net.usable().is_some() => {
                let message = format!("{what}: {}", refusal.message);
                Error::from_wire(&pb::Error {
                    message,
                    ..refusal.clone()
                })
            }
            _ => {
                let usable = net.usable().is_some();
                let throttled = usable.then(|| self.throttled(net, meta, &what)).flatten();
                throttled.unwrap_or_else(|| {
                    Error::new(
                        codes::DEADLINE_EXCEEDED,
                        what,
                        format!("nothing was stored: {}", self.obstacle(net)),
                        "publish them again, or allow a longer delivery timeout",
                    )
                })
            }
        }
    }

    /// Why nothing is sent.
    pub(super) fn obstacle(&self, net: &mut Net) -> String {
        if net.usable().is_none() {
            return net.disconnected_because();
        }
        match &self.last_refusal {
            Some(refusal) if self.state != State::Open || !self.is_due() => {
                Error::from_wire(refusal).to_string()
            }
            _ if !self.credit.admits() => self.credit.used_up(),
            _ => net.obstacle(),
        }
    }

    // ---- the end

    pub(super) fn abandon(&self, net: &mut Net, meta: &Meta, batch: &mut OutBatch, cause: Error) {
        if batch.abandoned {
            return;
        }
        batch.abandoned = true;
        meta.space.add_permits(batch.reserved);
        batch.fail(cause.clone());
        let (topic, partition, records) = (meta.topic.clone(), self.partition(), batch.count());
        tracing::warn!(%topic, partition, records, cause = %cause, "publish failed");
        net.measure(move |m| m.on_publish_failed(&topic, partition, records, &cause));
    }

    pub(super) fn fail_all(&mut self, net: &mut Net, meta: &Meta, cause: &Error) {
        self.take_back_all(net);
        self.take_later();
        let mut again = std::mem::take(&mut self.again);
        for batch in &mut again {
            let error = if batch.maybe_stored {
                self.unknown(meta, cause)
            } else {
                cause.clone()
            };
            self.abandon(net, meta, batch, error);
        }
        self.again = again;
        for mut batch in self.queue.take_all() {
            self.abandon(net, meta, &mut batch, cause.clone());
        }
    }

    pub(super) fn unknown(&self, meta: &Meta, cause: &Error) -> Error {
        Error::new(
            codes::OUTCOME_UNKNOWN,
            format!(
                "records for {}/{} were sent and got no answer",
                meta.topic, self.index
            ),
            cause.to_string(),
            "publish them again only if a second copy does no harm, or with idempotency keys",
        )
    }

    /// Nothing is taken or sent any more; what has no outcome fails.
    pub fn end(&mut self, net: &mut Net, meta: &Meta, cause: &Error) {
        self.take_back_all(net);
        self.close(net);
        self.state = State::Ended;
        self.queue.close(cause.clone());
        self.fail_all(net, meta, cause);
        self.again.clear();
    }

    /// All batches without outcome; the open one is sealed.
    pub fn collect(&self, into: &mut Vec<Arc<BatchCell>>) {
        for batch in self
            .sent
            .iter()
            .chain(&self.again)
            .chain(self.later.iter().map(|(_, batch)| batch))
            .filter(|batch| !batch.abandoned)
        {
            into.push(batch.cell.clone());
        }
        self.queue.seal_all(|batch| into.push(batch.cell.clone()));
    }
}
