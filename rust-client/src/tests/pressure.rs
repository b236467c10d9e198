//! What the application sees of its broker's pressure.

use std::time::Instant;

use super::{
    codes, pb, pin, poll, Arc, Broker, Bytes, Client, Duration, Frame, Kind, Mutex, Record,
};
use crate::{Pressure, PressureState, Producer};

type Heard = Arc<Mutex<Vec<Pressure>>>;

fn listening() -> (Broker, Heard) {
    let heard = Heard::default();
    let hear = heard.clone();
    let builder = Client::builder().on_pressure(move |pressure: &Pressure| {
        hear.lock().expect("not poisoned").push(pressure.clone());
    });
    (Broker::of(builder), heard)
}

fn last(heard: &Heard) -> Pressure {
    let heard = heard.lock().expect("not poisoned");
    heard.last().cloned().expect("something was heard")
}

async fn producer(broker: &Broker, credit: Option<pb::Credit>, timeout: Duration) -> Producer {
    producer_of(broker, credit, timeout, None).await
}

async fn producer_of(
    broker: &Broker,
    credit: Option<pb::Credit>,
    timeout: Duration,
    class: Option<u32>,
) -> Producer {
    let mut opening = broker.client.producer("t").delivery_timeout(timeout);
    if let Some(class) = class {
        opening = opening.shed_class(class);
    }
    let mut open = pin!(opening.open());
    assert!(poll!(open.as_mut()).is_pending());
    broker.tell_topic(&broker.only(Kind::METADATA));
    assert!(poll!(open.as_mut()).is_pending());
    let opening = broker.only(Kind::OPEN_PUBLISHER);
    let ok = pb::OpenPublisherOk {
        producer_id: 5,
        credit,
        ..pb::OpenPublisherOk::default()
    };
    broker.answer(&opening, &ok, Bytes::new());
    open.await.expect("a producer")
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

fn slow_disk(broker: &Broker) {
    let signal = pb::Backpressure {
        seq: 1,
        state: pb::PressureState::PThrottled as i32,
        reasons: vec![pb::PressureReason::RDiskLatency as i32],
        scope: "broker".into(),
        retry_after_ms: 20_000,
        ..pb::Backpressure::default()
    };
    broker.send(Kind::BACKPRESSURE, 0, (0, 0), &signal, Bytes::new());
}

fn tick(broker: &Broker) -> Vec<Frame> {
    let shared = &broker.client.shared;
    shared.with(|state| state.tick(Instant::now()));
    broker.received()
}

#[tokio::test]
async fn the_application_sees_the_pressure_of_its_broker() {
    let (broker, heard) = listening();
    let producer = producer(&broker, None, LONG).await;
    assert!(producer.may_publish());
    assert_eq!(broker.client.pressure().state, PressureState::Normal);

    slow_disk(&broker);
    for seen in [last(&heard), producer.pressure(), broker.client.pressure()] {
        assert_eq!(seen.state, PressureState::Throttled, "{seen}");
        assert_eq!(seen.reason(), "DISK_LATENCY");
        assert_eq!((&*seen.of, &*seen.scope), ("connection", "broker"));
        assert!(seen.retry_after > Duration::from_secs(1), "{seen}");
    }
    assert!(!producer.may_publish());

    let over = pb::Backpressure {
        seq: 2,
        ..pb::Backpressure::default()
    };
    broker.send(Kind::BACKPRESSURE, 0, (0, 0), &over, Bytes::new());
    assert_eq!(last(&heard).state, PressureState::Normal);
    assert!(producer.may_publish());
}

#[tokio::test]
async fn a_publish_that_waited_for_the_pressure_to_end_says_what_it_was() {
    let (broker, _) = listening();
    let producer = producer(&broker, None, SHORT).await;
    slow_disk(&broker);
    let outcome = producer.try_publish(Record::new("v")).expect("space");
    tokio::time::sleep(SHORT * 2).await; // the time that is to be over
    tick(&broker);
    let error = outcome.await.expect_err("it waited in vain");
    assert_eq!(error.code(), codes::THROTTLED);
    let why = error.why();
    assert!(why.contains("throttled, because of DISK_LATENCY"), "{why}");
    let details = error.details();
    assert_eq!(details["pressure_state"], "THROTTLED");
    assert_eq!(details["pressure_reason"], "DISK_LATENCY");
    assert_eq!(details["pressure_scope"], "broker");
    assert!(!error.outcome_unknown() && !error.retry_after().is_zero());
}

#[tokio::test]
async fn a_publish_that_waited_for_credit_says_so() {
    let (broker, _) = listening();
    let credit = pb::Credit {
        max_batches: 1,
        max_bytes: 1 << 20,
    };
    let producer = producer(&broker, Some(credit), SHORT).await;
    let first = producer.try_publish(Record::new("v")).expect("space");
    let publish = broker.only(Kind::PUBLISH);
    let ack = pb::PublishAck {
        count: 1,
        ..pb::PublishAck::default()
    };
    broker.answer(&publish, &ack, Bytes::new());
    first.await.expect("an ack");
    assert!(!producer.may_publish());
    let outcome = producer.try_publish(Record::new("v")).expect("space");
    assert_eq!(broker.received().len(), 0);
    tokio::time::sleep(SHORT * 2).await; // the time that is to be over
    tick(&broker);
    let error = outcome.await.expect_err("it waited in vain");
    assert_eq!(error.code(), codes::THROTTLED);
    assert_eq!(error.details()["pressure_reason"], "CREDIT");
}

#[tokio::test]
async fn a_refusal_for_load_is_pressure_of_its_partition() {
    let (broker, heard) = listening();
    let producer = producer(&broker, None, LONG).await;
    let outcome = producer.try_publish(Record::new("v")).expect("space");
    let publish = broker.only(Kind::PUBLISH);
    let refused = pb::Error {
        code: codes::THROTTLED,
        reason: "THROTTLED".into(),
        retry: 1,
        metadata: [("reason".to_owned(), "REPLICATION".to_owned())].into(),
        ..pb::Error::default()
    };
    let to = (publish.channel, publish.correlation);
    broker.send(Kind::PUBLISH, 3, to, &refused, Bytes::new());
    let seen = last(&heard);
    assert_eq!(seen.state, PressureState::Throttled);
    assert_eq!((&*seen.of, seen.reason()), ("t/0", "REPLICATION"));
    assert_eq!(producer.pressure().of, "t/0");

    let again = async {
        loop {
            if let Some(publish) = tick(&broker).into_iter().find(|f| f.kind == Kind::PUBLISH) {
                return publish;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let publish = tokio::time::timeout(LONG, again).await.expect("in time");
    let ack = pb::PublishAck {
        count: 1,
        ..pb::PublishAck::default()
    };
    broker.answer(&publish, &ack, Bytes::new());
    outcome.await.expect("an ack");
    assert_eq!(last(&heard).state, PressureState::Normal);
}

fn overloaded(scope: &str, class: &str) -> pb::Error {
    let metadata = [
        ("reason", "MEMORY"),
        ("scope", scope),
        ("shed_class", class),
    ];
    pb::Error {
        code: codes::OVERLOADED,
        reason: "OVERLOADED".into(),
        retry: 1,
        retry_after_ms: 200,
        metadata: metadata
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        ..pb::Error::default()
    }
}

/// Publishes, which is refused.
fn refuse(broker: &Broker, producer: &Producer, e: &pb::Error) -> crate::AckFuture {
    let outcome = producer.try_publish(Record::new("v")).expect("space");
    let publish = broker.only(Kind::PUBLISH);
    let to = (publish.channel, publish.correlation);
    broker.send(Kind::PUBLISH, 3, to, e, Bytes::new());
    outcome
}

/// The publishes that come until there are so many.
async fn come(broker: &Broker, many: usize) -> Vec<Frame> {
    let mut publishes = Vec::new();
    let all = async {
        while publishes.len() < many {
            let came = tick(broker).into_iter();
            publishes.extend(came.filter(|frame| frame.kind == Kind::PUBLISH));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, all).await.expect("in time");
    publishes
}

fn ack(broker: &Broker, publish: &Frame) {
    let ack = pb::PublishAck {
        count: 1,
        ..pb::PublishAck::default()
    };
    broker.answer(publish, &ack, Bytes::new());
}

#[tokio::test]
async fn what_would_be_refused_for_the_same_reason_waits_in_the_buffer() {
    let (broker, heard) = listening();
    let refused = producer(&broker, None, LONG).await;
    let other = producer(&broker, None, LONG).await;
    let first = refuse(&broker, &refused, &overloaded("domain:rust", ""));
    let seen = last(&heard);
    assert_eq!(seen.state, PressureState::Overloaded);
    assert_eq!((&*seen.of, seen.reason()), ("connection", "MEMORY"));
    assert_eq!(seen.scope, "domain:rust");
    assert!(!other.may_publish());
    assert_eq!(other.pressure().state, PressureState::Overloaded);

    let second = other.try_publish(Record::new("v")).expect("space");
    assert_eq!(tick(&broker).len(), 0, "it is held");
    let one = come(&broker, 1).await;
    assert_eq!(tick(&broker).len(), 0, "one goes first");
    ack(&broker, &one[0]);
    let one = come(&broker, 1).await;
    ack(&broker, &one[0]);
    first.await.expect("an ack");
    second.await.expect("an ack");
    assert_eq!(last(&heard).state, PressureState::Normal);
}

#[tokio::test]
async fn a_refusal_of_a_topic_or_of_a_class_holds_nothing_else() {
    for (e, is_held) in [
        (overloaded("broker", "3"), false),
        (overloaded("topic:t", ""), true),
    ] {
        let (broker, heard) = listening();
        let bulk = producer_of(&broker, None, LONG, Some(3)).await;
        let urgent = producer_of(&broker, None, LONG, Some(0)).await;
        let held = refuse(&broker, &bulk, &e);
        assert_eq!(last(&heard).of, "t");
        assert!(!bulk.may_publish());
        assert_eq!(!urgent.may_publish(), is_held);
        assert_eq!(broker.client.pressure().state, PressureState::Normal);
        let outcome = urgent.try_publish(Record::new("v")).expect("space");
        assert_eq!(tick(&broker).len(), usize::from(!is_held));
        drop(outcome);
        drop(held);
    }
}
