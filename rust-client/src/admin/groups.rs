//! The calls about groups.

use prost::Message as _;

use super::group::{group, snapshot, Group, GroupMode, GroupSnapshot, SeekOutcome, SeekPartition};
use super::{key, reasoned, settings, unreadable, Admin};
use crate::calls::AdminHeader;
use crate::codes;
use crate::pb;
use crate::wire::Kind;
use crate::{Error, Start};

const LIST: u32 = 1;
const DESCRIBE: u32 = 2;
const DELETE: u32 = 3;
const CREATE: u32 = 4;
const ALTER: u32 = 5;
const PAUSE: u32 = 6;
const RESUME: u32 = 7;
const SNAPSHOT: u32 = 8;
const RESTORE: u32 = 9;
const LIST_SNAPSHOTS: u32 = 10;
const DELETE_SNAPSHOT: u32 = 11;

impl Admin {
    /// The groups of one topic, or of all.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND.
    pub async fn list_groups(&self, topic: Option<&str>) -> Result<Vec<Group>, Error> {
        let header = header(LIST, topic.unwrap_or_default(), "");
        let (groups, _) = self.group_call("list groups", header, false).await?;
        Ok(groups)
    }

    /// Describes a group.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn describe_group(&self, topic: &str, group: &str) -> Result<Group, Error> {
        let what = format!("describe group {group} of {topic}");
        let (groups, _) = self
            .group_call(&what, header(DESCRIBE, topic, group), false)
            .await?;
        only(groups, topic, group)
    }

    /// Creates a group before its first member comes: its mode, where it begins, and its settings, for instance "max.deliveries" or
    /// "retry.backoff.ms".
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT.
    pub async fn create_group(
        &self,
        topic: &str,
        group: &str,
        mode: GroupMode,
        start: Start,
        config: &[(&str, &str)],
    ) -> Result<Group, Error> {
        let header = pb::GroupAdmin {
            mode: mode.wire(),
            start: Some(start.0),
            args: settings(config),
            ..header(CREATE, topic, group)
        };
        self.change_group("create", header).await
    }

    /// Changes the given settings; only at that revision when one is given.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND, INVALID_ARGUMENT, REVISION_MISMATCH.
    pub async fn alter_group(
        &self,
        topic: &str,
        group: &str,
        config: &[(&str, &str)],
        expect_revision: Option<u64>,
    ) -> Result<Group, Error> {
        let header = pb::GroupAdmin {
            args: settings(config),
            expect_revision: expect_revision.unwrap_or(0),
            ..header(ALTER, topic, group)
        };
        self.change_group("alter", header).await
    }

    /// From now on the group delivers nothing, also after a restart of the broker. What is delivered may still be settled.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn pause_group(
        &self,
        topic: &str,
        group: &str,
        reason: &str,
    ) -> Result<Group, Error> {
        reasoned("a pause", reason)?;
        let header = pb::GroupAdmin {
            reason: reason.into(),
            ..header(PAUSE, topic, group)
        };
        self.change_group("pause", header).await
    }

    /// Delivers again, whoever paused it.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn resume_group(
        &self,
        topic: &str,
        group: &str,
        reason: &str,
    ) -> Result<Group, Error> {
        reasoned("a resumption", reason)?;
        let header = pb::GroupAdmin {
            reason: reason.into(),
            ..header(RESUME, topic, group)
        };
        self.change_group("resume", header).await
    }

    /// Keeps what the group has settled, under that name.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND, ALREADY_EXISTS.
    pub async fn snapshot_group(
        &self,
        topic: &str,
        group: &str,
        snapshot: &str,
        reason: &str,
    ) -> Result<GroupSnapshot, Error> {
        reasoned("a snapshot", reason)?;
        let header = pb::GroupAdmin {
            snapshot: snapshot.into(),
            reason: reason.into(),
            ..header(SNAPSHOT, topic, group)
        };
        let what = format!("snapshot group {group} of {topic}");
        let (_, mut snapshots) = self.group_call(&what, header, true).await?;
        snapshots.pop().ok_or_else(|| {
            Error::new(
                codes::NOT_FOUND,
                format!(
                    "the broker does not show the snapshot {snapshot} of group {group} of {topic}"
                ),
                "its answer has none",
                "list the group's snapshots",
            )
        })
    }

    /// Sets the group back to exactly what it had settled when the snapshot was taken. Leases end.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND, NOT_FOUND.
    pub async fn restore_group(
        &self,
        topic: &str,
        group: &str,
        snapshot: &str,
        reason: &str,
    ) -> Result<Group, Error> {
        reasoned("a restoration", reason)?;
        let header = pb::GroupAdmin {
            snapshot: snapshot.into(),
            reason: reason.into(),
            ..header(RESTORE, topic, group)
        };
        self.change_group("restore", header).await
    }

    /// The snapshots of a group, by name.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn group_snapshots(
        &self,
        topic: &str,
        group: &str,
    ) -> Result<Vec<GroupSnapshot>, Error> {
        let what = format!("list snapshots of group {group} of {topic}");
        let header = header(LIST_SNAPSHOTS, topic, group);
        let (_, mut snapshots) = self.group_call(&what, header, false).await?;
        snapshots.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(snapshots)
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND, NOT_FOUND.
    pub async fn delete_group_snapshot(
        &self,
        topic: &str,
        group: &str,
        snapshot: &str,
    ) -> Result<(), Error> {
        let header = pb::GroupAdmin {
            snapshot: snapshot.into(),
            ..header(DELETE_SNAPSHOT, topic, group)
        };
        let what = format!("delete snapshot {snapshot} of group {group} of {topic}");
        self.group_call(&what, header, true).await.map(drop)
    }

    /// Forgets the group and where it was.
    ///
    /// # Errors
    /// TOPIC_NOT_FOUND, GROUP_NOT_FOUND.
    pub async fn delete_group(&self, topic: &str, group: &str) -> Result<(), Error> {
        let what = format!("delete group {group} of {topic}");
        self.group_call(&what, header(DELETE, topic, group), true)
            .await
            .map(drop)
    }

    async fn change_group(&self, verb: &str, header: pb::GroupAdmin) -> Result<Group, Error> {
        let (topic, group) = (header.topic.clone(), header.group.clone());
        let what = format!("{verb} group {group} of {topic}");
        let (groups, _) = self.group_call(&what, header, true).await?;
        only(groups, &topic, &group)
    }

    async fn group_call(
        &self,
        what: &str,
        header: pb::GroupAdmin,
        changes: bool,
    ) -> Result<(Vec<Group>, Vec<GroupSnapshot>), Error> {
        let (header, payload) = self
            .call(what, Kind::GROUP_ADMIN, AdminHeader::Group(header), changes)
            .await?;
        let ok = pb::GroupAdminOk::decode(header).map_err(|e| unreadable(what, &e))?;
        let list = pb::GroupList::decode(payload).map_err(|e| unreadable(what, &e))?;
        Ok((
            list.groups.into_iter().map(group).collect(),
            ok.snapshots.into_iter().map(snapshot).collect(),
        ))
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
        reasoned("a seek", reason)?;
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

fn header(op: u32, topic: &str, group: &str) -> pb::GroupAdmin {
    pb::GroupAdmin {
        op,
        topic: topic.into(),
        group: group.into(),
        idempotency_key: key(),
        ..pb::GroupAdmin::default()
    }
}

fn only(mut groups: Vec<Group>, topic: &str, group: &str) -> Result<Group, Error> {
    groups.pop().ok_or_else(|| {
        Error::new(
            codes::GROUP_NOT_FOUND,
            format!("there is no group {group} of {topic}"),
            "the broker does not know it",
            "a group begins with its first member",
        )
    })
}
