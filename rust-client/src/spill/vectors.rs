//! Runs the vectors of the files; vectors/README.md describes them.

use serde_json::Value;

use super::entry;
use super::segment::{append_entry, scan, Tail, MAGIC};
use crate::core::vectors::{knows, number, run, text};
use crate::Record;

fn record(value: &Value) -> Record {
    let keys = [
        "topic",
        "value",
        "key",
        "headers",
        "idempotency_key",
        "partition",
        "traceparent",
        "correlation_id",
        "timestamp_ms",
        "deliver_at_ms",
        "expires_at_ms",
        "first_attempt_ms",
        "maybe_stored",
    ];
    knows(value, &keys);
    let string = |key: &str| value[key].as_str().map(str::to_owned);
    let header = |header: &Value| {
        let name = text(header, "name").to_owned();
        (name, text(header, "value").to_owned().into())
    };
    Record {
        key: string("key").map(Into::into),
        value: text(value, "value").to_owned().into(),
        headers: list(value, "headers").iter().map(header).collect(),
        idempotency_key: string("idempotency_key").map(Into::into),
        timestamp_ms: value["timestamp_ms"].as_i64(),
        partition: value["partition"].as_u64().map(|index| index as u32),
        traceparent: string("traceparent"),
        correlation_id: string("correlation_id"),
        deliver_at_ms: value["deliver_at_ms"].as_i64(),
        expires_at_ms: value["expires_at_ms"].as_i64(),
        first_attempt: None,
    }
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[test]
fn writes_and_reads_segments() {
    let keys = ["name", "records", "segment", "good_bytes", "tail"];
    run("spill", &keys, |case| {
        let segment = bytes(text(case, "segment"));
        let good = number(case, "good_bytes") as usize;
        let records = list(case, "records");
        let mut written = MAGIC.to_vec();
        for value in &records {
            let stored = value["maybe_stored"].as_bool().unwrap_or(false);
            let first = number(value, "first_attempt_ms");
            let body = entry::encode(text(value, "topic"), &record(value), first, stored);
            append_entry(&mut written, &body);
        }
        if good > 0 {
            assert_eq!(segment[..good], written, "{case}");
        }
        let mut read = Vec::new();
        let (end, tail) = scan(&segment, |body| {
            read.push(entry::decode(read.len() as u64, body).expect("a record"));
            true
        });
        let expected = match text(case, "tail") {
            "WHOLE" => Tail::Whole,
            "TORN" => Tail::Torn,
            "DAMAGED" => Tail::Damaged,
            other => panic!("unknown tail {other}"),
        };
        assert_eq!(
            (end, tail, read.len()),
            (good, expected, records.len()),
            "{case}"
        );
        for (entry, value) in read.iter().zip(&records) {
            assert_eq!(entry.topic, text(value, "topic"));
            let is = format!("{:?}", entry.record);
            assert_eq!(is, format!("{:?}", record(value)));
            let stored = value["maybe_stored"].as_bool().unwrap_or(false);
            let first = number(value, "first_attempt_ms");
            assert_eq!(
                (entry.first_attempt_ms, entry.maybe_stored),
                (first, stored)
            );
        }
    });
}
