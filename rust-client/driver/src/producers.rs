use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value};
use spillway::{Durability, Producer, Record};
use tokio::time::Instant;

use crate::args::Args;
use crate::clients::client;
use crate::values::{self, Failure};
use crate::{find, Driver};

const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

pub async fn open(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, name, topic) = (client(d, &mut a)?, a.text("producer")?, a.text("topic")?);
    let mut builder = open.client.producer(topic);
    match a.find_text("durability").as_deref() {
        None => {}
        Some("mapped") => builder = builder.durability(Durability::Mapped),
        Some("synced") => builder = builder.durability(Durability::Synced),
        Some("quorum") => builder = builder.durability(Durability::Quorum),
        Some(other) => return Err(Failure::Driver(format!("unknown durability {other}"))),
    }
    if let Some(allow) = a.take("allow_degraded") {
        builder = builder.allow_degraded(allow == Value::Bool(true));
    }
    if let Some(linger) = a.find_millis("linger_ms") {
        builder = builder.linger(linger);
    }
    if let Some(bytes) = a.find_number("max_batch_bytes") {
        builder = builder.max_batch_bytes(bytes as usize);
    }
    if let Some(bytes) = a.find_number("buffer_bytes") {
        builder = builder.buffer_bytes(bytes as usize);
    }
    if let Some(wait) = a.find_millis("max_block_ms") {
        builder = builder.max_block(wait);
    }
    if let Some(timeout) = a.find_millis("delivery_timeout_ms") {
        builder = builder.delivery_timeout(timeout);
    }
    if let Some(class) = a.find_number("shed_class") {
        builder = builder.shed_class(class as u32);
    }
    if let Some(name) = a.find_text("name") {
        builder = builder.name(name);
    }
    a.finish()?;
    let producer = builder.open().await?;
    let partitions = producer.partitions();
    d.producers
        .lock()
        .expect("no panic under this lock")
        .insert(name, Arc::new(producer));
    Ok(json!({ "partitions": partitions }))
}

fn producer(d: &Driver, a: &mut Args) -> Result<Arc<Producer>, Failure> {
    find(&d.producers, "producer", &a.text("producer")?)
}

pub async fn publish(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let producer = producer(d, &mut a)?;
    let records = a.need("records")?;
    a.finish()?;
    let mut published = Vec::new();
    for record in records.as_array().into_iter().flatten() {
        published.push(producer.publish(values::record(record)?).await);
    }
    let mut acks = Vec::new();
    for taken in published {
        acks.push(match taken {
            Ok(future) => values::ack(&future.await),
            Err(refused) => values::ack(&Err(refused.error)),
        });
    }
    Ok(json!({ "acks": acks }))
}

pub async fn generate(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let producer = producer(d, &mut a)?;
    let (count, first) = (a.number("count")?, a.find_number("first").unwrap_or(0));
    let size = a.find_number("size").unwrap_or(16) as usize;
    let (prefix, keys) = (
        a.find_text("key_prefix"),
        a.find_number("keys").unwrap_or(i64::MAX),
    );
    let idempotency = a.find_text("idempotency_prefix");
    let per_second = a.find_number("per_second");
    a.finish()?;
    let began = Instant::now();
    let mut published = Vec::new();
    for i in first..first + count {
        if let Some(rate) = per_second {
            tokio::time::sleep_until(
                began + Duration::from_secs_f64((i - first) as f64 / rate as f64),
            )
            .await;
        }
        let mut value = i.to_string().into_bytes();
        value.resize(size.max(value.len()), b'.');
        let mut record = Record::new(value);
        if let Some(prefix) = &prefix {
            record = record.key(format!("{prefix}{}", i % keys));
        }
        if let Some(prefix) = &idempotency {
            record = record.idempotency_key(format!("{prefix}{i}"));
        }
        published.push(producer.publish(record).await);
    }
    let (mut acked, mut duplicates) = (0, 0);
    let mut failed: BTreeMap<String, u64> = BTreeMap::new();
    let mut offsets: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for taken in published {
        let result = match taken {
            Ok(future) => future.await,
            Err(refused) => Err(refused.error),
        };
        match result {
            Err(e) => *failed.entry(e.reason().to_owned()).or_default() += 1,
            Ok(ack) => {
                acked += 1;
                duplicates += u64::from(ack.duplicate);
                let offset = values::offset(&ack);
                let seen = offsets
                    .entry(ack.partition.to_string())
                    .or_insert((offset, offset));
                *seen = (seen.0.min(offset), seen.1.max(offset));
            }
        }
    }
    Ok(json!({"acked": acked, "duplicates": duplicates, "failed": failed, "offsets": offsets}))
}

pub fn try_publish(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let producer = producer(d, &mut a)?;
    let record = values::record(&a.need("record")?)?;
    a.finish()?;
    match producer.try_publish(record) {
        Ok(future) => {
            drop(future);
            Ok(json!({"accepted": true}))
        }
        Err(refused) if refused.error.code() == spillway::codes::LOCAL_BUFFER_FULL => {
            Ok(json!({"accepted": false}))
        }
        Err(refused) => Err(refused.error.into()),
    }
}

pub async fn flush(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let producer = producer(d, &mut a)?;
    let limit = a.find_millis("timeout_ms").unwrap_or(FLUSH_TIMEOUT);
    a.finish()?;
    producer.flush(limit).await?;
    Ok(json!({}))
}

pub async fn close(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let producer = producer(d, &mut a)?;
    let limit = a
        .find_millis("timeout_ms")
        .unwrap_or(Duration::from_secs(10));
    a.finish()?;
    let _ = producer.close_within(limit).await; // what it could not do in time is in the outcomes of the records
    Ok(json!({}))
}
