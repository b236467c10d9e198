use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use spillway::{Message, ReadFrom, Subscription, SubscriptionBuilder};
use tokio::sync::watch;
use tokio::time::{timeout, Instant};

use crate::args::Args;
use crate::clients::client;
use crate::values::{self, Failure};
use crate::{find, groups, Driver};

const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Default)]
struct Seen {
    lost: u64,
    became_active: u64,
    handled: u64,
    redelivered: u64,
    at_once: u64,
    most_at_once: u64,
}

/// One subscription and what the scenario has seen of it.
pub struct Reading {
    subscription: Subscription,
    messages: Mutex<Vec<Message>>,
    seen: watch::Sender<Seen>,
}

impl Reading {
    /// Waits until the condition holds or the time has passed.
    async fn wait(&self, limit: Duration, holds: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.subscribe();
        let _ = timeout(limit, seen.wait_for(|seen| holds(seen))).await; // what was seen tells which of the two
        let now = *seen.borrow();
        now
    }
}

async fn open_as(d: &Driver, mut a: Args) -> Result<Arc<Reading>, Failure> {
    let (open, name, topic) = (
        client(d, &mut a)?,
        a.text("subscription")?,
        a.text("topic")?,
    );
    let seen = watch::Sender::new(Seen::default());
    let (lost, turns) = (seen.clone(), seen.clone());
    let mut builder: SubscriptionBuilder = open
        .client
        .subscribe(topic)
        .on_lost_leases(move |leases| {
            lost.send_modify(|seen| seen.lost += leases.last_offset - leases.first_offset + 1);
        })
        .on_active(move |active| {
            turns.send_modify(|seen| seen.became_active += u64::from(active));
        });
    if let Some(group) = a.find_text("group") {
        builder = builder.group(group);
    }
    if let Some(start) = a.take("start") {
        builder = builder.start(values::start(&start)?);
    }
    if let Some(lease) = a.find_millis("lease_ms") {
        builder = builder.lease_time(lease);
    }
    if let Some(max) = a.find_number("max_unacked") {
        builder = builder.max_unacked(max as u32);
    }
    if let Some(max) = a.find_number("max_deliveries") {
        builder = builder.max_deliveries(max as u32);
    }
    if let Some(partitions) = a.take("partitions") {
        builder = builder.partitions(values::numbers(&partitions));
    }
    if let Some(bytes) = a.find_number("credit_bytes") {
        builder = builder.credit_bytes(bytes as u64);
    }
    if let Some(name) = a.find_text("name") {
        builder = builder.name(name);
    }
    if a.take("standby") == Some(Value::Bool(true)) {
        builder = builder.standby();
    }
    let builder = of_group(builder, &mut a)?;
    a.finish()?;
    let reading = Arc::new(Reading {
        subscription: builder.open().await?,
        messages: Mutex::default(),
        seen,
    });
    d.readings
        .lock()
        .expect("no panic under this lock")
        .insert(name, reading.clone());
    Ok(reading)
}

/// What the options say of the group.
fn of_group(
    mut builder: SubscriptionBuilder,
    a: &mut Args,
) -> Result<SubscriptionBuilder, Failure> {
    if let Some(mode) = groups::mode(a)? {
        builder = builder.mode(mode);
    }
    if let Some(filter) = a.find_text("filter") {
        builder = builder.filter(filter);
    }
    if let Some(node) = a.find_text("read_from") {
        builder = builder.read_from(match node.as_str() {
            "leader" => ReadFrom::Leader,
            "nearest" => ReadFrom::Nearest,
            _ => return Err(Failure::Driver(format!("unknown node to read from {node}"))),
        });
    }
    let millis = |value: Value| {
        let numbers = values::numbers(&value).into_iter();
        numbers.map(|ms| Duration::from_millis(ms.into())).collect()
    };
    if let Some(waits) = a.take("retry_backoff_ms") {
        let waits: Vec<Duration> = millis(waits);
        builder = builder.retry_backoff(waits);
    }
    if let Some(bounds) = a.take("retry_backoff_between_ms") {
        let bounds: Vec<Duration> = millis(bounds);
        let [min, max] = bounds[..] else {
            return Err(Failure::Driver("a backoff is between two times".into()));
        };
        builder = builder.retry_backoff_between(min, max);
    }
    if let Some(percent) = a.find_number("retry_jitter_percent") {
        builder = builder.retry_jitter_percent(percent as u32);
    }
    if let Some(messages) = a.find_number("max_inflight") {
        builder = builder.max_in_flight(messages as u32);
    }
    for (name, value) in a.pairs("group_settings") {
        builder = builder.group_setting(name, value);
    }
    Ok(builder)
}

fn reading(d: &Driver, a: &mut Args) -> Result<Arc<Reading>, Failure> {
    find(&d.readings, "subscription", &a.text("subscription")?)
}

pub async fn open(d: &Driver, a: Args) -> Result<Value, Failure> {
    let reading = open_as(d, a).await?;
    Ok(json!({"partitions": reading.subscription.partitions()}))
}

