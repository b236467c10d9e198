use bytes::Bytes;
use prost::Message as _;

use crate::pb;
use crate::Record;

/// A record as it was read from the spool.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub number: u64,
    pub topic: String,
    pub record: Record,
    /// Since when it is being published, ms since 1970.
    pub first_attempt_ms: u64,
    /// Whether an attempt before it was spilled has no outcome.
    pub maybe_stored: bool,
}

pub(super) fn encode(
    topic: &str,
    record: &Record,
    first_attempt_ms: u64,
    maybe_stored: bool,
) -> Vec<u8> {
    let ms = |time: Option<i64>| time.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    let header = |(name, value): &(String, Bytes)| pb::SpilledHeader {
        name: name.clone(),
        value: value.clone(),
    };
    pb::SpilledRecord {
        topic: topic.to_owned(),
        value: record.value.clone(),
        key: record.key.clone(),
        headers: record.headers.iter().map(header).collect(),
        idempotency_key: record.idempotency_key.clone().unwrap_or_default(),
        partition: record.partition,
        traceparent: record.traceparent.clone().unwrap_or_default(),
        correlation_id: record.correlation_id.clone().unwrap_or_default(),
        unix_ms: ms(record.timestamp_ms),
        deliver_at_unix_ms: ms(record.deliver_at_ms),
        expires_at_unix_ms: ms(record.expires_at_ms),
        first_attempt_unix_ms: first_attempt_ms,
        maybe_stored,
    }
    .encode_to_vec()
}

pub(super) fn decode(number: u64, body: &[u8]) -> Result<Entry, prost::DecodeError> {
    let e = pb::SpilledRecord::decode(body)?;
    let ms = |time: u64| (time > 0).then(|| i64::try_from(time).unwrap_or(i64::MAX));
    let text = |text: String| (!text.is_empty()).then_some(text);
    let headers = e.headers.into_iter();
    Ok(Entry {
        number,
        topic: e.topic,
        record: Record {
            key: e.key,
            value: e.value,
            headers: headers.map(|header| (header.name, header.value)).collect(),
            idempotency_key: (!e.idempotency_key.is_empty()).then_some(e.idempotency_key),
            timestamp_ms: ms(e.unix_ms),
            partition: e.partition,
            traceparent: text(e.traceparent),
            correlation_id: text(e.correlation_id),
            deliver_at_ms: ms(e.deliver_at_unix_ms),
            expires_at_ms: ms(e.expires_at_unix_ms),
            first_attempt: None,
        },
        first_attempt_ms: e.first_attempt_unix_ms,
        maybe_stored: e.maybe_stored,
    })
}
