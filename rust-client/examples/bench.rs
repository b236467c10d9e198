//! Puts load on a broker through the Rust client and prints one line of JSON. The topic must exist.
//!
//! ```text
//! bench produce --topic t --seconds 5 --size 128 --durability mapped
//! bench consume --topic t --count 1000000 [--group g]
//! bench latency --topic t --seconds 5 --rate 10000 --size 256
//! ```

mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use spillway::{Client, Durability, Record, Start};
use support::flags_after;

type Failure = Box<dyn std::error::Error>;

struct Plan {
    topic: String,
    group: Option<String>,
    count: usize,
    seconds: f64,
    size: usize,
    rate: u32,
    durability: Durability,
}

impl Plan {
    fn of(flags: &HashMap<String, String>) -> Result<Self, Failure> {
        let number = |name: &str, otherwise: f64| {
            flags.get(name).map_or(Ok(otherwise), |value| value.parse())
        };
        Ok(Self {
            topic: flags.get("topic").ok_or("--topic is missing")?.clone(),
            group: flags.get("group").cloned(),
            count: number("count", 0.0)? as usize,
            seconds: number("seconds", 5.0)?,
            size: (number("size", 128.0)? as usize).max(8),
            rate: number("rate", 10_000.0)?.max(1.0) as u32,
            durability: match flags.get("durability").map(String::as_str) {
                None | Some("topic") => Durability::Topic,
                Some("mapped") => Durability::Mapped,
                Some("synced") => Durability::Synced,
                Some(other) => return Err(format!("unknown durability {other}").into()),
            },
        })
    }

