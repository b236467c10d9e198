//! Publishes the paragraphs of a file, such as a Debian package index, each under the key of its Package field. Its last line is a
//! JSON object: what it read, what was acked and failed, and a digest that the consumer's must equal.
//!
//! `cargo run --example producer -- --endpoint 127.0.0.1:7400 --topic packages --file /tmp/packages`
//!
//! The file may be a pipe. SIGTERM or SIGINT ends the reading; what was published before still gets its outcome.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use bytes::Bytes;
use spillway::{AckFuture, Client, Record};
use support::{flags, signal, Sum};
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = flags(&["endpoint", "topic", "file"])?;
    let endpoint = flags
        .get("endpoint")
        .map_or("127.0.0.1:7400", String::as_str);
    let topic = flags.get("topic").ok_or("--topic is missing")?;
    let mut paragraphs = paragraphs(flags.get("file").ok_or("--file is missing")?)?;

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
            while let Some(paragraph) = paragraphs.recv().await {
                let paragraph = paragraph?;
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

/// What lies between blank lines. Read on a thread of its own, which the end of the program does not wait for.
fn paragraphs(path: &str) -> std::io::Result<mpsc::Receiver<std::io::Result<Bytes>>> {
    let mut file = BufReader::new(File::open(path)?);
    let (paragraphs, receiver) = mpsc::channel(64);
    std::thread::spawn(move || {
        while let Some(paragraph) = next_paragraph(&mut file).transpose() {
            if paragraphs.blocking_send(paragraph).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

fn next_paragraph(file: &mut impl BufRead) -> std::io::Result<Option<Bytes>> {
    let mut paragraph = Vec::new();
    loop {
        let before = paragraph.len();
        let at_end = file.read_until(b'\n', &mut paragraph)? == 0;
        let is_blank = paragraph[before..] == *b"\n";
        if is_blank {
            paragraph.truncate(before);
        }
        if at_end || is_blank && before > 0 {
            if paragraph.last() == Some(&b'\n') {
                paragraph.pop();
            }
            return Ok((!paragraph.is_empty()).then(|| paragraph.into()));
        }
    }
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
