use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::calls::{AdminHeader, Call};
use crate::client::random;
use crate::codes;
use crate::options::number_between;
use crate::pb;
use crate::wire::Kind;
use crate::{Client, Error, Start};

const CREATE: u32 = 1;
const ALTER: u32 = 2;
const DELETE: u32 = 3;
const LIST_GROUPS: u32 = 1;
const DESCRIBE_GROUP: u32 = 2;
const DELETE_GROUP: u32 = 3;

/// A topic as it is.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// All settings in effect.
    pub config: BTreeMap<String, String>,
    /// Changes with every alteration.
    pub revision: u64,
    /// When it was created, ms since 1970.
    pub created_ms: u64,
    /// In order, from 0.
    pub partitions: Vec<TopicPartition>,
}

/// A partition as it is.
#[derive(Clone, Debug)]
pub struct TopicPartition {
    /// Its number, from 0.
    pub partition: u32,
    /// Offset of the oldest record there is.
    pub start_offset: u64,
    /// Offset of the next record.
    pub end_offset: u64,
    /// Consumers see what is below.
    pub visible_offset: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Found damaged, never served.
    pub corrupt_batches: u64,
}

/// A group as it is.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its topic.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Connected consumers.
    pub members: u32,
    /// Changes when it is moved.
    pub revision: u64,
    /// Failed deliveries after which a message is dead-lettered; 0 = never.
    pub max_deliveries: u32,
    /// When it was created, ms since 1970.
    pub created_ms: u64,
    /// In order, from 0.
    pub partitions: Vec<GroupPartition>,
}

/// Where a group is in a partition.
#[derive(Clone, Debug)]
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

