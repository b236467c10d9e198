//! The client against a broker that a test plays, frame by frame and without a socket.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures::poll;
use prost::Message as _;
use tokio::sync::{oneshot, watch};

use crate::conn::Conn;
use crate::error::wire_error;
use crate::state::State;
use crate::wire::{
    frame_length, parse_frame, BatchWriter, Frame, Kind, OutRecord, BATCH_HEADER_BYTES,
    MAX_FRAME_BYTES, MAX_HEADER_BYTES,
};
use crate::{codes, pb, Client, ClientBuilder, GroupMode, Message, Record, Subscription};

mod closing;
mod cluster;
mod health;
mod pressure;
mod toggles;

const RESPONSE: u8 = 1;
const ERROR: u8 = 2;
const SOON: Duration = Duration::from_secs(20);
const FENCE: u64 = 77;

/// The other end of a client's only connection.
struct Broker {
    client: Client,
    conn: u64,
}

impl Broker {
    fn new() -> Self {
        Self::of(Client::builder())
    }

    fn of(builder: ClientBuilder) -> Self {
        let (first, _) = oneshot::channel();
        let client = builder.unconnected(first);
        let conn = client.shared.with(|state| {
            let id = state.net.id();
            let heartbeat = Duration::from_secs(5);
            let conn = Conn::new(id, 0, "127.0.0.1:7400".into(), heartbeat, 0);
            state.net.conns.push(conn);
            state.net.publishing = Some(id);
            state.net.consuming = Some(id);
            id
        });
        Self { client, conn }
    }

    /// Gives the client a turn; what it then has sent.
    fn received(&self) -> Vec<Frame> {
        let shared = &self.client.shared;
        let mut out = shared.with(|state| {
            shared.pump(state);
            let conn = state.net.conn(Some(self.conn)).expect("it is open");
            std::mem::take(&mut conn.out)
        });
        let mut frames = Vec::new();
        while !out.is_empty() {
            let length = frame_length(&out, MAX_FRAME_BYTES, MAX_HEADER_BYTES);
            let length = length.expect("good").expect("whole");
            frames.push(parse_frame(out.split_to(length).freeze()));
        }
        frames
    }

    fn only(&self, kind: Kind) -> Frame {
        let mut frames = self.received();
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert_eq!(frames[0].kind, kind);
        frames.remove(0)
    }

