use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::calls::{AdminHeader, Call};
use crate::client::random;
use crate::codes;
use crate::wire::Kind;
use crate::{Client, Error};

mod group;
mod groups;
mod replay;
mod replays;
mod topics;

pub use group::{
    Group, GroupMode, GroupPartition, GroupSnapshot, Member, SeekOutcome, SeekPartition,
};
pub use replay::{
    ReplayJob, ReplayOptions, ReplayPlan, ReplayPlanState, ReplayRange, ReplaySelection,
    ReplayState, ReplayTarget,
};
pub use topics::{Topic, TopicPartition};

/// Topics, groups and replays. Every call waits up to the client's request timeout, retries what is safe to retry, and fails with
/// DEADLINE_EXCEEDED, OUTCOME_UNKNOWN, or the broker's answer.
///
/// Cancelling: a call that only looks may be dropped at any time. One that changes something is not taken back when it is dropped: it
/// goes on for as long as it would have, and may be done or not; look, or make it again, which is harmless but for what it says of
/// a second time (`ALREADY_EXISTS`, `NOT_FOUND`).
#[derive(Clone, Debug)]
pub struct Admin {
    client: Client,
}

fn key() -> String {
    format!("{:016x}{:016x}", random(), random())
}

fn unreadable(what: &str, e: &prost::DecodeError) -> Error {
    Error::new(
        codes::MALFORMED_FRAME,
        format!("the answer to {what} cannot be read"),
        e.to_string(),
        "check that client and broker are of compatible releases",
    )
}

fn named(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(
            "the topic's name is empty",
            "it has 1 to 200 characters",
        ));
    }
    Ok(())
}

/// What changes a group's place or a topic's records is kept with its reason.
fn reasoned(what: &str, reason: &str) -> Result<(), Error> {
    if reason.is_empty() {
        return Err(Error::invalid(
            format!("the reason of {what} is empty"),
            "it is kept for the audit",
        ));
    }
    Ok(())
}

impl Admin {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn call(
        &self,
        what: &str,
        kind: Kind,
        header: AdminHeader,
        changes: bool,
    ) -> Result<(Bytes, Bytes), Error> {
        let shared = &self.client.shared;
        let limit = shared.opts.request_timeout;
        let (done, answer) = oneshot::channel();
        let id = shared.with(|state| {
            if *shared.stop.borrow() {
                return Err(Error::closed("the client"));
            }
            let id = state.net.id();
            let now = Instant::now();
            let call = Call {
                what: what.into(),
                kind,
                header,
                changes,
                deadline: now + limit,
                timeout: limit,
                done: Some(done),
                asked: None,
                failures: 0,
                retry_cost: 0,
                sent: now,
                not_before: None,
                maybe_done: false,
                last_error: None,
            };
            state.calls.insert(id, call);
            state.send_call(id);
            Ok(id)
        })?;
        // The call itself keeps the deadline; this is for a client whose tasks are gone.
        if let Ok(Ok(result)) = timeout(limit * 2, answer).await {
            result
        } else {
            shared.with(|state| state.calls.remove(&id));
            Err(Error::closed("the client"))
        }
    }
}

fn settings(config: &[(&str, &str)]) -> HashMap<String, String> {
    config
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
