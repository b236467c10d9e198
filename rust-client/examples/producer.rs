//! Publishes the paragraphs of a file, such as a Debian package index, each under the key of its Package field. Its last line is a
//! JSON object: what it read, what was acked and failed, and a digest that the consumer's must equal.
//!
//! `cargo run --example producer -- --endpoint 127.0.0.1:7400 --topic packages --file /tmp/packages`
//!
//! SIGTERM or SIGINT ends the reading; what was published before still gets its outcome.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use spillway::{AckFuture, Client, Record};
use support::{flags, signal, Sum};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = flags(&["endpoint", "topic", "file"])?;
    let endpoint = flags
        .get("endpoint")
        .map_or("127.0.0.1:7400", String::as_str);
    let topic = flags.get("topic").ok_or("--topic is missing")?;
    let text = std::fs::read(flags.get("file").ok_or("--file is missing")?)?;

    let client = Client::builder()
        .endpoints([endpoint])
        .client_name("example-producer")
        .wait_for_broker(Duration::from_secs(30))
        .connect()
        .await?;
    let producer = client
        .producer(topic)
        .delivery_timeout(Duration::from_secs(120))
        .open()
        .await?;
    let mut published: Vec<(Option<Bytes>, Bytes, AckFuture)> = Vec::new();
    tokio::select! {
        result = async {
            for paragraph in paragraphs(Bytes::from(text)) {
                let key = package(&paragraph);
                let mut record = Record::new(paragraph.clone());
                if let Some(key) = &key {
                    record = record.key(key.clone());
                }
                published.push((key, paragraph, producer.publish(record).await?));
            }
            Ok::<(), Failure>(())
        } => result?,
        result = signal() => result?,
    }

    let read = published.len();
    let (mut acked, mut sum) = (0, Sum::default());
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    for (key, value, outcome) in published {
        match outcome.await {
            Ok(_) => {
                acked += 1;
                sum.add(key.as_deref(), &value);
            }
            Err(e) => *failed.entry(e.reason().to_owned()).or_default() += 1,
        }
    }
    client.close().await?;
    let digest = sum.hex();
    println!(
        "{}",
        serde_json::json!({"read": read, "acked": acked, "failed": failed, "distinct": acked, "digest": digest})
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err("some records were not published".into())
    }
}

/// What lies between blank lines.
fn paragraphs(text: Bytes) -> impl Iterator<Item = Bytes> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while rest.first() == Some(&b'\n') {
            let _ = rest.split_to(1);
        }
        let end = rest
            .windows(2)
            .position(|two| two == b"\n\n")
            .unwrap_or(rest.len());
        let mut paragraph = rest.split_to(end);
        if paragraph.last() == Some(&b'\n') {
            paragraph.truncate(paragraph.len() - 1);
        }
        (!paragraph.is_empty()).then_some(paragraph)
    })
}

/// The value of the Package field, which is a paragraph's first.
fn package(paragraph: &Bytes) -> Option<Bytes> {
    let name = paragraph.strip_prefix(b"Package: ")?;
    let end = name
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(name.len());
    Some(paragraph.slice_ref(&name[..end]))
}
