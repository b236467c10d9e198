//! Topics: what they are, and the calls about them.

use std::collections::BTreeMap;

use prost::Message as _;

use super::{key, named, reasoned, settings, unreadable, Admin};
use crate::calls::AdminHeader;
use crate::codes;
use crate::options::number_between;
use crate::pb;
use crate::wire::Kind;
use crate::{Error, Start};

const CREATE: u32 = 1;
const ALTER: u32 = 2;
const DELETE: u32 = 3;
const PURGE: u32 = 4;

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

impl Admin {
    async fn topic(&self, what: String, header: pb::TopicAdmin) -> Result<Topic, Error> {
        named(&header.topic)?;
        let (header, _) = self
            .call(&what, Kind::TOPIC_ADMIN, AdminHeader::Topic(header), true)
            .await?;
        Ok(topic(
            pb::TopicInfo::decode(header).map_err(|e| unreadable(&what, &e))?,
        ))
    }

    /// Creates a topic. Settings that are not given have the broker's defaults: "durability" (mapped, synced), "retention.ms",
    /// "retention.bytes", "dedup.window.ms", "dedup.window.keys", "backlog.bytes", "backlog.records", "backlog.ms",
    /// "backlog.policy" (reject, `drop_oldest`), "retain.until.acked", "accepts" (dlq, replay).
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

    /// Removes the records before that place, in all partitions or, for an offset, in one. `reason` is for the audit and not empty.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, POSITION_OUT_OF_RANGE, INVALID_ARGUMENT.
    pub async fn purge_topic(
        &self,
        name: &str,
        before: Start,
        reason: &str,
    ) -> Result<Topic, Error> {
        reasoned("a purge", reason)?;
        if before.is_group() {
            return Err(Error::invalid(
                "a topic cannot be purged up to where a group is",
                "give earliest, latest, an offset or a time",
            ));
        }
        let header = pb::TopicAdmin {
            op: PURGE,
            topic: name.into(),
            before: Some(before.0),
            reason: reason.into(),
            idempotency_key: key(),
            ..pb::TopicAdmin::default()
        };
        self.topic(format!("purge topic {name}"), header).await
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
