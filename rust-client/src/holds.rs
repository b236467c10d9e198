//! What waits together after a refusal for load: it stays in the buffer rather than being sent and refused one by one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::core::{Pressure as State, PressureView};
use crate::net::Net;
use crate::pb;
use crate::pressure::{self, Pressure};
use crate::publisher::Meta;

/// One batch is held back for longer the more often it is refused; the others are not.
const MAX_HOLD_MS: u64 = 1_000;

/// What is published to a topic: all of it, or what one producer gives a class, which may be the topic's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Held {
    Topic(Arc<str>),
    Class(Arc<str>, Option<u32>),
}

impl Held {
    fn topic(&self) -> &str {
        match self {
            Self::Topic(topic) | Self::Class(topic, _) => topic,
        }
    }

    fn of(meta: &Meta) -> [Self; 2] {
        [
            Self::Topic(meta.topic.clone()),
            Self::Class(meta.topic.clone(), meta.opts.shed_class),
        ]
    }
}

/// What is refused as well if it is sent before the time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The broker did not say.
    Partition,
    Class,
    Topic,
    /// Of the broker, the failure domain, the principal or the connection itself.
    Connection,
}

impl Reach {
    pub fn of(e: &pb::Error) -> Self {
        let is_of_topic =
            |scope: &String| scope.starts_with("topic:") || scope.starts_with("principal-topic:");
        match e.metadata.get("scope") {
            _ if e.metadata.contains_key("shed_class") => Self::Class,
            None => Self::Partition,
            Some(scope) if is_of_topic(scope) => Self::Topic,
            Some(_) => Self::Connection,
        }
    }
}

/// How long what was not refused itself waits.
pub(crate) fn hold_ms(e: &pb::Error, wait_ms: u64) -> u64 {
    wait_ms.min(MAX_HOLD_MS.max(e.retry_after_ms.into()))
}

/// What is known of topics.
#[derive(Debug, Default)]
pub(crate) struct Holds(HashMap<Held, PressureView>);

impl Holds {
    fn on(&self, meta: &Meta) -> impl Iterator<Item = (Held, &PressureView)> {
        let keys = (!self.0.is_empty()).then(|| Held::of(meta));
        let known = |key: Held| self.0.get(&key).map(|view| (key, view));
        keys.into_iter().flatten().filter_map(known)
    }
}

impl Net {
    /// Whether something of the topic was refused, and its time is not over.
    pub fn is_held(&self, meta: &Meta) -> bool {
        let now = self.now_ms();
        let mut views = self.holds.on(meta);
        views.any(|(_, view)| view.retry_after_ms(now) > 0)
    }

    /// The worst of what is known of the connection and of the topic.
    pub fn pressure_on(&self, meta: &Meta) -> Pressure {
        let mut worst = self.pressure_now();
        for (key, view) in self.holds.on(meta) {
            if view.state > worst.state {
                worst = Pressure::of(key.topic(), view, self.now_ms());
            }
        }
        worst
    }

    /// Tells what stands no more, by what ends it.
    pub fn end_holds(&mut self, ends: impl Fn(&mut PressureView, u64) -> bool) {
        if self.holds.0.is_empty() {
            return;
        }
        let now = self.now_ms();
        let mut over = Vec::new();
        self.holds.0.retain(|key, view| {
            if ends(view, now) {
                over.push(Pressure::of(key.topic(), view, now));
            }
            !view.is_over(now)
        });
        for pressure in over {
            self.tell_pressure(pressure);
        }
    }

    /// Something was stored that could have been refused as well.
    pub fn end_holds_of(&mut self, meta: &Meta) {
        if self.holds.0.is_empty() {
            return;
        }
        let now = self.now_ms();
        for key in Held::of(meta) {
            let Some(view) = self.holds.0.get_mut(&key) else {
                continue;
            };
            if view.ack(State::Normal, 0, now) {
                let pressure = Pressure::of(key.topic(), view, now);
                self.tell_pressure(pressure);
            }
        }
    }

    /// Something was refused for load that concerns more than its partition.
    pub fn hold(
        &mut self,
        meta: &Meta,
        e: &pb::Error,
        (state, reasons): (State, Vec<u32>),
        wait_ms: u64,
    ) {
        let now = self.now_ms();
        let scope = e.metadata.get("scope").map_or("", String::as_str);
        if Reach::of(e) == Reach::Connection {
            let changed = self.view.refused(state, reasons, scope, wait_ms, now);
            self.window.on_refused();
            self.tell_pressure_when(changed);
            return;
        }
        let [topic, class] = Held::of(meta);
        let key = if Reach::of(e) == Reach::Topic {
            topic
        } else {
            class
        };
        let view = self.holds.0.entry(key.clone()).or_default();
        if view.refused(state, reasons, scope, wait_ms, now) {
            let pressure = Pressure::of(key.topic(), view, now);
            self.tell_pressure(pressure);
        }
    }

    /// The broker has refused something for load; none when it was not for load.
    pub fn on_load_refused(
        &mut self,
        e: &pb::Error,
        scope: &str,
        wait_ms: u64,
    ) -> Option<(State, Vec<u32>)> {
        let load = pressure::of_refusal(e)?;
        let (scope, wait) = (scope.to_owned(), Duration::from_millis(wait_ms));
        self.measure(move |m| m.on_throttled(&scope, wait));
        Some(load)
    }
}