pub async fn handle(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let concurrency = a.find_number("concurrency").unwrap_or(1) as usize;
    let to_fail = AtomicI64::new(a.find_number("fail_first").unwrap_or(0));
    let work = a.find_millis("work_ms").unwrap_or_default();
    let reading = open_as(d, a).await?;
    tokio::spawn(async move {
        let handler = |message: Message| {
            let (reading, to_fail) = (&reading, &to_fail);
            async move {
                reading.seen.send_modify(|seen| {
                    seen.at_once += 1;
                    seen.most_at_once = seen.most_at_once.max(seen.at_once);
                });
                tokio::time::sleep(work).await;
                let fails = to_fail.fetch_sub(1, Ordering::Relaxed) > 0;
                reading.seen.send_modify(|seen| {
                    seen.at_once -= 1;
                    seen.handled += 1;
                    seen.redelivered += u64::from(message.attempt() > 1);
                });
                if fails {
                    Err("the scenario lets this handler fail")
                } else {
                    Ok(())
                }
            }
        };
        if let Err(e) = reading.subscription.consume(concurrency, handler).await {
            eprintln!("a handler's subscription ended: {e}");
        }
    });
    Ok(json!({}))
}

pub async fn handled(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let (count, limit) = (a.number("count")? as u64, a.millis("timeout_ms")?);
    a.finish()?;
    let seen = reading.wait(limit, |seen| seen.handled >= count).await;
    Ok(
        json!({"received": seen.handled, "redelivered": seen.redelivered, "most_at_once": seen.most_at_once}),
    )
}

pub async fn poll(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let (max, limit) = (
        a.find_number("max").unwrap_or(1) as usize,
        a.millis("timeout_ms")?,
    );
    a.finish()?;
    let messages = reading.subscription.fetch(max, limit).await?;
    let mut kept = reading.messages.lock().expect("no panic under this lock");
    let mut list = Vec::new();
    for message in messages {
        list.push(values::message(kept.len() + 1, &message));
        kept.push(message);
    }
    Ok(json!({ "messages": list }))
}

pub async fn collect(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let count = a.number("count")? as usize;
    let deadline = Instant::now() + a.millis("timeout_ms")?;
    let acks = match a.find_text("settle").as_deref() {
        None | Some("ack") => true,
        Some("none") => false,
        Some(other) => return Err(Failure::Driver(format!("unknown settle {other}"))),
    };
    a.finish()?;
    let (mut received, mut redelivered, mut in_order, mut digest) = (0, 0, true, 0);
    let (mut places, mut values, mut last) = (HashSet::new(), HashSet::new(), HashMap::new());
    while received < count && Instant::now() < deadline {
        let left = deadline.saturating_duration_since(Instant::now());
        for message in reading
            .subscription
            .fetch((count - received).min(1_000), left)
            .await?
        {
            received += 1;
            redelivered += usize::from(message.attempt() > 1);
            let (partition, offset) = (message.partition(), message.offset());
            in_order &= last
                .insert(partition, offset)
                .is_none_or(|before| before < offset);
            values.insert(message.value().clone());
            if places.insert((partition, offset)) {
                digest ^= digest_of(&message);
            }
            if acks {
                message.ack();
            }
        }
    }
    Ok(
        json!({"received": received, "distinct": places.len(), "redelivered": redelivered, "in_order": in_order,
        "values": values.len(), "digest": format!("{digest:016x}")}),
    )
}

fn digest_of(message: &Message) -> u64 {
    let length = message.key().map_or(u32::MAX, |key| key.len() as u32);
    let mut hash = Sha256::new();
    hash.update(length.to_be_bytes());
    hash.update(message.key().map_or(&[][..], |key| key));
    hash.update(message.value());
    u64::from_be_bytes(hash.finalize()[..8].try_into().expect("eight bytes"))
}

pub async fn flush_acks(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let limit = a.find_millis("timeout_ms").unwrap_or(FLUSH_TIMEOUT);
    a.finish()?;
    reading.subscription.flush_acks(limit).await?;
    Ok(json!({}))
}

pub async fn lost_leases(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let (count, limit) = (a.number("count")? as u64, a.millis("timeout_ms")?);
    a.finish()?;
    let seen = reading.wait(limit, |seen| seen.lost >= count).await;
    Ok(json!({"lost": seen.lost}))
}

pub fn active(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    a.finish()?;
    let became_active = reading.seen.borrow().became_active;
    Ok(json!({"active": reading.subscription.is_active(), "became_active": became_active}))
}

pub async fn drain(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let limit = a.millis("timeout_ms")?;
    a.finish()?;
    reading.subscription.drain(limit).await?;
    Ok(json!({}))
}

pub async fn ended(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let limit = a.millis("timeout_ms")?;
    a.finish()?;
    match timeout(limit, reading.subscription.ended()).await {
        Ok(result) => Ok(result.map(|()| json!({}))?),
        Err(_) => Err(Failure::Driver(format!(
            "the subscription is not over after {limit:?}"
        ))),
    }
}

pub async fn close(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let reading = reading(d, &mut a)?;
    let limit = a
        .find_millis("timeout_ms")
        .unwrap_or(Duration::from_secs(10));
    a.finish()?;
    reading.subscription.close_within(limit).await?;
    Ok(json!({}))
}

pub fn settle(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let op = a.op();
    let reading = reading(d, &mut a)?;
    let numbers = a.need("messages")?;
    let (delay, lease) = (a.find_millis("delay_ms"), a.find_millis("lease_ms"));
    let reason = a.find_text("reason").unwrap_or_default();
    a.finish()?;
    let kept = reading.messages.lock().expect("no panic under this lock");
    for number in numbers
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
    {
        let message = usize::try_from(number)
            .ok()
            .and_then(|n| kept.get(n.checked_sub(1)?));
        let message = message.ok_or_else(|| Failure::Driver(format!("no message {number}")))?;
        match op.as_str() {
            "message.ack" => message.ack(),
            "message.release" => message.release(),
            "message.nack" => message.nack_because(delay, &reason),
            "message.extend" => message.extend(lease.unwrap_or_default()),
            _ => message.terminate(&reason),
        }
    }
    Ok(json!({}))
}
