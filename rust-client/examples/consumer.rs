//! Reads a topic as a member of a group and acks what it gets. Its last line is a JSON object: how much was received, how much of it
//! different, and a digest that the producer's must equal.
//!
//! `cargo run --example consumer -- --endpoint 127.0.0.1:7400 --topic packages --group readers --idle 5`
//!
//! It ends after `--count` different records, when nothing came for `--idle` seconds, or with SIGTERM or SIGINT, and acks what it has
//! handled before it leaves.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use spillway::{Client, Subscription};
use support::{flags, signal, Sum};

type Failure = Box<dyn std::error::Error>;

#[derive(Default)]
struct Summary {
    received: usize,
    redelivered: usize,
    places: HashSet<(u32, u64)>,
    sum: Sum,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = flags(&["endpoint", "topic", "group", "count", "idle"])?;
    let endpoint = flags
        .get("endpoint")
        .map_or("127.0.0.1:7400", String::as_str);
    let topic = flags.get("topic").ok_or("--topic is missing")?;
    let group = flags.get("group").ok_or("--group is missing")?;
    let count = flags
        .get("count")
        .map_or(Ok(usize::MAX), |count| count.parse())?;
    let idle = flags
        .get("idle")
        .map_or(Ok(u64::from(u32::MAX)), |idle| idle.parse())?;

    let client = Client::builder()
        .endpoints([endpoint])
        .client_name("example-consumer")
        .wait_for_broker(Duration::from_secs(30))
        .connect()
        .await?;
    let subscription = client.subscribe(topic).group(group).open().await?;
    let mut summary = Summary::default();
    tokio::select! {
        result = consume(&subscription, &mut summary, count, Duration::from_secs(idle)) => result?,
        result = signal() => result?,
    }
    // Close sends the acks and waits until the broker has them.
    client.close().await?;
    println!(
        "{}",
        serde_json::json!({"received": summary.received, "redelivered": summary.redelivered,
            "distinct": summary.places.len(), "digest": summary.sum.hex()})
    );
    Ok(())
}

async fn consume(
    subscription: &Subscription,
    summary: &mut Summary,
    count: usize,
    idle: Duration,
) -> Result<(), Failure> {
    while summary.places.len() < count {
        let messages = subscription.fetch(1_000, idle).await?;
        if messages.is_empty() {
            break;
        }
        for message in messages {
            summary.received += 1;
            summary.redelivered += usize::from(message.attempt() > 1);
            if summary
                .places
                .insert((message.partition(), message.offset()))
            {
                summary
                    .sum
                    .add(message.key().map(|key| &key[..]), message.value());
            }
            message.ack();
        }
    }
    Ok(())
}