    /// Whether that many records after so long are enough.
    fn is_over(&self, records: usize, since: Instant) -> bool {
        if self.count > 0 {
            records >= self.count
        } else {
            since.elapsed().as_secs_f64() >= self.seconds
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let load = std::env::args().nth(1).unwrap_or_default();
    let flags = flags_after(
        1,
        &[
            "endpoint",
            "topic",
            "group",
            "count",
            "seconds",
            "size",
            "rate",
            "durability",
        ],
    )?;
    let plan = Plan::of(&flags)?;
    let endpoint = flags
        .get("endpoint")
        .map_or("127.0.0.1:7400", String::as_str);
    let client = connect(endpoint).await?;
    let result = match load.as_str() {
        "produce" => produce(&client, &plan).await?,
        "consume" => consume(&client, &plan).await?,
        "latency" => latency(client.clone(), endpoint, &plan).await?,
        _ => {
            return Err(
                "what to do is missing; next: bench produce|consume|latency --topic NAME".into(),
            )
        }
    };
    println!("{result}");
    client.close().await?;
    Ok(())
}

async fn connect(endpoint: &str) -> Result<Client, spillway::Error> {
    Client::builder()
        .endpoints([endpoint])
        .client_name("spillway-rust-bench")
        .connect()
        .await
}

fn throughput(records: usize, since: Instant) -> serde_json::Value {
    let seconds = since.elapsed().as_secs_f64();
    serde_json::json!({"records": records, "seconds": seconds, "records_per_s": (records as f64 / seconds).round()})
}

async fn produce(client: &Client, plan: &Plan) -> Result<serde_json::Value, Failure> {
    let producer = client
        .producer(&plan.topic)
        .durability(plan.durability)
        .open()
        .await?;
    let record = Record::new(vec![0; plan.size]);
    let (begun, mut records) = (Instant::now(), 0);
    let mut last = Vec::new();
    while records & 0x3ff != 0 || !plan.is_over(records, begun) {
        let future = producer.publish(record.clone()).await?;
        if records % 1_024 == 0 {
            last.push(future);
        }
        records += 1;
    }
    producer.flush(Duration::from_secs(60)).await?;
    let result = throughput(records, begun);
    for future in last {
        future.await?;
    }
    Ok(result)
}

/// Reads what is there: from the first record on, as a reader or as a new group. The clock runs from the first message to the last.
async fn consume(client: &Client, plan: &Plan) -> Result<serde_json::Value, Failure> {
    let mut builder = client.subscribe(&plan.topic).start(Start::earliest());
    if let Some(group) = &plan.group {
        builder = builder.group(group);
    }
    let subscription = builder.open().await?;
    let (mut begun, mut records, mut bytes) = (Instant::now(), 0, 0);
    while records == 0 || !plan.is_over(records, begun) {
        let messages = subscription.fetch(1_024, Duration::from_secs(60)).await?;
        if messages.is_empty() {
            return Err(format!("nothing came for a minute after {records} records").into());
        }
        if records == 0 {
            begun = Instant::now();
        }
        for message in &messages {
            bytes += message.value().len();
            message.ack();
        }
        records += messages.len();
    }
    subscription.flush_acks(Duration::from_secs(60)).await?;
    let mut result = throughput(records, begun);
    result["bytes"] = bytes.into();
    Ok(result)
}

/// An open loop: records fall due at fixed times, and latency counts from then, also for those that had to wait.
async fn latency(
    client: Client,
    endpoint: &str,
    plan: &Plan,
) -> Result<serde_json::Value, Failure> {
    let producer = client
        .producer(&plan.topic)
        .durability(plan.durability)
        .open()
        .await?;
    let reading = connect(endpoint).await?;
    let subscription = reading.subscribe(&plan.topic).open().await?;
    let total = if plan.count > 0 {
        plan.count
    } else {
        (plan.seconds * f64::from(plan.rate)) as usize
    };
    let warm_up = total / 5;
    let begun = Instant::now();
    let (size, rate) = (plan.size, f64::from(plan.rate));
    let due = move |i: usize| begun + Duration::from_secs_f64(i as f64 / rate);
    let consumed = tokio::spawn(async move {
        let mut samples = Vec::with_capacity(total);
        let mut seen = 0;
        while seen < total {
            for message in subscription.fetch(1_024, Duration::from_secs(30)).await? {
                let number =
                    u64::from_be_bytes(message.value()[..8].try_into().expect("eight bytes"));
                if number as usize >= warm_up {
                    samples.push(due(number as usize).elapsed());
                }
                seen += 1;
            }
        }
        Ok::<_, spillway::Error>(samples)
    });
    let (sent, mut acks) = tokio::sync::mpsc::unbounded_channel();
    let acked = tokio::spawn(async move {
        let mut samples = Vec::with_capacity(total);
        while let Some((number, future)) = acks.recv().await {
            let future: spillway::AckFuture = future;
            future.await?;
            if number >= warm_up {
                samples.push(due(number).elapsed());
            }
        }
        Ok::<_, spillway::Error>(samples)
    });
    // A thread of its own keeps the pace: the runtime's timers have a grain of a millisecond.
    let runtime = tokio::runtime::Handle::current();
    let published = tokio::task::spawn_blocking(move || {
        for number in 0..total {
            sleep_until(due(number));
            let mut value = vec![0; size];
            value[..8].copy_from_slice(&(number as u64).to_be_bytes());
            let future = runtime.block_on(producer.publish(Record::new(value)))?;
            sent.send((number, future))
                .expect("the other side ends later");
        }
        Ok::<_, spillway::PublishError>(())
    });
    published.await??;
    Ok(
        serde_json::json!({"records": total, "rate": plan.rate, "ack_us": percentiles(acked.await??),
        "consume_us": percentiles(consumed.await??)}),
    )
}

/// The kernel wakes a thread some 60 us late; the rest is spun.
fn sleep_until(due: Instant) {
    const WAKE_UP: Duration = Duration::from_micros(60);
    std::thread::sleep(
        due.saturating_duration_since(Instant::now())
            .saturating_sub(WAKE_UP),
    );
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

fn percentiles(mut samples: Vec<Duration>) -> serde_json::Value {
    samples.sort_unstable();
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize].as_micros() as u64;
    serde_json::json!({"p50": at(0.5), "p99": at(0.99), "p99.9": at(0.999)})
}
