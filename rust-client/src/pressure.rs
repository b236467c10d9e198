//! What the broker says of its load, for the application.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::codes;
use crate::core::{Pressure as State, PressureSignal, PressureView};
use crate::net::Net;
use crate::pb;
use crate::Error;

/// What a broker has said of itself, as long as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// How it is.
    pub state: State,
    /// The first is the cause: QUOTA, QUEUE_DELAY, MEMORY, DISK_SPACE, DISK_LATENCY, REPLICATION, CPU, CONSUMER_LAG, ADMIN; none
    /// when the broker did not say.
    pub reasons: Vec<&'static str>,
    /// What it was said of: "connection" for all that the client publishes, a topic, or topic/partition.
    pub of: String,
    /// What it concerns, in the broker's words.
    pub scope: String,
    /// How long nothing is sent.
    pub retry_after: Duration,
}

impl Pressure {
    pub(crate) fn of(of: &str, view: &PressureView, now_ms: u64) -> Self {
        Self {
            state: view.state,
            reasons: view.reasons.iter().map(|reason| name(*reason)).collect(),
            of: of.to_owned(),
            scope: view.scope.clone(),
            retry_after: Duration::from_millis(view.retry_after_ms(now_ms)),
        }
    }

    /// The cause; NONE when the broker did not say.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reasons.first().copied().unwrap_or("NONE")
    }

    /// The error of a batch whose time is over while this stands.
    pub(crate) fn error(&self, what: String, reason: &str, why: &str) -> Error {
        let code = match self.state {
            State::Overloaded => codes::OVERLOADED,
            State::ReadOnly => codes::READ_ONLY,
            _ => codes::THROTTLED,
        };
        let mut e = crate::error::wire_error(
            code,
            what,
            format!(
                "throttled, because of {reason} for {}: {why}; nothing was stored",
                self.scope
            ),
            "publish more slowly, or allow a longer delivery timeout",
        );
        e.retry_after_ms = self.retry_after.as_millis() as u32;
        let details = [
            ("pressure_state", self.state.name()),
            ("pressure_reason", reason),
            ("pressure_scope", &self.scope),
        ];
        e.metadata = details
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        Error::from_wire(&e)
    }
}

impl fmt::Display for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, reason, scope) = (self.state.name(), self.reason(), &self.scope);
        let after = self.retry_after;
        write!(
            f,
            "{state} because of {reason} for {scope}, retry after {after:?}"
        )
    }
}

fn name(reason: u32) -> &'static str {
    let known = i32::try_from(reason)
        .ok()
        .and_then(|reason| pb::PressureReason::try_from(reason).ok());
    known.map_or("NONE", |known| {
        known.as_str_name().strip_prefix("R_").unwrap_or("NONE")
    })
}

pub(crate) fn signal<'a>(wire: &pb::Backpressure, scope: &'a str) -> PressureSignal<'a> {
    PressureSignal {
        seq: wire.seq,
        state: State::of(wire.state),
        reasons: wire.reasons.iter().map(|reason| *reason as u32).collect(),
        scope,
        retry_after_ms: wire.retry_after_ms.into(),
        valid_for_ms: wire.valid_for_ms.into(),
    }
}

/// What a refusal for load says: the state, and the reason when it names one; none for another refusal.
pub(crate) fn of_refusal(e: &pb::Error) -> Option<(State, Vec<u32>)> {
    let state = match e.code {
        codes::THROTTLED | codes::QUEUE_FULL => State::Throttled,
        codes::OVERLOADED => State::Overloaded,
        codes::READ_ONLY => State::ReadOnly,
        _ => return None,
    };
    let reason = e.metadata.get("reason").and_then(|name| {
        let reason = pb::PressureReason::from_str_name(&format!("R_{name}"))?;
        Some(reason as u32)
    });
    Some((state, reason.into_iter().collect()))
}

pub(crate) type OnPressure = Arc<dyn Fn(&Pressure) + Send + Sync>;

/// Changes on their way to the listener, in their order whichever tasks tell them.
#[derive(Default)]
pub(crate) struct Turns {
    changes: VecDeque<Pressure>,
    is_told: bool,
}

impl Turns {
    fn tell(turns: &Mutex<Self>, listener: &OnPressure) {
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
        while let Some(pressure) = change {
            listener(&pressure);
            change = next(true);
        }
    }
}

impl Net {
    /// Of all that the client publishes.
    pub fn pressure_now(&self) -> Pressure {
        Pressure::of("connection", &self.view, self.now_ms())
    }

    pub fn tell_pressure_when(&mut self, changed: bool) {
        if changed {
            let pressure = self.pressure_now();
            self.window.on_state(pressure.state);
            self.tell_pressure(pressure);
        }
    }

    /// Tells the metrics and the listener, once the lock is free.
    pub fn tell_pressure(&mut self, pressure: Pressure) {
        tracing::debug!(%pressure, of = pressure.of, "pressure");
        if let Some(listener) = self.on_pressure.clone() {
            let turns = self.turns.clone();
            let mut waiting = turns.lock().expect("no panic under this lock");
            waiting.changes.push_back(pressure.clone());
            drop(waiting);
            self.deferred
                .push(Box::new(move || Turns::tell(&turns, &listener)));
        }
        self.measure(move |m| m.on_pressure(&pressure));
    }
}
