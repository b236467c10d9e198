use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{json, Value};
use spillway::{
    Ack, Error, Group, GroupMode, GroupPartition, GroupSnapshot, Message, Record, ReplayJob,
    ReplayPlan, Start, Topic,
};

use crate::args::Args;

/// Why an operation has no good answer.
pub enum Failure {
    Library(Error),
    Driver(String),
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Self::Library(e)
    }
}

impl Failure {
    pub fn to_json(&self) -> Value {
        match self {
            Self::Library(e) => error(e),
            Self::Driver(what) => {
                json!({"reason": "DRIVER", "code": 0, "retry": "NEVER", "retry_after_ms": 0, "message": what,
                "cause": "", "next_step": "mend the scenario or the driver"})
            }
        }
    }
}

pub fn error(e: &Error) -> Value {
    json!({"reason": e.reason(), "code": e.code(), "retry": e.retry().name(),
        "retry_after_ms": e.retry_after().as_millis() as u64, "message": e.what(), "cause": e.why(),
        "next_step": e.next_step(), "details": e.details()})
}

pub fn content(value: &Value) -> Result<Bytes, Failure> {
    if let Some(text) = value.as_str() {
        return Ok(Bytes::copy_from_slice(text.as_bytes()));
    }
    let hex = value["hex"]
        .as_str()
        .ok_or_else(|| Failure::Driver(format!("{value} are no bytes")))?;
    let digits = |i: usize| u8::from_str_radix(hex.get(i..i + 2).unwrap_or("?"), 16);
    (0..hex.len())
        .step_by(2)
        .map(digits)
        .collect::<Result<Vec<u8>, _>>()
        .map(Bytes::from)
        .map_err(|e| Failure::Driver(e.to_string()))
}

pub fn bytes(b: &[u8]) -> Value {
    if let Ok(text) = std::str::from_utf8(b) {
        return json!(text);
    }
    let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
    json!({"hex": b.iter().fold(String::new(), hex)})
}

/// The numbers of a list.
pub fn numbers(list: &Value) -> Vec<u32> {
    let numbers = list.as_array().into_iter().flatten();
    numbers
        .filter_map(Value::as_u64)
        .map(|number| number as u32)
        .collect()
}

fn time(unix_ms: i64) -> SystemTime {
    let since = Duration::from_millis(unix_ms.unsigned_abs());
    if unix_ms < 0 {
        UNIX_EPOCH - since
    } else {
        UNIX_EPOCH + since
    }
}

fn filled(size: i64) -> Bytes {
    vec![b'x'; size as usize].into()
}

pub fn record(value: &Value) -> Result<Record, Failure> {
    let mut a = Args::new(value);
    let mut record = Record::new(match a.find_number("value_size") {
        Some(size) => filled(size),
        None => content(&a.need("value")?)?,
    });
    if let Some(size) = a.find_number("key_size") {
        record = record.key(filled(size));
    }
    if let Some(key) = a.take("key") {
        record = record.key(content(&key)?);
    }
    for header in a
        .take("headers")
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        record = record.header(header[0].as_str().unwrap_or_default(), content(&header[1])?);
    }
    if let Some(key) = a.take("idempotency_key") {
        record = record.idempotency_key(content(&key)?);
    }
    if let Some(ms) = a.find_number("timestamp_ms") {
        record = record.timestamp_ms(ms);
    }
    if let Some(partition) = a.find_number("partition") {
        record = record.partition(u32::try_from(partition).unwrap_or(u32::MAX));
    }
    if let Some(context) = a.find_text("traceparent") {
        record = record.traceparent(context);
    }
    if let Some(id) = a.find_text("correlation_id") {
        record = record.correlation_id(id);
    }
    if let Some(wait) = a.find_millis("deliver_after_ms") {
        record = record.deliver_after(wait);
    }
    if let Some(ms) = a.find_number("deliver_at_ms") {
        record = record.deliver_at(time(ms));
    }
    if let Some(wait) = a.find_millis("expires_after_ms") {
        record = record.expires_after(wait);
    }
    if let Some(ms) = a.find_number("expires_at_ms") {
        record = record.expires_at(time(ms));
    }
    if let Some(ago) = a.find_millis("first_attempt_ago_ms") {
        record = record.first_attempt(SystemTime::now() - ago);
    }
    a.finish()?;
    Ok(record)
}

pub fn offset(ack: &Ack) -> i64 {
    ack.offset
        .and_then(|offset| i64::try_from(offset).ok())
        .unwrap_or(-1)
}

pub fn ack(result: &Result<Ack, Error>) -> Value {
    match result {
        Err(e) => json!({ "error": error(e) }),
        Ok(ack) => json!({"partition": ack.partition, "offset": offset(ack),
            "durability": format!("{:?}", ack.durability).to_lowercase(), "duplicate": ack.duplicate, "degraded": ack.degraded,
            "append_time_ms": ack.append_time_ms}),
    }
}

