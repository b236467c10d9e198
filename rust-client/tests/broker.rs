//! The client against a real broker: what the conformance suite cannot say because it is Rust's own.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use spillway::{codes, Client, Record, Start};
use support::{eventually, topic, Broker, SOON};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dropped_producer_took_is_stored() {
    let broker = Broker::start();
    let client = broker.client().await;
    client
        .admin()
        .create_topic("t", 1, &[])
        .await
        .expect("a topic");
    let producer = client
        .producer("t")
        .linger(Duration::from_millis(200))
        .open()
        .await
        .expect("a producer");
    let future = producer.publish(Record::new("kept")).await.expect("space");
    drop(producer);

    let ack = timeout(SOON, future)
        .await
        .expect("in time")
        .expect("stored");
    assert_eq!(ack.offset, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn acks_outlive_their_subscription() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 3).await;
    let group = client
        .subscribe("t")
        .group("g")
        .open()
        .await
        .expect("a subscription");
    for _ in 0..3 {
        timeout(SOON, group.next())
            .await
            .expect("in time")
            .expect("a message")
            .ack();
    }
    drop(group);

    let admin = client.admin();
    eventually("the acks arrive", || async {
        let group = admin.describe_group("t", "g").await.expect("a group");
        group.partitions[0].backlog == 0 && group.members == 0
    })
    .await;
}

