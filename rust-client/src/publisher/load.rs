//! What the broker says of its load, for this publisher.

use crate::core::Pressure as State;
use crate::holds::{hold_ms, Reach};
use crate::pressure::{self, Pressure};

use super::{pb, Duration, Error, Meta, Net, Publisher, State as Handle};

impl Publisher {
    fn name(&self, meta: &Meta) -> String {
        format!("{}/{}", meta.topic, self.index)
    }

    pub(super) fn pressure(&self, net: &Net, meta: &Meta) -> Pressure {
        Pressure::of(&self.name(meta), &self.view, net.now_ms())
    }

    pub(super) fn tell_when(&self, net: &mut Net, meta: &Meta, changed: bool) {
        if changed {
            let pressure = self.pressure(net, meta);
            net.tell_pressure(pressure);
        }
    }

    pub(super) fn on_load_signal(&mut self, net: &mut Net, meta: &Meta, wire: &pb::Backpressure) {
        let name = self.name(meta);
        let scope = if wire.scope.is_empty() {
            &name
        } else {
            &wire.scope
        };
        let changed = self
            .view
            .signal(pressure::signal(wire, scope), net.now_ms());
        self.tell_when(net, meta, changed);
    }

    /// The broker has refused something for load, and the publisher waits that long; what would be refused for the same reason
    /// waits, too.
    pub(super) fn on_load_refusal(
        &mut self,
        net: &mut Net,
        meta: &Meta,
        e: &pb::Error,
        wait: Duration,
    ) {
        let name = self.name(meta);
        let scope = e.metadata.get("scope").unwrap_or(&name);
        let (wait_ms, now_ms) = (wait.as_millis() as u64, net.now_ms());
        let hold_ms = hold_ms(e, wait_ms);
        let Some((state, reasons)) = net.on_load_refused(e, scope, hold_ms) else {
            return;
        };
        if Reach::of(e) != Reach::Partition {
            net.hold(meta, e, (state, reasons), hold_ms);
            return;
        }
        let changed = self.view.refused(state, reasons, scope, wait_ms, now_ms);
        self.tell_when(net, meta, changed);
    }

    pub(super) fn on_load_over(&mut self, net: &mut Net, meta: &Meta) {
        let changed = self.view.ack(State::Normal, 0, net.now_ms());
        self.tell_when(net, meta, changed);
        net.end_holds_of(meta);
    }

    /// The worst of the connection's, the topic's and its own.
    pub fn worst_pressure(&self, net: &Net, meta: &Meta) -> Pressure {
        let (all, own) = (net.pressure_on(meta), self.pressure(net, meta));
        if own.state > all.state {
            own
        } else {
            all
        }
    }

    /// Whether something that is published now could be sent at once.
    pub fn may_publish(&self) -> bool {
        let open = self.state != Handle::Open || self.credit.admits();
        self.state != Handle::Ended && self.is_due() && open && self.again.is_empty()
    }

    /// The error of a batch whose time is over while the broker lets nothing through; none when that is not why.
    pub(super) fn throttled(&self, net: &Net, meta: &Meta, what: &str) -> Option<Error> {
        let mut worst = self.worst_pressure(net, meta);
        if worst.state >= State::Throttled {
            let reason = worst.reason();
            return Some(worst.error(what.to_owned(), reason, "the broker asked to wait"));
        }
        let starved = self.state == Handle::Open && self.sent.is_empty() && !self.credit.admits();
        starved.then(|| {
            worst.scope = self.name(meta);
            worst.error(what.to_owned(), "CREDIT", &self.credit.used_up())
        })
    }
}