fn ms(time: Duration) -> u64 {
    time.as_millis() as u64
}

pub fn message(number: usize, m: &Message) -> Value {
    let headers: Vec<Value> = m
        .headers()
        .iter()
        .map(|(name, value)| json!([name, bytes(value)]))
        .collect();
    json!({"message": number, "topic": m.topic(), "partition": m.partition(), "offset": m.offset(),
        "key": m.key().map(|key| bytes(key)), "value": bytes(m.value()), "headers": headers, "attempt": m.attempt(),
        "failures": m.failures(),
        "timestamp_ms": m.timestamp_ms(), "append_time_ms": m.append_time_ms(),
        "idempotency_key": m.idempotency_key().map(|key| bytes(key)), "traceparent": m.traceparent(),
        "correlation_id": m.correlation_id(),
        "expires_at_ms": m.expires_at().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(ms),
        "time_left_ms": m.time_left().map(ms)})
}

pub fn start(value: &Value) -> Result<Start, Failure> {
    match value.as_str() {
        Some("earliest") => return Ok(Start::earliest()),
        Some("latest") => return Ok(Start::latest()),
        Some("group") => return Ok(Start::group()),
        Some(other) => return Err(Failure::Driver(format!("unknown start {other}"))),
        None => {}
    }
    let mut a = Args::new(value);
    let start = match a.find_number("time_ms") {
        Some(ms) => Start::time_ms(ms as u64),
        None => Start::offset(a.number("partition")? as u32, a.number("offset")? as u64),
    };
    a.finish()?;
    Ok(start)
}

pub fn topic(t: &Topic) -> Value {
    let partitions: Vec<Value> = t
        .partitions
        .iter()
        .map(|p| {
            json!({"partition": p.partition, "start_offset": p.start_offset, "end_offset": p.end_offset,
                "visible_offset": p.visible_offset})
        })
        .collect();
    json!({"topic": t.name, "config": t.config, "revision": t.revision, "partitions": partitions})
}

fn place(p: &GroupPartition) -> Value {
    json!({"partition": p.partition, "cursor": p.cursor, "acked_above": p.acked_above})
}

pub fn group(g: &Group) -> Value {
    let partitions: Vec<Value> = g
        .partitions
        .iter()
        .map(|p| {
            json!({"partition": p.partition, "cursor": p.cursor, "acked_above": p.acked_above, "in_flight": p.in_flight,
                "waiting_retry": p.waiting_retry, "end_offset": p.end_offset, "backlog": p.backlog, "scheduled": p.scheduled,
                "key_blocked": p.key_blocked, "dropped": p.dropped})
        })
        .collect();
    let members: Vec<Value> = g
        .member_list
        .iter()
        .map(|m| json!({"name": m.name, "active": m.active, "in_flight": m.in_flight}))
        .collect();
    let mode = match g.mode {
        GroupMode::Shared => "shared",
        GroupMode::KeyOrdered => "key_ordered",
        GroupMode::Exclusive => "exclusive",
    };
    json!({"topic": g.topic, "group": g.name, "mode": mode, "members": g.members, "max_deliveries": g.max_deliveries,
        "revision": g.revision, "config": g.config, "paused": g.is_paused(),
        "pause_reason": g.pause_reason.as_deref().unwrap_or_default(), "acked": g.acked, "dead_lettered": g.dead_lettered,
        "member_list": members, "partitions": partitions})
}

pub fn snapshot(s: &GroupSnapshot) -> Value {
    let partitions: Vec<Value> = s.partitions.iter().map(place).collect();
    json!({"snapshot": s.name, "taken_ms": s.taken_ms, "reason": s.reason, "partitions": partitions})
}

pub fn plan(p: &ReplayPlan) -> Value {
    let partitions: Vec<Value> = p
        .partitions
        .iter()
        .map(
            |r| json!({"partition": r.partition, "from": r.from, "to": r.to, "records": r.records}),
        )
        .collect();
    json!({"plan": p.id, "state": format!("{:?}", p.state).to_lowercase(), "records": p.records, "bytes": p.bytes,
        "first_ms": p.first_ms, "last_ms": p.last_ms, "keys": p.keys, "keys_exact": p.keys_exact, "duplicates": p.duplicates,
        "partitions": partitions})
}

pub fn job(j: &ReplayJob) -> Value {
    json!({"job": j.id, "plan": j.plan_id, "topic": j.topic, "target": j.target.to_string(),
        "state": format!("{:?}", j.state).to_lowercase(), "why": j.why, "rate": j.rate, "reason": j.reason,
        "started_by": j.started_by, "records": j.records, "done": j.done, "redelivered": j.redelivered, "acked": j.acked,
        "failed": j.failed, "open": j.open, "duplicates": j.duplicates, "errors": j.errors})
}