#[test]
fn what_is_dropped_outside_the_runtime_is_sent() {
    let broker = Broker::start();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let future = runtime.block_on(async {
        let client = broker.client().await;
        client
            .admin()
            .create_topic("t", 1, &[])
            .await
            .expect("a topic");
        let producer = client
            .producer("t")
            .linger(Duration::from_millis(200))
            .open()
            .await
            .expect("a producer");
        let future = producer.publish(Record::new("kept")).await.expect("space");
        (future, producer, client)
    });
    let (future, producer, client) = future;
    drop((producer, client));

    let ack = runtime
        .block_on(async { timeout(SOON, future).await })
        .expect("in time")
        .expect("stored");
    assert_eq!(ack.offset, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn times_without_end_are_no_panic() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 1).await;
    let group = client
        .subscribe("t")
        .group("g")
        .open()
        .await
        .expect("a subscription");
    let message = timeout(SOON, group.next())
        .await
        .expect("in time")
        .expect("a message");
    message.extend(Duration::MAX);
    message.ack();
    group.flush_acks(Duration::MAX).await.expect("acked");
    group.close_within(Duration::MAX).await.expect("closed");
    client.close_within(Duration::MAX).await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_wait_takes_nothing() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 1).await;
    let group = client
        .subscribe("t")
        .group("g")
        .open()
        .await
        .expect("a subscription");
    let first = timeout(SOON, group.next())
        .await
        .expect("in time")
        .expect("a message");
    first.ack();
    for _ in 0..20 {
        assert!(
            timeout(Duration::from_millis(5), group.next())
                .await
                .is_err(),
            "nothing is there"
        );
    }
    let producer = client.producer("t").open().await.expect("a producer");
    producer
        .publish_and_wait(Record::new("second"))
        .await
        .expect("stored");

    let second = timeout(SOON, group.next())
        .await
        .expect("in time")
        .expect("a message");
    assert_eq!(&second.value()[..], b"second");
    assert_eq!(second.attempt(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_buffer_gives_the_record_back() {
    let mut broker = Broker::start();
    let client = broker.client().await;
    client
        .admin()
        .create_topic("t", 1, &[])
        .await
        .expect("a topic");
    let builder = client
        .producer("t")
        .buffer_bytes(4 << 10)
        .max_block(Duration::from_millis(50));
    let producer = builder.open().await.expect("a producer");
    broker.kill();
    drop(
        producer
            .publish(Record::new(vec![1; 3_000]))
            .await
            .expect("space"),
    );

    let refused = producer
        .try_publish(Record::new(vec![2; 3_000]).key("mine"))
        .expect_err("no space");
    assert_eq!(refused.error.code(), codes::LOCAL_BUFFER_FULL);
    let refused = producer
        .publish(refused.record)
        .await
        .expect_err("no space");
    assert_eq!(refused.error.code(), codes::LOCAL_BUFFER_FULL);

    broker.run();
    eventually("space again", || async {
        producer.try_publish(Record::new(vec![3; 3_000])).is_ok()
    })
    .await;
    producer.flush(SOON).await.expect("all stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_subscription() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 5).await;
    let mut reader = client
        .subscribe("t")
        .start(Start::earliest())
        .open()
        .await
        .expect("a subscription");
    for i in 0..5 {
        let message = timeout(SOON, StreamExt::next(&mut reader))
            .await
            .expect("in time")
            .expect("open")
            .expect("good");
        assert_eq!(message.offset(), i);
    }
    reader.close().await.expect("closed");

    assert!(timeout(SOON, StreamExt::next(&mut reader))
        .await
        .expect("in time")
        .is_none());
    reader.ended().await.expect("a close is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_waits_for_what_was_handed_out() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 10).await;
    let group = client
        .subscribe("t")
        .group("g")
        .open()
        .await
        .expect("a subscription");
    let held = timeout(SOON, group.next())
        .await
        .expect("in time")
        .expect("a message");
    let admin = client.admin();
    let place = || async {
        let group = admin.describe_group("t", "g").await.expect("a group");
        (group.partitions[0].cursor, group.partitions[0].in_flight)
    };
    let (drained, ()) = tokio::join!(group.drain(SOON), async {
        eventually("the others given back", || async {
            place().await == (0, 1)
        })
        .await;
        held.ack();
    });
    drained.expect("drained");

    assert_eq!(place().await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_fail_and_try_again() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 20).await;
    let group = client
        .subscribe("t")
        .group("g")
        .open()
        .await
        .expect("a subscription");
    let failed = std::sync::atomic::AtomicBool::new(false);
    let handled = std::sync::Mutex::new(HashSet::new());
    let consume = group.consume(4, |message| {
        let (failed, handled) = (&failed, &handled);
        async move {
            if message.offset() == 7 && !failed.swap(true, std::sync::atomic::Ordering::Relaxed) {
                return Err("not yet");
            }
            handled.lock().expect("no panic").insert(message.offset());
            Ok(())
        }
    });
    tokio::select! {
        ended = consume => panic!("it ended: {ended:?}"),
        () = eventually("all are handled", || async { handled.lock().expect("no panic").len() == 20 }) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_loses_and_doubles_nothing() {
    let mut broker = Broker::start();
    let client = broker.client().await;
    client
        .admin()
        .create_topic("t", 2, &[])
        .await
        .expect("a topic");
    let producer = client.producer("t").open().await.expect("a producer");
    let mut futures = Vec::new();
    for i in 0..20_000 {
        if i == 10_000 {
            broker.kill();
            broker.run();
        }
        futures.push(
            producer
                .publish(Record::new(i.to_string()).key(i.to_string()))
                .await
                .expect("space"),
        );
    }
    for future in futures {
        timeout(SOON, future)
            .await
            .expect("in time")
            .expect("stored");
    }

    let reader = client
        .subscribe("t")
        .start(Start::earliest())
        .open()
        .await
        .expect("a subscription");
    let mut values = HashSet::new();
    while values.len() < 20_000 {
        for message in reader.fetch(1_000, SOON).await.expect("messages") {
            assert!(
                values.insert(message.value().clone()),
                "stored twice: {message:?}"
            );
        }
    }
    let stored: u64 = client
        .admin()
        .describe_topic("t")
        .await
        .expect("a topic")
        .partitions
        .iter()
        .map(|p| p.end_offset)
        .sum();
    assert_eq!(stored, 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_says_what_to_do() {
    let broker = Broker::start();
    let client = broker.client().await;
    let empty = client.producer("").open().await.expect_err("no topic");
    assert_eq!(empty.code(), codes::INVALID_ARGUMENT);
    assert!(!empty.next_step().is_empty());
    client.close().await.expect("closed");
    client.close().await.expect("closed twice");
    assert_eq!(
        client
            .producer("t")
            .open()
            .await
            .expect_err("closed")
            .code(),
        codes::CLIENT_CLOSED
    );

    let nobody = Client::builder()
        .endpoints(["127.0.0.1:1"])
        .connect()
        .await
        .expect_err("nobody listens");
    assert_eq!(nobody.code(), codes::CONNECT_FAILED);
    let wrong = Client::builder()
        .endpoints(["http://127.0.0.1:7400"])
        .connect()
        .await
        .expect_err("no host:port");
    assert_eq!(wrong.code(), codes::INVALID_ARGUMENT);
}
