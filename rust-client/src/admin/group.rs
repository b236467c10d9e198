//! What a group is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::pb;

/// How the members of a group share its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupMode {
    /// Each record goes to any one member at a time.
    #[default]
    Shared,
    /// The same, and the records of one key are delivered one at a time, in order: the next only when the one before is acked or
    /// dead-lettered. Records without a key have no order.
    KeyOrdered,
    /// One member at a time gets everything, the one that has been there longest; the others stand by.
    Exclusive,
}

impl GroupMode {
    pub(crate) fn wire(self) -> u32 {
        match self {
            Self::Shared => 0,
            Self::KeyOrdered => 1,
            Self::Exclusive => 2,
        }
    }

    fn of(wire: u32) -> Self {
        match wire {
            1 => Self::KeyOrdered,
            2 => Self::Exclusive,
            _ => Self::Shared,
        }
    }
}

/// A group as it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// Its topic.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// How its members share its records.
    pub mode: GroupMode,
    /// Connected consumers.
    pub members: u32,
    /// Changes when it is moved or altered.
    pub revision: u64,
    /// Failed deliveries after which a message is dead-lettered; 0 = never.
    pub max_deliveries: u32,
    /// When it was created, ms since 1970.
    pub created_ms: u64,
    /// All settings in effect.
    pub config: BTreeMap<String, String>,
    /// Why it is paused; none when it is not. Begins with ADMIN or `DLQ_BREAKER`.
    pub pause_reason: Option<String>,
    /// When it was paused, ms since 1970; 0 when it is not.
    pub paused_ms: u64,
    /// Records acked since it began.
    pub acked: u64,
    /// Records dead-lettered since it began.
    pub dead_lettered: u64,
    /// The connected consumers.
    pub member_list: Vec<Member>,
    /// In order, from 0.
    pub partitions: Vec<GroupPartition>,
}

impl Group {
    /// Whether it delivers nothing at present.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.pause_reason.is_some()
    }
}

/// A connected consumer of a group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Member {
    /// Its number in the group.
    pub member: u64,
    /// What it is called.
    pub name: String,
    /// False for a member of an exclusive group that stands by.
    pub active: bool,
    /// Records leased to it.
    pub in_flight: u64,
    /// It takes none at present.
    pub paused: bool,
    /// How long a record is leased to it.
    pub lease: Duration,
}

/// What a group had settled when it was kept under a name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupSnapshot {
    /// Its name.
    pub name: String,
    /// When it was taken, ms since 1970.
    pub taken_ms: u64,
    /// Why it was taken.
    pub reason: String,
    /// In order, from 0; of what they say only cursor and `acked_above` mean something.
    pub partitions: Vec<GroupPartition>,
}

/// Where a group is in a partition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupPartition {
    /// Its number, from 0.
    pub partition: u32,
    /// Everything below is settled.
    pub cursor: u64,
    /// Settled records above the cursor.
    pub acked_above: u64,
    /// Leased records.
    pub in_flight: u64,
    /// Failed records that wait for their next delivery.
    pub waiting_retry: u64,
    /// Offset of the partition's next record.
    pub end_offset: u64,
    /// Records not settled.
    pub backlog: u64,
    /// Records that wait for their time of delivery.
    pub scheduled: u64,
    /// Records that wait for their key's turn.
    pub key_blocked: u64,
    /// Records lost to a bound of the topic.
    pub dropped: u64,
}

/// What moving a group did, or would do.
#[derive(Clone, Debug)]
pub struct SeekOutcome {
    /// False for a dry run.
    pub applied: bool,
    /// The group's revision after it.
    pub revision: u64,
    /// In order, from 0.
    pub partitions: Vec<SeekPartition>,
}

/// The cursor before and after, and the end of the partition.
#[derive(Clone, Debug)]
pub struct SeekPartition {
    /// Its number, from 0.
    pub partition: u32,
    /// The cursor before.
    pub from: u64,
    /// The cursor after.
    pub to: u64,
    /// Offset of the partition's next record.
    pub end: u64,
}

pub(super) fn group(info: pb::GroupInfo) -> Group {
    let members = info.member_list.into_iter().map(|m| Member {
        member: m.member,
        name: m.name,
        active: m.active,
        in_flight: m.in_flight,
        paused: m.paused,
        lease: Duration::from_millis(m.lease_ms.into()),
    });
    Group {
        topic: info.topic,
        name: info.group,
        mode: GroupMode::of(info.mode),
        members: info.members,
        revision: info.revision,
        max_deliveries: info.max_deliveries,
        created_ms: info.created_unix_ms,
        config: info.config.into_iter().collect(),
        pause_reason: info.paused.then_some(info.pause_reason),
        paused_ms: info.paused_unix_ms,
        acked: info.acked,
        dead_lettered: info.dead_lettered,
        member_list: members.collect(),
        partitions: info.partitions.into_iter().map(partition).collect(),
    }
}

pub(super) fn snapshot(wire: pb::GroupSnapshot) -> GroupSnapshot {
    GroupSnapshot {
        name: wire.name,
        taken_ms: wire.taken_unix_ms,
        reason: wire.reason,
        partitions: wire.partitions.into_iter().map(partition).collect(),
    }
}

fn partition(p: pb::GroupPartition) -> GroupPartition {
    GroupPartition {
        partition: p.partition,
        cursor: p.cursor,
        acked_above: p.acked_above,
        in_flight: p.in_flight,
        waiting_retry: p.waiting_retry,
        end_offset: p.end_offset,
        backlog: p.backlog,
        scheduled: p.scheduled,
        key_blocked: p.key_blocked,
        dropped: p.dropped,
    }
}
