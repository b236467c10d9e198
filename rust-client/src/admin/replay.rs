//! What a replay is: a selection, the plan made of it, and the job that delivers its records again.

use std::fmt;

use bytes::Bytes;

use super::named;
use crate::options::number_between;
use crate::pb;
use crate::{Error, Start};

/// Which records of a topic a replay is about: all, and with each method fewer.
///
/// ```
/// use spillway::{ReplaySelection, Start};
///
/// let failed_since_noon = ReplaySelection::of("orders.dlq")
///     .from(Start::time_ms(1_764_331_200_000))
///     .dead_letter_cause("MAX_DELIVERIES")
///     .filter("region = 'eu'");
/// ```
#[derive(Clone, Debug)]
#[must_use = "Admin::plan_replay finds the records"]
pub struct ReplaySelection(pub(super) pb::ReplaySelection);

impl ReplaySelection {
    /// All records of a topic.
    pub fn of(topic: impl Into<String>) -> Self {
        Self(pb::ReplaySelection {
            topic: topic.into(),
            ..pb::ReplaySelection::default()
        })
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.0.topic
    }

    /// Only these partitions.
    pub fn partitions(mut self, indexes: impl IntoIterator<Item = u32>) -> Self {
        self.0.partitions = indexes.into_iter().collect();
        self
    }

    /// From there on; an offset is one in its partition.
    pub fn from(mut self, from: Start) -> Self {
        self.0.from = Some(from.0);
        self
    }

    /// Up to there, without it.
    pub fn to(mut self, to: Start) -> Self {
        self.0.to = Some(to.0);
        self
    }

    /// Records with this key; called again, also those with that one.
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.0.keys.push(key.into());
        self
    }

    /// Records whose headers match, in the language of group filters.
    pub fn filter(mut self, expression: impl Into<String>) -> Self {
        self.0.filter = expression.into();
        self
    }

    /// Dead letters with this cause, for instance `MAX_DELIVERIES`.
    pub fn dead_letter_cause(mut self, cause: impl Into<String>) -> Self {
        self.0.dead_letter_cause = cause.into();
        self
    }

    /// Records that this group of the topic has not settled when the plan is made.
    pub fn unacked_by(mut self, group: impl Into<String>) -> Self {
        self.0.unacked_by = group.into();
        self
    }

    /// So many of each thousand records, always the same ones. 1 to 1,000.
    pub fn sample_per_mille(mut self, records: u32) -> Self {
        self.0.sample_pm = records;
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        named(&self.0.topic)?;
        let bounds = [self.0.from, self.0.to];
        if bounds
            .into_iter()
            .flatten()
            .any(|bound| Start(bound).is_group())
        {
            return Err(Error::invalid(
                "a selection cannot begin or end where a group is",
                "give earliest, latest, an offset or a time",
            ));
        }
        number_between("the sample", self.0.sample_pm.into(), 0, 1_000)
    }
}

/// Where a plan is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplayPlanState {
    /// The broker is still looking for the records.
    Scanning,
    /// It can be started.
    Ready,
    /// It could not be made.
    Failed,
}

/// Exact records of a topic, found and counted. It changes nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayPlan {
    /// Its id.
    pub id: String,
    /// What was selected.
    pub selection: ReplaySelection,
    /// Where it is in its life.
    pub state: ReplayPlanState,
    /// How many there are.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was appended, ms since 1970; 0 without records.
    pub first_ms: u64,
    /// When the newest was appended, ms since 1970; 0 without records.
    pub last_ms: u64,
    /// Different keys among them.
    pub keys: u64,
    /// False when `keys` is an estimate.
    pub keys_exact: bool,
    /// Records whose idempotency key another of them has, too.
    pub duplicates: u64,
    /// Records looked at so far.
    pub scanned: u64,
    /// Records there are to look at.
    pub to_scan: u64,
    /// When it was asked for, ms since 1970.
    pub created_ms: u64,
    /// Why it failed.
    pub failure: Option<Error>,
    /// Where the records are.
    pub partitions: Vec<ReplayRange>,
}

/// Records of one partition, `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRange {
    /// Its number.
    pub partition: u32,
    /// Offset of the first.
    pub from: u64,
    /// The offset behind the last.
    pub to: u64,
    /// How many of them are meant.
    pub records: u64,
}

/// Where the records of a replay go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplayTarget {
    /// To the members of a group of the topic, beside its live records: its cursor and its order stay as they are.
    Group(String),
    /// To a group that the job creates.
    NewGroup(String),
    /// Into a topic whose setting "accepts" has replay; a second run stores nothing twice.
    Topic(String),
    /// Dead letters, back to the topics they come from.
    Origin,
    /// To a file of the client; the broker only keeps the audit. For [`Admin::replay_to_file`](crate::Admin::replay_to_file).
    File(String),
}

impl ReplayTarget {
    fn of(wire: pb::ReplayTarget) -> Self {
        match wire.kind {
            2 => Self::NewGroup(wire.name),
            3 => Self::Topic(wire.name),
            4 => Self::Origin,
            5 => Self::File(wire.name),
            _ => Self::Group(wire.name),
        }
    }

    fn parts(&self) -> (u32, &'static str, &str) {
        match self {
            Self::Group(name) => (1, "group", name),
            Self::NewGroup(name) => (2, "new-group", name),
            Self::Topic(name) => (3, "topic", name),
            Self::Origin => (4, "origin", ""),
            Self::File(name) => (5, "file", name),
        }
    }

