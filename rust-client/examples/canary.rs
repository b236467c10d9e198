//! Publishes a record, consumes it and acks it, again and again, and says how long each round trip took: what an application needs
//! of the broker, its network included.
//!
//! `cargo run --example canary -- --endpoint 127.0.0.1:7400 --every-ms 1000`
//!
//! `--count 1` makes one round trip. Its topic is `spillway.canary.rust`, which it makes when it is not there. Each record says how
//! long the round trip before took, so that `spillway canary --language rust` can tell whether the canary is alive. It exits with 1
//! when the last round trip failed.

mod support;

use std::time::{Duration, Instant};

use spillway::{Client, Producer, Record, Start, Subscription};
use support::{flags, signal};

type Failure = Box<dyn std::error::Error>;

const TOPIC: &str = "spillway.canary.rust";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = flags(&["endpoint", "every-ms", "count", "within-ms"])?;
    let endpoint = flags
        .get("endpoint")
        .map_or("127.0.0.1:7400", String::as_str);
    let number = |name: &str, default: u64| {
        flags
            .get(name)
            .map_or(Ok(default), |text| text.parse::<u64>())
    };
    let every = Duration::from_millis(number("every-ms", 1_000)?.max(1));
    let within = Duration::from_millis(number("within-ms", 10_000)?);
    let count = number("count", u64::MAX)?;

    let client = Client::builder()
        .endpoints([endpoint])
        .client_name("canary-rust")
        .request_timeout(within)
        .connect()
        .await?;
    client
        .admin()
        .create_topic(TOPIC, 1, &[("retention.ms", "600000")])
        .await?;
    let name = format!("canary-{:016x}", rand_id());
    let subscription = client
        .subscribe(TOPIC)
        .group(&name)
        .start(Start::latest())
        .open()
        .await?;
    let producer = client
        .producer(TOPIC)
        .delivery_timeout(within)
        .open()
        .await?;
    let canary = Canary {
        producer,
        subscription,
        name,
        within,
    };
    let mut last = Ok(());
    tokio::select! {
        () = canary.fly(every, count, &mut last) => {}
        result = signal() => result?,
    }
    // The outcome of the flight counts; what cannot be tidied up goes with the topic's retention.
    let _ = canary.subscription.close().await;
    let _ = client.admin().delete_group(TOPIC, &canary.name).await;
    let _ = client.close().await;
    last
}

/// Tells runs apart; the process and the time do.
fn rand_id() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    (u64::from(std::process::id()) << 40) ^ since.as_micros() as u64
}

struct Canary {
    producer: Producer,
    subscription: Subscription,
    /// Of its group, in which it is alone.
    name: String,
    within: Duration,
}

impl Canary {
    async fn fly(&self, every: Duration, count: u64, last: &mut Result<(), Failure>) {
        let mut ticks = tokio::time::interval(every);
        let mut took = Duration::ZERO;
        for number in 1..=count {
            ticks.tick().await;
            *last = match self.round_trip(number, took).await {
                Ok(now) => {
                    took = now;
                    println!("rust ok {:.1} ms", milliseconds(now));
                    Ok(())
                }
                Err(e) => {
                    println!("rust failed {e}");
                    Err(e)
                }
            };
        }
    }

    async fn round_trip(&self, number: u64, last: Duration) -> Result<Duration, Failure> {
        let value = serde_json::json!({"language": "rust", "run": self.name, "number": number,
            "last_ms": milliseconds(last)});
        let begin = Instant::now();
        let ack = self
            .producer
            .publish_and_wait(Record::new(value.to_string()))
            .await?;
        loop {
            // Others may publish there too, and what an earlier round trip gave up may still come.
            let left = self.within.saturating_sub(begin.elapsed());
            let messages = self.subscription.fetch(16, left).await?;
            if messages.is_empty() {
                return Err(format!(
                    "record {:?} of {TOPIC} was acked, and did not come back within {:?}",
                    ack.offset, self.within
                )
                .into());
            }
            let mut came = false;
            for message in messages {
                came |= Some(message.offset()) == ack.offset;
                message.ack();
            }
            if came {
                self.subscription.flush_acks(self.within).await?;
                return Ok(begin.elapsed());
            }
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
