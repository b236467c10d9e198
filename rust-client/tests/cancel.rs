//! What is left behind by a future that is dropped before it is ready.

mod support;

use std::future::{poll_fn, Future};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use spillway::{Client, Record, Start};
use support::{eventually, topic, Broker, SOON};
use tokio::time::timeout;

/// Drops the future when it has been polled that often. False when it was ready before.
async fn cancelled_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(false),
        Poll::Pending if left == 1 => Poll::Ready(true),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn cancelled<F: Future>(future: F) {
    assert!(cancelled_after(1, future).await, "it was ready at once");
}

async fn values(client: &Client, count: usize) -> Vec<String> {
    let reader = client.subscribe("t").start(Start::earliest());
    let reader = reader.open().await.expect("a reader");
    let mut values = Vec::new();
    while values.len() < count {
        let message = timeout(SOON, reader.next()).await.expect("in time");
        values.push(String::from_utf8_lossy(message.expect("a message").value()).into_owned());
    }
    let more = reader.fetch(1, Duration::from_millis(100)).await;
    assert!(more.expect("open").is_empty(), "more than {values:?}");
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_cancelled_while_it_waits_takes_neither_space_nor_record() {
    const BUFFER: usize = 4 << 10;
    let mut broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let builder = client.producer("t").buffer_bytes(BUFFER).max_block(SOON);
    let producer = builder.open().await.expect("a producer");
    broker.kill();
    let first = Record::new("1".repeat(3_000));
    let first = producer.publish(first).await.expect("space");
    for _ in 0..3 {
        cancelled(producer.publish(Record::new("2".repeat(3_000)))).await;
    }

    broker.run();
    first.await.expect("stored");
    // As large as the whole buffer: it fits only when all the space is back.
    let last = Record::new("3".repeat(BUFFER));
    eventually("all the space", || async {
        producer.try_publish(last.clone()).is_ok()
    })
    .await;
    producer.flush(SOON).await.expect("stored");
    let stored = values(&client, 2).await;
    assert_eq!(stored, ["1".repeat(3_000), "3".repeat(BUFFER)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_openings_leave_neither_members_nor_handles() {
    const MOST_HANDLES: usize = 256;
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 100).await;
    topic(&client, "clock", 0).await;
    let clock = client.producer("clock");
    let clock = clock.delivery_timeout(Duration::from_millis(100));
    let clock = clock.open().await.expect("a producer");
    // While the broker stands still, each is dropped before its answer can come.
    broker.signal("-STOP");
    for _ in 0..MOST_HANDLES {
        cancelled(client.subscribe("t").group("g").open()).await;
    }
    // The client sees that a record's time is over in the turn in which it looks for what was dropped, too.
    let late = clock.publish_and_wait(Record::new("late")).await;
    late.expect_err("nobody answers");
    broker.signal("-CONT");

    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    let mut received = 0;
    while received < 100 {
        let messages = group.fetch(100, SOON).await.expect("open");
        assert!(!messages.is_empty(), "the rest is leased to nobody");
        messages.iter().for_each(spillway::Message::ack);
        received += messages.len();
    }
    let admin = client.admin();
    eventually("one member", || async {
        let group = admin.describe_group("t", "g").await.expect("a group");
        group.members == 1
    })
    .await;

    let mut cut_short = 0;
    while cut_short < MOST_HANDLES {
        // The first answer describes the topic, the second would open the handle.
        cut_short += usize::from(cancelled_after(2, client.producer("t").open()).await);
    }
    eventually("a free handle", || async {
        client.producer("t").open().await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_woke_a_cancelled_fetch_goes_to_the_next() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    let mut woken = Box::pin(group.fetch(10, SOON));
    assert!(futures::poll!(woken.as_mut()).is_pending());
    let producer = client.producer("t").open().await.expect("a producer");
    let stored = producer.publish_and_wait(Record::new("here")).await;
    stored.expect("stored");
    let admin = client.admin();
    eventually("it is delivered", || async {
        let group = admin.describe_group("t", "g").await.expect("a group");
        group.partitions[0].in_flight == 1
    })
    .await;
    drop(woken);
    drop(group.fetch(10, SOON)); // never polled, with a message there

    let messages = group.fetch(10, SOON).await.expect("open");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].attempt(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_consume_leaves_its_messages_to_the_group() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 3).await;
    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    let running = std::sync::atomic::AtomicUsize::new(0);
    let handler = |_| {
        running.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        std::future::pending::<Result<(), &str>>()
    };
    tokio::select! {
        ended = group.consume(2, handler) => panic!("it ended: {ended:?}"),
        () = eventually("two handlers run", || async {
            running.load(std::sync::atomic::Ordering::Relaxed) == 2
        }) => {}
    }

    // No handler runs any more: a close waits for none and gives everything back.
    timeout(SOON, group.close_within(SOON * 10))
        .await
        .expect("at once")
        .expect("closed");
    let state = client.admin().describe_group("t", "g").await.expect("it");
    let place = &state.partitions[0];
    assert_eq!((place.cursor, place.in_flight, place.backlog), (0, 0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_flushes_send_all_the_same() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 1).await;
    let producer = client.producer("t").linger(Duration::from_secs(60));
    let producer = producer.open().await.expect("a producer");
    let second = producer.publish(Record::new("second")).await;
    let second = second.expect("space");
    cancelled(producer.flush(SOON)).await;
    let ack = timeout(SOON, second).await.expect("in time");
    assert_eq!(ack.expect("stored").offset, Some(1));

    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    for _ in 0..2 {
        let message = timeout(SOON, group.next()).await.expect("in time");
        message.expect("a message").ack();
    }
    cancelled(group.flush_acks(SOON)).await;
    let admin = client.admin();
    eventually("both are acked", || async {
        let group = admin.describe_group("t", "g").await.expect("a group");
        group.partitions[0].cursor == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_close_is_gone_on_with() {
    let mut broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 1).await;
    let producer = client.producer("t").open().await.expect("a producer");
    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    let message = timeout(SOON, group.next()).await.expect("in time");
    let message = message.expect("a message");
    broker.kill();
    let second = producer.publish(Record::new("second")).await;
    let second = second.expect("space");
    message.ack();
    cancelled(client.close_within(SOON)).await;
    assert!(client.producer("t").open().await.is_err(), "half closed");

    broker.run();
    client.close_within(SOON).await.expect("closed");
    assert_eq!(second.await.expect("stored").offset, Some(1));
    assert!(producer.publish(Record::new("third")).await.is_err());
}