    pub(super) fn wire(&self) -> Result<pb::ReplayTarget, Error> {
        let (kind, what, name) = self.parts();
        if name.is_empty() && *self != Self::Origin {
            return Err(Error::invalid(
                format!("the target {what} has no name"),
                "a replay needs to know where its records go",
            ));
        }
        Ok(pb::ReplayTarget {
            kind,
            name: name.into(),
        })
    }
}

/// As the command line has it, for instance `group:billing`.
impl fmt::Display for ReplayTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (_, what, "") => f.write_str(what),
            (_, what, name) => write!(f, "{what}:{name}"),
        }
    }
}

/// How a replay runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "Admin::start_replay takes it"]
pub struct ReplayOptions {
    pub(super) reason: String,
    pub(super) rate: u32,
    pub(super) stops: pb::ReplayStops,
}

impl ReplayOptions {
    /// Without bounds, for this reason, which is for the audit and not empty.
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// Records per second; 0 = as fast as it goes.
    pub fn rate(mut self, records_per_second: u32) -> Self {
        self.rate = records_per_second;
        self
    }

    /// The job pauses after more errors than this; 0 = it goes on.
    pub fn max_errors(mut self, errors: u64) -> Self {
        self.stops.errors = errors;
        self
    }

    /// The job pauses after more dead letters than this; 0 = it goes on.
    pub fn max_dead_letters(mut self, dead_letters: u64) -> Self {
        self.stops.dead_letters = dead_letters;
        self
    }

    /// The job pauses while the live group has a larger backlog than this; 0 = it goes on.
    pub fn max_lag(mut self, records: u64) -> Self {
        self.stops.consumer_lag = records;
        self
    }
}

/// Where a job is in its life; the last three are for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplayState {
    /// It delivers.
    Running,
    /// Held back, by someone or by a bound; [`ReplayJob::why`] says it.
    Paused,
    /// Every record has its fate.
    Done,
    /// Someone ended it.
    Cancelled,
    /// It cannot go on; [`ReplayJob::why`] says why.
    Failed,
}

/// A replay, running or ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayJob {
    /// Its id.
    pub id: String,
    /// That of its plan.
    pub plan_id: String,
    /// Where its records come from.
    pub topic: String,
    /// Where they go.
    pub target: ReplayTarget,
    /// Records per second that it may deliver; 0 = as fast as it goes.
    pub rate: u32,
    /// Why it was started.
    pub reason: String,
    /// By whom: client and address.
    pub started_by: String,
    /// Where it is in its life.
    pub state: ReplayState,
    /// Why it is paused or failed; may be empty.
    pub why: String,
    /// When it was started, ms since 1970.
    pub started_ms: u64,
    /// When it ended, ms since 1970.
    pub ended_ms: Option<u64>,
    /// Records of its plan.
    pub records: u64,
    /// Records whose fate is decided.
    pub done: u64,
    /// Records that a consumer was given, or that were stored in the target.
    pub redelivered: u64,
    /// Of those, settled as done, or stored.
    pub acked: u64,
    /// Of those, dead-lettered.
    pub failed: u64,
    /// Records that are not settled yet.
    pub open: u64,
    /// Records the target topic had already, by idempotency key.
    pub duplicates: u64,
    /// Failed deliveries, or records that could not be copied.
    pub errors: u64,
    /// Records per second lately.
    pub rate_now: u32,
}

pub(super) fn plan(wire: pb::ReplayPlan) -> ReplayPlan {
    let ranges = wire.partitions.into_iter().map(|range| ReplayRange {
        partition: range.partition,
        from: range.from,
        to: range.to,
        records: range.records,
    });
    ReplayPlan {
        id: wire.id,
        selection: ReplaySelection(wire.selection.unwrap_or_default()),
        state: match wire.state {
            0 => ReplayPlanState::Scanning,
            1 => ReplayPlanState::Ready,
            _ => ReplayPlanState::Failed,
        },
        records: wire.records,
        bytes: wire.bytes,
        first_ms: wire.first_unix_ms,
        last_ms: wire.last_unix_ms,
        keys: wire.keys,
        keys_exact: wire.keys_exact,
        duplicates: wire.duplicates,
        scanned: wire.scanned,
        to_scan: wire.to_scan,
        created_ms: wire.created_unix_ms,
        failure: wire.error.as_ref().map(Error::from_wire),
        partitions: ranges.collect(),
    }
}

pub(super) fn job(wire: pb::ReplayJob) -> ReplayJob {
    ReplayJob {
        id: wire.id,
        plan_id: wire.plan_id,
        topic: wire.topic,
        target: ReplayTarget::of(wire.target.unwrap_or_default()),
        rate: wire.rate,
        reason: wire.reason,
        started_by: wire.started_by,
        state: match wire.state {
            0 => ReplayState::Running,
            1 => ReplayState::Paused,
            2 => ReplayState::Done,
            3 => ReplayState::Cancelled,
            _ => ReplayState::Failed,
        },
        why: wire.why,
        started_ms: wire.started_unix_ms,
        ended_ms: (wire.ended_unix_ms > 0).then_some(wire.ended_unix_ms),
        records: wire.records,
        done: wire.done,
        redelivered: wire.redelivered,
        acked: wire.acked,
        failed: wire.failed,
        open: wire.open,
        duplicates: wire.duplicates,
        errors: wire.errors,
        rate_now: wire.rate_now,
    }
}