/// Topics and groups. Every call waits up to the client's request timeout, retries what is safe to retry, and fails with
/// DEADLINE_EXCEEDED, OUTCOME_UNKNOWN, or the broker's answer. A call that is dropped may have been done.
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
        match timeout(limit * 2, answer).await {
            Ok(Ok(result)) => result,
            _ => {
                shared.with(|state| state.calls.remove(&id));
                Err(Error::closed("the client"))
            }
        }
    }

    async fn topic(&self, what: String, header: pb::TopicAdmin) -> Result<Topic, Error> {
        named(&header.topic)?;
        let (header, _) = self
            .call(&what, Kind::TOPIC_ADMIN, AdminHeader::Topic(header), true)
            .await?;
        Ok(topic(
            pb::TopicInfo::decode(header).map_err(|e| unreadable(&what, &e))?,
        ))
    }

    /// Creates a topic. Settings are "durability" (mapped, synced), "retention.ms", "retention.bytes", "dedup.window.ms",
    /// "dedup.window.keys"; those not given have the broker's defaults.
    ///
    /// # Errors
    /// ALREADY_EXISTS when it is there with others, INVALID_ARGUMENT.
    pub async fn create_topic(
        &self,
        name: &str,
        partitions: u32,
        config: &[(&str, &str)],
    ) -> Result<Topic, Error> {
        number_between("the number of partitions", partitions.into(), 1, 1_024)?;
        let header = pb::TopicAdmin {
            op: CREATE,
            topic: name.into(),
            partitions,
            config: settings(config),
            idempotency_key: key(),
            ..pb::TopicAdmin::default()
        };
        self.topic(format!("create topic {name}"), header).await
    }

    /// Changes the given settings; only at that revision when one is given.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, INVALID_ARGUMENT, REVISION_MISMATCH.
    pub async fn alter_topic(
        &self,
        name: &str,
        config: &[(&str, &str)],
        expect_revision: Option<u64>,
    ) -> Result<Topic, Error> {
        let header = pb::TopicAdmin {
            op: ALTER,
            topic: name.into(),
            config: settings(config),
            expect_revision: expect_revision.unwrap_or(0),
            idempotency_key: key(),
            ..pb::TopicAdmin::default()
        };
        self.topic(format!("alter topic {name}"), header).await
    }

    /// Deletes the topic, its records and its groups.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND.
    pub async fn delete_topic(&self, name: &str) -> Result<(), Error> {
        let header = pb::TopicAdmin {
            op: DELETE,
            topic: name.into(),
            idempotency_key: key(),
            ..pb::TopicAdmin::default()
        };
        self.topic(format!("delete topic {name}"), header)
            .await
            .map(drop)
    }

    /// Describes a topic.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND.
    pub async fn describe_topic(&self, name: &str) -> Result<Topic, Error> {
        named(name)?;
        let header = pb::Metadata {
            topics: vec![name.into()],
            ..pb::Metadata::default()
        };
        self.topics(&format!("describe topic {name}"), header)
            .await?
            .pop()
            .ok_or_else(|| {
                Error::new(
                    codes::TOPIC_NOT_FOUND,
                    format!("there is no topic {name}"),
                    "the broker does not know it",
                    "create it",
                )
            })
    }

    /// All topics, by name.
    ///
    /// # Errors
    /// As every call.
    pub async fn list_topics(&self) -> Result<Vec<Topic>, Error> {
        let mut topics = self
            .topics(
                "list topics",
                pb::Metadata {
                    all: true,
                    ..pb::Metadata::default()
                },
            )
            .await?;
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    async fn topics(&self, what: &str, header: pb::Metadata) -> Result<Vec<Topic>, Error> {
        let (_, payload) = self
            .call(what, Kind::METADATA, AdminHeader::Metadata(header), false)
            .await?;
        let list = pb::TopicList::decode(payload).map_err(|e| unreadable(what, &e))?;
        Ok(list.topics.into_iter().map(topic).collect())
    }

    /// The groups of one topic, or of all.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND.
    pub async fn list_groups(&self, topic: Option<&str>) -> Result<Vec<Group>, Error> {
        let header = pb::GroupAdmin {
            op: LIST_GROUPS,
            topic: topic.unwrap_or_default().into(),
            ..pb::GroupAdmin::default()
        };
        self.groups("list groups", header, false).await
    }

    /// Describes a group.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn describe_group(&self, topic: &str, group: &str) -> Result<Group, Error> {
        let header = pb::GroupAdmin {
            op: DESCRIBE_GROUP,
            topic: topic.into(),
            group: group.into(),
            ..pb::GroupAdmin::default()
        };
        let what = format!("describe group {group} of {topic}");
        self.groups(&what, header, false)
            .await?
            .pop()
            .ok_or_else(|| {
                Error::new(
                    codes::GROUP_NOT_FOUND,
                    format!("there is no group {group} of {topic}"),
                    "the broker does not know it",
                    "a group begins with its first member",
                )
            })
    }

    /// Forgets the group and where it was.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn delete_group(&self, topic: &str, group: &str) -> Result<(), Error> {
        let header = pb::GroupAdmin {
            op: DELETE_GROUP,
            topic: topic.into(),
            group: group.into(),
            idempotency_key: key(),
            ..pb::GroupAdmin::default()
        };
        self.groups(&format!("delete group {group} of {topic}"), header, true)
            .await
            .map(drop)
    }

    async fn groups(
        &self,
        what: &str,
        header: pb::GroupAdmin,
        changes: bool,
    ) -> Result<Vec<Group>, Error> {
        let (_, payload) = self
            .call(what, Kind::GROUP_ADMIN, AdminHeader::Group(header), changes)
            .await?;
        let list = pb::GroupList::decode(payload).map_err(|e| unreadable(what, &e))?;
        Ok(list.groups.into_iter().map(group).collect())
    }

    /// Moves a group, in all partitions or, for an offset, in one. `dry_run` only says what would happen; `reason` is for the audit
    /// and not empty.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND, POSITION_OUT_OF_RANGE.
    pub async fn seek_group(
        &self,
        topic: &str,
        group: &str,
        to: Start,
        dry_run: bool,
        reason: &str,
    ) -> Result<SeekOutcome, Error> {
        if reason.is_empty() {
            return Err(Error::invalid(
                "the reason of a seek is empty",
                "it is kept for the audit",
            ));
        }
        if to.is_group() {
            return Err(Error::invalid(
                "a group cannot be moved to where it is",
                "give earliest, latest, an offset or a time",
            ));
        }
        let what = format!("seek group {group} of {topic}");
        let header = pb::Seek {
            to: Some(to.0),
            topic: topic.into(),
            group: group.into(),
            dry_run,
            reason: reason.into(),
            ..pb::Seek::default()
        };
        let (header, _) = self
            .call(&what, Kind::SEEK, AdminHeader::Seek(header), !dry_run)
            .await?;
        let result = pb::SeekResult::decode(header).map_err(|e| unreadable(&what, &e))?;
        let partitions = result.partitions.into_iter().map(|p| SeekPartition {
            partition: p.partition,
            from: p.from,
            to: p.to,
            end: p.end,
        });
        Ok(SeekOutcome {
            applied: result.applied,
            revision: result.revision,
            partitions: partitions.collect(),
        })
    }
}

fn settings(config: &[(&str, &str)]) -> HashMap<String, String> {
    config
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn topic(info: pb::TopicInfo) -> Topic {
    let partitions = info.partitions.into_iter().map(|p| TopicPartition {
        partition: p.partition,
        start_offset: p.start_offset,
        end_offset: p.end_offset,
        visible_offset: p.visible_offset,
        bytes: p.bytes,
        corrupt_batches: p.corrupt_batches,
    });
    Topic {
        name: info.name,
        config: info.config.into_iter().collect(),
        revision: info.revision,
        created_ms: info.created_unix_ms,
        partitions: partitions.collect(),
    }
}

fn group(info: pb::GroupInfo) -> Group {
    let partitions = info.partitions.into_iter().map(|p| GroupPartition {
        partition: p.partition,
        cursor: p.cursor,
        acked_above: p.acked_above,
        in_flight: p.in_flight,
        waiting_retry: p.waiting_retry,
        end_offset: p.end_offset,
        backlog: p.backlog,
    });
    Group {
        topic: info.topic,
        name: info.group,
        members: info.members,
        revision: info.revision,
        max_deliveries: info.max_deliveries,
        created_ms: info.created_unix_ms,
        partitions: partitions.collect(),
    }
}
