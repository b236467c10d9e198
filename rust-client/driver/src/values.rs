use bytes::Bytes;
use serde_json::{json, Value};
use spillway::{Ack, Error, Group, Message, Record, Start, Topic};

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
        "retry_after_ms": e.retry_after().as_millis() as u64, "message": e.what(), "cause": e.why(), "next_step": e.next_step()})
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
    match std::str::from_utf8(b) {
        Ok(text) => json!(text),
        Err(_) => json!({"hex": b.iter().map(|byte| format!("{byte:02x}")).collect::<String>()}),
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
    a.finish()?;
    Ok(record)
}

pub fn offset(ack: &Ack) -> i64 {
    ack.offset.map_or(-1, |offset| offset as i64)
}

pub fn ack(result: &Result<Ack, Error>) -> Value {
    match result {
        Err(e) => json!({ "error": error(e) }),
        Ok(ack) => json!({"partition": ack.partition, "offset": offset(ack),
            "durability": format!("{:?}", ack.durability).to_lowercase(), "duplicate": ack.duplicate, "degraded": ack.degraded,
            "append_time_ms": ack.append_time_ms}),
    }
}

pub fn message(number: usize, m: &Message) -> Value {
    let headers: Vec<Value> = m
        .headers()
        .iter()
        .map(|(name, value)| json!([name, bytes(value)]))
        .collect();
    json!({"message": number, "topic": m.topic(), "partition": m.partition(), "offset": m.offset(),
        "key": m.key().map(|key| bytes(key)), "value": bytes(m.value()), "headers": headers, "attempt": m.attempt(),
        "timestamp_ms": m.timestamp_ms(), "append_time_ms": m.append_time_ms(),
        "idempotency_key": m.idempotency_key().map(|key| bytes(key)), "traceparent": m.traceparent(),
        "correlation_id": m.correlation_id()})
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

pub fn group(g: &Group) -> Value {
    let partitions: Vec<Value> = g
        .partitions
        .iter()
        .map(|p| {
            json!({"partition": p.partition, "cursor": p.cursor, "acked_above": p.acked_above, "in_flight": p.in_flight,
                "waiting_retry": p.waiting_retry, "end_offset": p.end_offset, "backlog": p.backlog})
        })
        .collect();
    json!({"topic": g.topic, "group": g.name, "members": g.members, "max_deliveries": g.max_deliveries,
        "partitions": partitions})
}
