//! Asks the broker from time to time for the nodes of its cluster, which may have changed since the session began: a client that was
//! started with the address of a node that has left needs those of the others before it loses its connection.

use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message as _;

use crate::calls::{AdminHeader, Call};
use crate::core::{scaled, MAX_R};
use crate::options::ClientOptions;
use crate::pb;
use crate::session::nodes_of;
use crate::state::State;
use crate::wire::Kind;

#[derive(Debug)]
pub(crate) struct Refresher {
    /// Zero: never.
    every: Duration,
    timeout: Duration,
    due: Option<Instant>,
    /// The call that is under way.
    asked: Option<u64>,
}

impl Refresher {
    /// A reader of the nearest node may be with one that does not answer this.
    pub fn new(opts: &ClientOptions) -> Self {
        Self {
            every: if opts.follower_reads {
                Duration::ZERO
            } else {
                opts.metadata_refresh
            },
            timeout: opts.request_timeout,
            due: None,
            asked: None,
        }
    }

    /// Clients that connected together do not ask together.
    fn plan(&mut self, now: Instant, r: u32) -> Instant {
        debug_assert!(r <= MAX_R);
        let half = self.every / 2;
        let more = scaled(half.as_millis() as u64, r);
        *self.due.insert(now + half + Duration::from_millis(more))
    }
}

impl State {
    pub fn tick_refresh(&mut self, now: Instant) {
        if self.net.refresh.every.is_zero() || self.net.usable().is_none() {
            return;
        }
        let r = self.net.r();
        let refresh = &mut self.net.refresh;
        if let Some(asked) = refresh.asked {
            if !self.calls.contains_key(&asked) {
                refresh.asked = None; // whatever came of it: the next one asks again
                refresh.due = None;
            }
            return;
        }
        let due = refresh.due.unwrap_or_else(|| refresh.plan(now, r));
        if now < due {
            return;
        }
        let timeout = refresh.timeout;
        let id = self.net.id();
        self.net.refresh.asked = Some(id);
        let call = Call {
            what: "ask for the nodes".into(),
            kind: Kind::METADATA,
            header: AdminHeader::Metadata(pb::Metadata::default()),
            changes: false,
            deadline: now + timeout,
            timeout,
            done: None,
            asked: None,
            failures: 0,
            retry_cost: 0,
            sent: now,
            not_before: None,
            maybe_done: false,
            last_error: None,
        };
        self.calls.insert(id, call);
        self.send_call(id);
    }

    /// Every answer to a request for metadata names the nodes.
    pub fn on_metadata(&mut self, header: &Bytes) {
        // One that cannot be read is told to who has asked, if it is of use to them.
        if let Ok(ok) = pb::MetadataOk::decode(header.clone()) {
            let nodes = nodes_of(&ok.endpoints);
            if nodes.len() > 1 {
                self.net.machine.know(&nodes);
                self.net.nodes = nodes;
            }
        }
    }
}
