use std::cmp::Ordering;

use super::breaker::State;
use super::known::KnownEndpoints;
use super::{Breaker, Preference, Pressure};

/// One endpoint and what the client knows of it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub endpoint: String,
    /// Counts the calls on its connections, too.
    pub breaker: Breaker,
    /// Empty: not known yet.
    pub zone: String,
    pub pressure: Pressure,
    /// Whether it is a node of a cluster, as far as it has said.
    pub clustered: bool,
    /// Whether its cluster named it as the leader when it was heard of last.
    pub leads: bool,
    /// Whether it was ever tried.
    pub dialed: bool,
    pub blocked_until_ms: u64,
    pub draining_until_ms: u64,
    pub failed_ms: u64,
}

impl Candidate {
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            breaker: Breaker::new(),
            zone: String::new(),
            pressure: Pressure::Normal,
            clustered: false,
            leads: false,
            dialed: false,
            blocked_until_ms: 0,
            draining_until_ms: 0,
            failed_ms: 0,
        }
    }

    pub fn is_blocked(&self, now_ms: u64) -> bool {
        now_ms < self.blocked_until_ms
    }

    fn is_draining(&self, now_ms: u64) -> bool {
        now_ms < self.draining_until_ms
    }

    fn distance(&self, own_zone: &str) -> u8 {
        if own_zone.is_empty() || self.zone == own_zone {
            0
        } else if self.zone.is_empty() {
            1
        } else {
            2
        }
    }
}

/// With more than half of the breakers open the fault is probably on this side.
pub(crate) fn is_panic(known: &KnownEndpoints, now_ms: u64) -> bool {
    let open = known
        .all()
        .iter()
        .filter(|each| known.candidates[**each].breaker.is_open(now_ms))
        .count();
    open * 2 > known.all().len()
}

/// The candidates to try, by their numbers, best first: those whose breaker is closed, then those that do not leave, then by pressure, then
/// the own zone before an unknown one before another, for a reader of the nearest then the leader last; equals stay in the order in which
/// they were given. Blocked ones and open breakers are left out, unless more than half of the breakers are open: then breakers are ignored, and what failed longest ago comes first
/// (Envoy's panic threshold).
pub(crate) fn order(known: &KnownEndpoints, prefers: &Preference, now_ms: u64) -> Vec<usize> {
    let panic = is_panic(known, now_ms);
    let candidates = &known.candidates;
    let mut order: Vec<usize> = known
        .all()
        .iter()
        .copied()
        .filter(|i| {
            let each = &candidates[*i];
            !each.is_blocked(now_ms) && (panic || !each.breaker.is_open(now_ms))
        })
        .collect();
    order.sort_by(|a, b| {
        let (a, b) = (&candidates[*a], &candidates[*b]);
        if panic {
            a.failed_ms.cmp(&b.failed_ms)
        } else {
            better(a, b, prefers, now_ms)
        }
    });
    order
}

fn better(a: &Candidate, b: &Candidate, prefers: &Preference, now_ms: u64) -> Ordering {
    let rank = |each: &Candidate| {
        (
            each.breaker.state() != State::Closed,
            each.is_draining(now_ms),
            each.pressure as u8,
            each.distance(&prefers.zone),
            prefers.nearest && each.leads,
        )
    };
    rank(a).cmp(&rank(b))
}
