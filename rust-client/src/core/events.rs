//! What goes into the connection machine, and what comes out.

use super::Pressure;
use crate::codes;

/// Where a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Connecting,
    Handshaking,
    Ready,
    /// Connected, and the broker is under pressure.
    Pressured,
    /// Connected to a broker that is to be left: nothing new is started there.
    Draining,
    Backoff,
    /// Every endpoint refused what only another configuration can mend.
    Blocked,
    Closed,
}

impl Phase {
    /// Of a connection in use.
    pub(super) fn ready(pressure: Pressure) -> Self {
        if pressure == Pressure::Normal {
            Self::Ready
        } else {
            Self::Pressured
        }
    }
}

/// What is to be done, and with which candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Connect and shake hands.
    Dial(usize),
    /// There is a connection again: reopen everything on it.
    Use(usize),
    /// Start nothing new on this connection.
    Drain(usize),
    /// From now on publishers and requests use this connection.
    MovePublishers(usize),
    /// From now on subscriptions use this connection.
    MoveSubscriptions(usize),
    /// End this connection.
    Close(usize),
    /// There is no connection any more.
    Lost(usize),
    /// No endpoint could be connected to.
    RoundFailed,
}

/// What a broker says when the session begins.
#[derive(Debug)]
pub(crate) struct Welcome<'a> {
    /// Where it is; empty when it does not say.
    pub zone: &'a str,
    pub pressure: Pressure,
    /// Those of its cluster; one or none when it is alone.
    pub nodes: &'a [Node],
}

/// A node that a cluster names.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub endpoint: String,
    /// Empty when not said.
    pub zone: String,
}

/// Why an attempt to connect failed.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    pub code: u32,
    /// Where the leader is; empty when not said.
    pub redirect: &'a str,
    /// The pause that the broker asks for, 0 = none.
    pub retry_after_ms: u64,
}

impl Refusal<'_> {
    /// The broker is well, but does not lead.
    pub(super) fn is_of_follower(&self) -> bool {
        [codes::NOT_LEADER, codes::LEADER_ELECTION].contains(&self.code)
    }

    /// Only another configuration can mend it.
    pub(super) fn is_lasting(&self) -> bool {
        [
            codes::UNSUPPORTED_VERSION,
            codes::UNSUPPORTED_FEATURE,
            codes::UNAUTHENTICATED,
            codes::PERMISSION_DENIED,
        ]
        .contains(&self.code)
    }
}

/// What a broker says when it leaves, or leads no more.
#[derive(Debug, Default)]
pub(crate) struct Farewell<'a> {
    /// How long what is under way may take, 0 = 5 s.
    pub grace_ms: u64,
    pub reconnect_after_ms: u64,
    /// The endpoints of its cluster, the new leader first when there is one; one or none when it is alone.
    pub nodes: &'a [String],
}
