//! The spool against a real broker.
#![cfg(all(unix, feature = "spill"))]

mod support;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use spillway::spill::{Outcome, Spool, SpoolBuilder};
use spillway::{codes, Client, Record, Start};
use support::{eventually, topic, Broker, SOON};

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("spillway-spool-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // a test that never opened it has none
    }
}

fn spool(dir: &Path) -> SpoolBuilder {
    let builder = Spool::builder(dir, "t");
    let builder = builder.patience(Duration::from_millis(300));
    builder.calm(Duration::from_millis(50))
}

async fn attach(spool: &Spool, client: &Client) {
    let producer = client.producer("t").open().await.expect("a producer");
    spool.attach(producer).expect("its topic");
}

async fn publish(spool: &Spool, value: impl ToString) -> Outcome {
    let record = Record::new(value.to_string());
    spool.publish(record).await.expect("an outcome")
}

async fn drained(spool: &Spool) {
    eventually("an empty spool", || async { spool.stats().waiting == 0 }).await;
}

async fn stored_once(client: &Client, records: usize) {
    let topic = client.admin().describe_topic("t").await.expect("a topic");
    let ends = topic
        .partitions
        .iter()
        .map(|p| p.end_offset - p.start_offset);
    let want: u64 = ends.sum();
    let reader = client.subscribe("t").start(Start::earliest());
    let reader = reader.open().await.expect("a reader");
    let mut values: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut got = 0;
    while got < want {
        for message in reader.fetch(1_000, SOON).await.expect("open") {
            *values.entry(message.value().to_vec()).or_default() += 1;
            got += 1;
        }
    }
    for i in 0..records {
        let times = values.get(i.to_string().as_bytes());
        assert_eq!(times, Some(&1), "record {i}");
    }
    assert_eq!(values.len(), records);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_does_not_take_is_spilled_and_drained_later() {
    let mut broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let dir = Directory::new();
    let spool = spool(&dir.0).open().expect("a spool");
    attach(&spool, &client).await;
    assert!(matches!(publish(&spool, 0).await, Outcome::Acked(_)));

    broker.kill();
    for i in 1..=200 {
        assert!(matches!(publish(&spool, i).await, Outcome::Spilled { .. }));
    }
    let stats = spool.stats();
    assert_eq!((stats.waiting, stats.spilled, stats.drained), (200, 200, 0));
    broker.run();
    drained(&spool).await;
    assert_eq!((spool.stats().drained, spool.stats().refused), (200, 0));
    assert!(matches!(publish(&spool, 201).await, Outcome::Acked(_)));
    stored_once(&client, 202).await;
    spool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_unknown_outcome_is_stored_once() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let dir = Directory::new();
    let spool = spool(&dir.0).open().expect("a spool");
    attach(&spool, &client).await;
    publish(&spool, 0).await;

    broker.signal("-STOP");
    for i in 1..=5 {
        // The first are with the broker, which says nothing.
        assert!(matches!(publish(&spool, i).await, Outcome::Spilled { .. }));
    }
    broker.signal("-CONT");
    drained(&spool).await;
    stored_once(&client, 6).await;
    println!(
        "of 5 spilled records {} were stored before",
        spool.stats().duplicates
    );
}

#[tokio::test]
async fn a_full_spool_says_so() {
    let dir = Directory::new();
    let spool = spool(&dir.0).max_bytes(1 << 20).open().expect("a spool");
    let mut spilled = 0;
    let error = loop {
        match spool.publish(Record::new(vec![b'x'; 100 << 10])).await {
            Ok(_) => spilled += 1,
            Err(e) => break e,
        }
    };
    assert_eq!(error.code(), codes::LOCAL_BUFFER_FULL);
    assert!(error.why().contains("the spool is full"), "{error}");
    assert!(error.why().contains("no producer is attached"), "{error}");
    assert_eq!((spilled, spool.stats().waiting), (10, 10));
    assert!(spool.stats().bytes <= 1 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_ignored_and_counted() {
    let dir = Directory::new();
    let first = spool(&dir.0).open().expect("a spool");
    for i in 0..3 {
        publish(&first, i).await;
    }
    first.close().await;
    let segment = dir.0.join("0000000000000001.spill");
    let bytes = std::fs::read(&segment).expect("a segment");
    // As if the machine had ended while the last was written.
    std::fs::write(&segment, &bytes[..bytes.len() - 5]).expect("written");

    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let again = spool(&dir.0).open().expect("a spool");
    let stats = again.stats();
    assert_eq!((stats.torn, stats.waiting, stats.damaged), (1, 2, 0));
    publish(&again, 2).await;
    attach(&again, &client).await;
    drained(&again).await;
    stored_once(&client, 3).await;
}

#[tokio::test]
async fn a_directory_has_one_spool() {
    let dir = Directory::new();
    let first = spool(&dir.0).open().expect("a spool");
    let second = spool(&dir.0).open().err().expect("a refusal");
    assert!(second.why().contains("locked"), "{second}");
    first.close().await;
    spool(&dir.0).open().expect("a spool").close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_never_takes_is_given_back() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let dir = Directory::new();
    let (refused, given) = mpsc::channel();
    let spool = spool(&dir.0).on_refused(move |_, e| refused.send(e).expect("it is waited for"));
    let spool = spool.open().expect("a spool");
    for value in ["0", "another"] {
        let record = Record::new(value).idempotency_key("the same");
        spool.publish(record).await.expect("spilled");
    }
    publish(&spool, 1).await;
    attach(&spool, &client).await;
    drained(&spool).await;
    let refused = given.recv_timeout(SOON).expect("a refusal");
    assert_eq!(refused.code(), codes::IDEMPOTENCY_CONFLICT);
    stored_once(&client, 2).await;
}

const CHILD: &str = "SPILL_CHILD";

/// How many records a process of its own spills.
const EACH: usize = 200;

/// In a process of its own: spills records, then drains them if there is a broker, until it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(dir) = std::env::var(CHILD) else {
        return;
    };
    let spool = spool(Path::new(&dir)).open().expect("a spool");
    let first = std::env::var("SPILL_FIRST").expect("it is given");
    let first: usize = first.parse().expect("a number");
    for i in first..first + EACH {
        assert!(matches!(publish(&spool, i).await, Outcome::Spilled { .. }));
    }
    let Ok(endpoint) = std::env::var("SPILL_BROKER") else {
        println!("spilled");
        std::future::pending::<()>().await;
        return;
    };
    let client = Client::builder().endpoints([endpoint]).connect().await;
    let client = client.expect("a connection");
    attach(&spool, &client).await;
    eventually("some drained", || async { spool.stats().drained > 0 }).await;
    println!("drained");
    std::future::pending::<()>().await;
}

/// Runs one and kills it, without warning, once it says that.
fn killed_when(said: &str, first: usize, dir: &Path, endpoint: Option<&str>) {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "child", "--nocapture"]);
    command.env(CHILD, dir).stdout(Stdio::piped());
    command.env("SPILL_FIRST", first.to_string());
    if let Some(endpoint) = endpoint {
        command.env("SPILL_BROKER", endpoint);
    }
    let mut process = command.spawn().expect("a process");
    let output = BufReader::new(process.stdout.take().expect("piped"));
    let mut lines = output.lines().map_while(Result::ok);
    let found = lines.any(|line| line.ends_with(said));
    process.kill().expect("it runs");
    process.wait().expect("it ran");
    assert!(found, "it ended before it said {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_loses_and_doubles_nothing() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let dir = Directory::new();

    killed_when("spilled", 0, &dir.0, None); // between spill and drain
    for round in 1..=3 {
        // In the middle of the drain, or shortly after it.
        killed_when("drained", round * EACH, &dir.0, Some(broker.endpoint()));
    }

    let spool = spool(&dir.0).open().expect("a spool");
    let left = spool.stats().waiting;
    attach(&spool, &client).await;
    drained(&spool).await;
    let again = spool.stats().duplicates;
    println!("{left} were left, of which {again} were stored already");
    stored_once(&client, 4 * EACH).await;
}