    /// Lets time pass until the client has sent these kinds; the first frame of each.
    async fn awaits<const N: usize>(&self, kinds: [Kind; N]) -> [Frame; N] {
        let mut seen: Vec<Frame> = Vec::new();
        let all = async {
            loop {
                self.client
                    .shared
                    .with(|state| state.tick(std::time::Instant::now()));
                seen.extend(self.received());
                let is_seen = |kind: &Kind| seen.iter().any(|frame| frame.kind == *kind);
                if kinds.iter().all(is_seen) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(SOON, all).await.expect("all of them");
        kinds.map(|kind| {
            let first = seen.iter().position(|frame| frame.kind == kind);
            seen.remove(first.expect("seen"))
        })
    }

    fn send(
        &self,
        kind: Kind,
        flags: u8,
        to: (u16, u32),
        header: &impl prost::Message,
        payload: Bytes,
    ) {
        let frame = Frame {
            kind,
            flags,
            channel: to.0,
            correlation: to.1,
            header: header.encode_to_vec().into(),
            payload,
        };
        let handled = |state: &mut State| state.on_frame(self.conn, frame);
        self.client.shared.with(handled).expect("a good frame");
    }

    fn answer(&self, request: &Frame, header: &impl prost::Message, payload: Bytes) {
        let to = (request.channel, request.correlation);
        self.send(request.kind, RESPONSE, to, header, payload);
    }

    fn refuse(&self, request: &Frame, e: &pb::Error) {
        let to = (request.channel, request.correlation);
        self.send(request.kind, RESPONSE | ERROR, to, e, Bytes::new());
    }

    fn deliver(&self, channel: u16, batch: &[u8], segment: pb::Segment, unix_ms: u64) {
        let header = pb::Deliver {
            segments: vec![pb::Segment {
                bytes: batch.len() as u32,
                fence: FENCE,
                lease_ms: 30_000,
                attempt: 1,
                ..segment
            }],
            unix_ms,
            ..pb::Deliver::default()
        };
        let payload = Bytes::copy_from_slice(batch);
        self.send(Kind::DELIVER, 0, (channel, 0), &header, payload);
    }

    fn tell_topic(&self, metadata: &Frame) {
        let list = pb::TopicList {
            topics: vec![pb::TopicInfo {
                name: "t".into(),
                partitions: vec![pb::PartitionInfo::default()],
                ..pb::TopicInfo::default()
            }],
        };
        let list = list.encode_to_vec().into();
        self.answer(metadata, &pb::MetadataOk::default(), list);
    }

    /// A member of group g, its channel, and what it has said.
    async fn member(&self, role: u32) -> (Subscription, u16) {
        let mut open = pin!(self.client.subscribe("t").group("g").open());
        assert!(poll!(open.as_mut()).is_pending());
        let subscribe = self.only(Kind::SUBSCRIBE);
        let ok = pb::SubscribeOk {
            role,
            ..pb::SubscribeOk::default()
        };
        self.answer(&subscribe, &ok, Bytes::new());
        (open.await.expect("a subscription"), subscribe.channel)
    }
}

fn batch(records: &[OutRecord<'_>]) -> Vec<u8> {
    let mut writer = BatchWriter::new(1 << 10);
    for record in records {
        writer.add(1_000, record, 0);
    }
    let (head, body) = writer.seal(0, 0, 0);
    [head, body].concat()
}

fn record(value: &[u8]) -> OutRecord<'_> {
    OutRecord {
        key: None,
        value,
        headers: &[],
        own_headers: [None; 2],
        dedup_id: None,
        trace: None,
        deliver_at_ms: None,
        expires_at_ms: None,
    }
}

fn decode<M: prost::Message + Default>(frame: &Frame) -> M {
    M::decode(frame.header.clone()).expect("a good header")
}

#[tokio::test]
async fn a_subscription_says_what_its_group_is() {
    let broker = Broker::new();
    let builder = broker.client.subscribe("t").group("g");
    let builder = builder
        .mode(GroupMode::KeyOrdered)
        .filter("has(region)")
        .retry_backoff([Duration::from_millis(100), Duration::from_micros(1_500)])
        .retry_jitter_percent(5)
        .max_in_flight(70)
        .group_setting("dlq.breaker.percent", "0");
    let mut open = pin!(builder.open());
    assert!(poll!(open.as_mut()).is_pending());

    let subscribe: pb::Subscribe = decode(&broker.only(Kind::SUBSCRIBE));
    assert_eq!((subscribe.mode, &subscribe.filter[..]), (1, "has(region)"));
    let mut settings: Vec<(&str, &str)> = Vec::new();
    for (name, value) in &subscribe.group_config {
        settings.push((name, value));
    }
    settings.sort_unstable();
    let expected = [
        ("dlq.breaker.percent", "0"),
        ("max.inflight", "70"),
        ("retry.backoff.ms", "100,2"),
        ("retry.jitter.percent", "5"),
    ];
    assert_eq!(settings, expected);
}

#[tokio::test]
async fn settings_out_of_their_range_are_refused_before_anything_is_sent() {
    let broker = Broker::new();
    let member = || broker.client.subscribe("t").group("g");
    let second = Duration::from_secs(1);
    let more_than_a_week = Duration::from_millis(7 * 86_400_000 + 1);
    for builder in [
        member().filter(""),
        member().filter("x".repeat(1_025)),
        member().retry_backoff([]),
        member().max_deliveries(1_001),
        member().retry_backoff([second; 33]),
        member().retry_backoff([second, more_than_a_week]),
        member().retry_backoff_between(Duration::ZERO, second),
        member().retry_backoff_between(second, second / 2),
        member().retry_jitter_percent(101),
        member().max_in_flight(100_000_001),
        member().group_setting("", "1"),
    ] {
        let refused = builder.open().await.expect_err("out of range");
        assert_eq!(refused.code(), codes::INVALID_ARGUMENT, "{refused}");
    }
    assert!(broker.received().is_empty());
}

#[tokio::test]
async fn what_is_of_groups_is_refused_for_a_reader() {
    let broker = Broker::new();
    for builder in [
        broker.client.subscribe("t").mode(GroupMode::Exclusive),
        broker.client.subscribe("t").filter("has(region)"),
        broker.client.subscribe("t").max_in_flight(1),
    ] {
        let refused = builder.open().await.expect_err("no group");
        assert_eq!(refused.code(), codes::INVALID_ARGUMENT);
    }
}

#[tokio::test]
async fn a_standby_is_active_from_the_hand_over_to_the_loss_of_its_connection() {
    let broker = Broker::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let builder = broker.client.subscribe("t").group("g");
    let builder = builder.mode(GroupMode::Exclusive);
    let builder = builder.on_active(move |active| listener.lock().expect("no panic").push(active));
    let mut open = pin!(builder.open());
    assert!(poll!(open.as_mut()).is_pending());
    let subscribe = broker.only(Kind::SUBSCRIBE);
    let standby = pb::SubscribeOk {
        role: 1,
        ..pb::SubscribeOk::default()
    };
    broker.answer(&subscribe, &standby, Bytes::new());
    let member = open.await.expect("a subscription");
    assert!(!member.is_active());

    let gained = pb::Handoff {
        gained: true,
        ..pb::Handoff::default()
    };
    let to = (subscribe.channel, 0);
    broker.send(Kind::HANDOFF, 0, to, &gained, Bytes::new());
    assert!(member.is_active());
    broker.send(Kind::HANDOFF, 0, to, &pb::Handoff::default(), Bytes::new());
    assert!(!member.is_active());
    broker.send(Kind::HANDOFF, 0, to, &gained, Bytes::new());
    assert!(member.is_active());
    broker.client.shared.with(|state| {
        let State { net, subs, .. } = state;
        for sub in subs.values_mut() {
            sub.on_lost(net);
        }
    });
    assert!(!member.is_active());
    assert_eq!(*heard.lock().expect("no panic"), [true, false, true, false]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_poison_and_the_rest_is_handed_out() {
    let broker = Broker::new();
    let (member, channel) = broker.member(0).await;
    let mut bytes = batch(&[record(b"first"), record(b"second"), record(b"third")]);
    let second = BATCH_HEADER_BYTES + 3 * 8 + 8 + b"first".len();
    bytes[second + 4] = 128; // a flag that nobody knows
    let crc = crc32c::crc32c(&bytes[32..]);
    bytes[28..32].copy_from_slice(&crc.to_be_bytes());
    let segment = pb::Segment {
        base_offset: 40,
        ..pb::Segment::default()
    };
    broker.deliver(channel, &bytes, segment, 0);

    let messages = member.fetch(10, Duration::ZERO).await.expect("open");
    let offsets: Vec<u64> = messages.iter().map(Message::offset).collect();
    assert_eq!(offsets, [40, 42]);
    assert!(poll!(pin!(member.flush_acks(Duration::from_secs(9)))).is_pending());
    let frames = broker.received();
    let ack = frames.iter().find(|frame| frame.kind == Kind::ACK);
    let ack: pb::Ack = decode(ack.expect("an ack"));
    assert_eq!(ack.items.len(), 1, "{ack:?}");
    let item = &ack.items[0];
    assert_eq!((item.first, item.last, item.fence), (41, 41, FENCE));
    assert_eq!((item.outcome, item.reason), (3, 1), "TERM, POISON");
    assert!(item.detail.contains("record 1"), "{}", item.detail);
}

#[tokio::test]
async fn a_flush_ends_after_the_listener_has_heard_what_was_lost() {
    let broker = Broker::new();
    let waits = Arc::new(Mutex::new(None::<watch::Receiver<()>>));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (waiting, listener) = (waits.clone(), heard.clone());
    let mut open = pin!(broker
        .client
        .subscribe("t")
        .group("g")
        .on_lost_leases(move |_| {
            let waiting = waiting.lock().expect("no panic");
            let is_over = waiting.as_ref().expect("a flush").has_changed().is_err();
            listener.lock().expect("no panic").push(is_over);
        })
        .open());
    assert!(poll!(open.as_mut()).is_pending());
    let subscribe = broker.only(Kind::SUBSCRIBE);
    broker.answer(&subscribe, &pb::SubscribeOk::default(), Bytes::new());
    let member = open.await.expect("a subscription");
    let bytes = batch(&[record(b"v")]);
    broker.deliver(subscribe.channel, &bytes, pb::Segment::default(), 0);
    for message in member.fetch(10, Duration::ZERO).await.expect("open") {
        message.ack();
    }
    let flush = broker.client.shared.with(|state| {
        let State { net, subs, .. } = state;
        subs.values_mut().next().expect("one").acks.collect(net)
    });
    *waits.lock().expect("no panic") = flush.into_iter().next();

    let frames = broker.received();
    let ack = frames.iter().find(|frame| frame.kind == Kind::ACK);
    let result = pb::AckResult {
        errors: vec![pb::ItemError {
            count: 1,
            error: Some(wire_error(codes::LEASE_LOST, "lost", "late", "none")),
            ..pb::ItemError::default()
        }],
    };
    broker.answer(ack.expect("an ack"), &result, Bytes::new());

    assert_eq!(*heard.lock().expect("no panic"), [false]);
    let waits = waits.lock().expect("no panic");
    assert!(waits.as_ref().expect("a flush").has_changed().is_err());
}

#[tokio::test]
async fn the_time_left_counts_from_the_brokers_clock() {
    let broker = Broker::new();
    let (member, channel) = broker.member(0).await;
    let expiring = |ms| OutRecord {
        expires_at_ms: Some(ms),
        ..record(b"v")
    };
    let bytes = batch(&[expiring(100_000), expiring(30_000), record(b"v")]);
    let segment = pb::Segment {
        failures: 2,
        ..pb::Segment::default()
    };
    broker.deliver(channel, &bytes, segment, 40_000);

    let messages = member.fetch(10, Duration::ZERO).await.expect("open");
    assert!(messages.iter().all(|message| message.failures() == 2));
    let at = UNIX_EPOCH + Duration::from_secs(100);
    assert_eq!(messages[0].expires_at(), Some(at));
    let left = messages[0].time_left().expect("it expires");
    assert!(left > Duration::from_secs(30) && left <= Duration::from_secs(60));
    assert_eq!(messages[1].time_left(), Some(Duration::ZERO));
    assert_eq!(messages[2].time_left(), None);
}

#[tokio::test]
async fn a_key_in_progress_is_sent_again_under_a_new_sequence() {
    let broker = Broker::new();
    let mut open = pin!(broker.client.producer("t").open());
    assert!(poll!(open.as_mut()).is_pending());
    broker.tell_topic(&broker.only(Kind::METADATA));
    assert!(poll!(open.as_mut()).is_pending());
    let opening = broker.only(Kind::OPEN_PUBLISHER);
    let ok = pb::OpenPublisherOk {
        producer_id: 5,
        ..pb::OpenPublisherOk::default()
    };
    broker.answer(&opening, &ok, Bytes::new());
    let producer = open.await.expect("a producer");
    let mut futures = Vec::new();
    for i in 0..3 {
        let record = Record::new("v").idempotency_key(format!("key {i}"));
        futures.push(producer.try_publish(record).expect("space"));
    }

    let publish = broker.only(Kind::PUBLISH);
    let mut refused = wire_error(codes::IDEMPOTENCY_IN_PROGRESS, "not yet", "", "");
    refused.retry_after_ms = 1;
    let ack = pb::PublishAck {
        count: 3,
        base_offset: 10,
        errors: vec![pb::ItemError {
            index: 1,
            count: 1,
            error: Some(refused),
        }],
        ..pb::PublishAck::default()
    };
    broker.answer(&publish, &ack, Bytes::new());
    let third = futures.pop().expect("three").await.expect("stored");
    assert_eq!(third.offset, Some(11));
    assert!(poll!(&mut futures[1]).is_pending());

    let again = loop {
        let now = std::time::Instant::now();
        broker.client.shared.with(|state| state.tick(now));
        let mut frames = broker.received();
        frames.retain(|frame| frame.kind == Kind::PUBLISH);
        if let Some(again) = frames.pop() {
            break again;
        }
        tokio::task::yield_now().await;
    };
    let payload = BytesMut::from(&again.payload[..]);
    let (count, sequence) = (&payload[36..40], &payload[48..56]);
    assert_eq!(
        (count, sequence),
        (&[0, 0, 0, 1][..], &3_u64.to_be_bytes()[..])
    );
    let ack = pb::PublishAck {
        base_sequence: 3,
        count: 1,
        base_offset: 12,
        ..pb::PublishAck::default()
    };
    broker.answer(&again, &ack, Bytes::new());
    let stored = futures.pop().expect("two").await.expect("stored");
    assert_eq!(stored.offset, Some(12));
}
