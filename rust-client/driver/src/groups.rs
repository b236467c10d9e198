use serde_json::{json, Value};
use spillway::{Admin, GroupMode, Start};

use crate::args::Args;
use crate::clients::{client, pairs};
use crate::values::{self, Failure};
use crate::Driver;

/// Whom it asks about which group.
fn of(d: &Driver, a: &mut Args) -> Result<(Admin, String, String), Failure> {
    let admin = client(d, a)?.client.admin();
    Ok((admin, a.text("topic")?, a.text("group")?))
}

pub async fn describe(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    a.finish()?;
    Ok(values::group(&admin.describe_group(&topic, &group).await?))
}

pub async fn list(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, topic) = (client(d, &mut a)?, a.find_text("topic"));
    a.finish()?;
    let groups = open.client.admin().list_groups(topic.as_deref()).await?;
    Ok(json!({"groups": groups.iter().map(|group| &group.name).collect::<Vec<_>>()}))
}

pub async fn delete(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    a.finish()?;
    admin.delete_group(&topic, &group).await?;
    Ok(json!({}))
}

pub async fn seek(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let to = values::start(&a.need("to")?)?;
    let dry_run = a.take("dry_run") == Some(Value::Bool(true));
    let reason = a.reason();
    a.finish()?;
    let outcome = admin
        .seek_group(&topic, &group, to, dry_run, &reason)
        .await?;
    let partitions: Vec<Value> = outcome
        .partitions
        .iter()
        .map(|p| json!({"partition": p.partition, "from": p.from, "to": p.to, "end": p.end}))
        .collect();
    Ok(json!({"applied": outcome.applied, "partitions": partitions}))
}

pub fn mode(a: &mut Args) -> Result<Option<GroupMode>, Failure> {
    match a.find_text("mode").as_deref() {
        None => Ok(None),
        Some("shared") => Ok(Some(GroupMode::Shared)),
        Some("key_ordered") => Ok(Some(GroupMode::KeyOrdered)),
        Some("exclusive") => Ok(Some(GroupMode::Exclusive)),
        Some(other) => Err(Failure::Driver(format!("unknown mode {other}"))),
    }
}

pub async fn create(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let mode = mode(&mut a)?.unwrap_or_default();
    let start = match a.take("start") {
        Some(start) => values::start(&start)?,
        None => Start::group(),
    };
    let config = a.pairs("config");
    a.finish()?;
    let config = pairs(&config);
    let created = admin.create_group(&topic, &group, mode, start, &config);
    Ok(values::group(&created.await?))
}

pub async fn alter(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let (config, revision) = (a.pairs("config"), a.find_number("expect_revision"));
    a.finish()?;
    let revision = revision.map(|revision| revision as u64);
    let config = pairs(&config);
    let altered = admin.alter_group(&topic, &group, &config, revision);
    Ok(values::group(&altered.await?))
}

pub async fn pause(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let reason = a.reason();
    a.finish()?;
    Ok(values::group(
        &admin.pause_group(&topic, &group, &reason).await?,
    ))
}

pub async fn resume(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let reason = a.reason();
    a.finish()?;
    Ok(values::group(
        &admin.resume_group(&topic, &group, &reason).await?,
    ))
}

pub async fn snapshot(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let (snapshot, reason) = (a.text("snapshot")?, a.reason());
    a.finish()?;
    let taken = admin.snapshot_group(&topic, &group, &snapshot, &reason);
    Ok(values::snapshot(&taken.await?))
}

pub async fn restore(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let (snapshot, reason) = (a.text("snapshot")?, a.reason());
    a.finish()?;
    let restored = admin.restore_group(&topic, &group, &snapshot, &reason);
    Ok(values::group(&restored.await?))
}

pub async fn snapshots(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    a.finish()?;
    let snapshots = admin.group_snapshots(&topic, &group).await?;
    Ok(json!({"snapshots": snapshots.iter().map(values::snapshot).collect::<Vec<_>>()}))
}

pub async fn delete_snapshot(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (admin, topic, group) = of(d, &mut a)?;
    let snapshot = a.text("snapshot")?;
    a.finish()?;
    admin
        .delete_group_snapshot(&topic, &group, &snapshot)
        .await?;
    Ok(json!({}))
}
