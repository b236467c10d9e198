//! The vectors of the wire, and bytes that nobody meant. Proptest rather than cargo-fuzz, which needs a nightly toolchain: this
//! runs with every test run, from the same seeds.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::Value;

use super::frame::PREFIX_BYTES;
use super::preface::negotiate;
use super::*;
use crate::core::vectors::{run, run_some};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex"))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn vectors(suite: &str) -> Value {
    let path = format!("{}/../vectors/{suite}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

#[test]
fn hashes_keys() {
    run("key_hash", &["key", "expect_hash", "expect_slot"], |case| {
        let hash = key_hash(case["key"].as_str().expect("a key").as_bytes());
        assert_eq!(
            format!("{hash:08x}"),
            case["expect_hash"].as_str().expect("a hash"),
            "{case}"
        );
        assert_eq!(u64::from(hash & 1023), case["expect_slot"], "{case}");
    });
}

#[test]
fn rolls_out_toggles() {
    let keys = [
        "name",
        "toggle",
        "instance_id",
        "rollout_bp",
        "value",
        "fallback",
        "expect_bucket",
        "expect",
    ];
    run("toggle", &keys, |case| {
        let toggle = case["toggle"].as_str().expect("a name");
        let id = unhex(case["instance_id"].as_str().expect("an id"));
        let rollout = case["rollout_bp"].as_u64().expect("a share") as u32;
        let is_in = in_rollout(toggle, &id, rollout);
        let bucket = super::batch::rollout_bucket(toggle, &id);
        assert_eq!(u64::from(bucket), case["expect_bucket"], "{case}");
        let got = if is_in { "value" } else { "fallback" };
        assert_eq!(case[got], case["expect"], "{case}");
    });
}

#[test]
fn negotiates_versions() {
    let keys = [
        "client",
        "server",
        "expect",
        "client_offer",
        "client_require",
        "server_offer",
        "server_require",
    ];
    run_some("handshake", &keys, |case| {
        // Features are the broker's to agree on; this client offers none.
        let is_of_versions = case["client"].is_array();
        if is_of_versions {
            let range = |side: &str| {
                let at = |i: usize| {
                    u8::try_from(case[side][i].as_u64().expect("a version")).expect("small")
                };
                (at(0), at(1))
            };
            assert_eq!(
                u64::from(negotiate(range("client"), range("server"))),
                case["expect"]["version"],
                "{case}"
            );
        }
        is_of_versions
    });
}

#[test]
fn reads_the_batches_of_the_vectors() {
    let keys = ["name", "ascii", "expect_hex", "hex", "length", "crc_hex"];
    run("record_batch", &keys, |case| {
        if let Some(ascii) = case["ascii"].as_str() {
            assert_eq!(
                format!("{:08x}", crc32c::crc32c(ascii.as_bytes())),
                case["expect_hex"].as_str().expect("a CRC")
            );
            return;
        }
        let batch =
            Batch::open(unhex(case["hex"].as_str().expect("bytes")).into()).expect("a good batch");
        assert_eq!(batch.len() as u64, case["length"]);
        let mut records = batch.records();
        let first = records.next(&batch).expect("readable");
        let second = records.next(&batch).expect("readable");
        assert_eq!(
            (first.key.as_deref(), &first.value[..]),
            (Some(&b"k1"[..]), &b"hello"[..])
        );
        assert_eq!((second.key, &second.value[..]), (None, &b"world!"[..]));
        assert_eq!(second.trace.as_ref().map(Bytes::len), Some(TRACE_BYTES));
    });
}

#[test]
fn frames_are_those_of_the_vectors() {
    let keys = [
        "name",
        "kind",
        "flags",
        "channel",
        "correlation",
        "header_hex",
        "hex",
        "payload",
        "length",
    ];
    run("frame", &keys, |case| {
        let number = |key: &str| case[key].as_u64().expect("a number");
        let header = unhex(case["header_hex"].as_str().expect("a header"));
        let payload = case["payload"].as_str().map(|_| {
            unhex(
                vectors("record_batch")["cases"][1]["hex"]
                    .as_str()
                    .expect("bytes"),
            )
        });
        let mut out = BytesMut::new();
        put_prefix(
            &mut out,
            Kind(number("kind") as u8),
            0,
            number("channel") as u16,
            number("correlation") as u32,
            header.len(),
            payload.as_ref().map(Vec::len),
        );
        out.extend_from_slice(&header);
        out.extend_from_slice(payload.as_deref().unwrap_or_default());
        if let Some(expected) = case["hex"].as_str() {
            assert_eq!(hex(&out), expected, "{case}");
        }
        let length = frame_length(&out, MAX_FRAME_BYTES, MAX_HEADER_BYTES)
            .expect("good")
            .expect("whole");
        assert_eq!(length, out.len());
        let frame = parse_frame(out.freeze());
        assert_eq!(
            (frame.kind.0, frame.flags),
            (number("kind") as u8, number("flags") as u8),
            "{case}"
        );
        assert_eq!(&frame.header[..], &header[..]);
        assert_eq!(&frame.payload[..], payload.as_deref().unwrap_or_default());
    });
}

/// Walks as far as it goes; what matters is that it does not panic.
fn walk(bytes: Vec<u8>) -> usize {
    let Ok(batch) = Batch::open(bytes.into()) else {
        return 0;
    };
    let mut records = batch.records();
    for _ in 0..batch.count() {
        if let Ok(record) = records.next(&batch) {
            let _ = record.headers();
        }
    }
    batch.count()
}

fn with_right_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= BATCH_HEADER_BYTES {
        let crc = crc32c::crc32c(&bytes[32..]);
        bytes[28..32].copy_from_slice(&crc.to_be_bytes());
    }
    bytes
}

type Field = proptest::collection::VecStrategy<proptest::num::u8::Any>;

fn field(max: usize) -> Field {
    proptest::collection::vec(any::<u8>(), 0..max)
}

/// The frames of the vectors that are given as bytes, and what follows one in a stream.
fn frames() -> Vec<Vec<u8>> {
    let suite = vectors("frame");
    let cases = suite["cases"].as_array().expect("cases").iter();
    let given = cases.filter_map(|case| case["hex"].as_str());
    let mut frames: Vec<Vec<u8>> = given.map(unhex).collect();
    frames.push(frames.concat());
    frames
}

/// Reads frames for as long as there are whole ones, and their headers as what clients expect there.
fn read_or_refuse(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let mut rest = Bytes::from(bytes);
    while let Ok(Some(length)) = frame_length(&rest, 1 << 20, 1 << 16) {
        if length > rest.len() {
            break;
        }
        let frame = parse_frame(rest.split_to(length));
        prop_assert_eq!(
            frame.header.len() + frame.payload.len() + PREFIX_BYTES,
            length
        );
        let _ = crate::pb::Error::decode(frame.header.clone()); // that it does not panic is what counts
        let _ = crate::pb::Deliver::decode(frame.header.clone());
        let _ = crate::pb::PublishAck::decode(frame.header);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_refused(bytes in field(64)) {
        read_or_refuse(bytes)?;
    }

    #[test]
    fn a_mutated_frame_is_read_or_refused(
        seed in 0..frames().len(),
        changes in proptest::collection::vec((0_usize..64, any::<u8>()), 1..6),
        cut in 0_usize..40,
    ) {
        let mut bytes = frames().swap_remove(seed);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if cut < 20 {
            bytes.truncate(bytes.len().saturating_sub(cut));
        }
        read_or_refuse(bytes)?;
    }

    #[test]
    fn a_mutated_batch_is_read_or_refused(
        changes in proptest::collection::vec((0_usize..152, any::<u8>()), 1..6),
        cut in 0_usize..153,
        mend in any::<bool>(),
    ) {
        let mut bytes = unhex(vectors("record_batch")["cases"][1]["hex"].as_str().expect("bytes"));
        for (at, value) in changes {
            bytes[at] = value;
        }
        if cut < 20 {
            bytes.truncate(152 - cut);
        }
        walk(if mend { with_right_crc(bytes) } else { bytes });
    }

    #[test]
    fn what_was_written_is_read(
        records in proptest::collection::vec(
            (proptest::option::of(field(40)), field(200), proptest::option::of(proptest::collection::vec(any::<u8>(), 1..255)),
             proptest::collection::vec(("[a-z\u{e9}]{1,20}", field(30)), 0..3), proptest::option::of(any::<[u8; 26]>()),
             proptest::option::of(0_u64..1 << 63), proptest::option::of(0_u64..1 << 63)),
            1..30),
        some in any::<u32>(),
    ) {
        let mut writer = BatchWriter::new(1 << 10);
        for (key, value, dedup, headers, trace, deliver_at, expires_at) in &records {
            let headers: Vec<(String, Bytes)> =
                headers.iter().map(|(name, value)| (name.clone(), Bytes::from(value.clone()))).collect();
            let record = OutRecord { key: key.as_deref(), value, headers: &headers, own_headers: [Some(("c", "id")), None],
                dedup_id: dedup.as_deref(), trace: *trace, deliver_at_ms: *deliver_at, expires_at_ms: *expires_at };
            let before = writer.len();
            writer.add(1_000 + writer.count() as u64, &record, 7);
            prop_assert_eq!(writer.len() - before, record.size());
        }
        let picked: Vec<usize> = (0..records.len()).filter(|i| some & 1 << i != 0).collect();
        let mut part = writer.part(&picked);
        let (head, body) = writer.seal(5, 1, 77);
        let batch = Batch::open([head, body].concat().into()).expect("a good batch");
        prop_assert_eq!(batch.count(), records.len());
        let mut walk = batch.records();
        for (key, value, dedup, headers, trace, deliver_at, expires_at) in &records {
            let view = walk.next(&batch).expect("readable");
            prop_assert_eq!(view.key.as_deref(), key.as_deref());
            prop_assert_eq!(&view.value[..], &value[..]);
            prop_assert_eq!(view.dedup_id.as_deref(), dedup.as_deref());
            prop_assert_eq!(view.trace.as_deref(), trace.as_ref().map(|trace| &trace[..]));
            prop_assert_eq!(view.deliver_at_ms, *deliver_at);
            prop_assert_eq!(view.expires_at_ms, *expires_at);
            let read = view.headers();
            prop_assert_eq!(read.len(), headers.len() + 1);
            for ((name, value), (read_name, read_value)) in headers.iter().zip(&read) {
                prop_assert_eq!(name, read_name);
                prop_assert_eq!(&value[..], &read_value[..]);
            }
        }

        if !picked.is_empty() {
            let (head, body) = part.seal(6, 2, 0);
            let part = Batch::open([head, body].concat().into()).expect("a good batch");
            prop_assert_eq!(part.count(), picked.len());
            let mut walk = part.records();
            for index in picked {
                let view = walk.next(&part).expect("readable");
                prop_assert_eq!(view.key.as_deref(), records[index].0.as_deref());
                prop_assert_eq!(&view.value[..], &records[index].1[..]);
                prop_assert_eq!(view.timestamp_ms, 1_000 + index as u64);
            }
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed(bit in (32_usize * 8)..(152 * 8)) {
        let mut bytes = unhex(vectors("record_batch")["cases"][1]["hex"].as_str().expect("bytes"));
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(walk(bytes), 0);
    }
}
