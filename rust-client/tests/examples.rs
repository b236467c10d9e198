//! The examples are what users copy: they leave in order at SIGTERM.

mod support;

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use support::{eventually, topic, Broker};

fn example(name: &str, broker: &Broker, arguments: &[&str]) -> Child {
    let mut path = std::env::current_exe().expect("a path"); // target/PROFILE/deps/examples-...
    path.pop();
    path.set_file_name("examples");
    Command::new(path.join(name))
        .args(["--endpoint", broker.endpoint(), "--topic", "t"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo test builds the examples")
}

/// Sends it SIGTERM; what it then says.
async fn terminated(mut child: Child) -> serde_json::Value {
    let signalled = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(signalled.expect("kill").success());
    eventually("the example ends", || {
        std::future::ready(child.try_wait().expect("it ran").is_some())
    })
    .await;
    let ended: Output = child.wait_with_output().expect("its output");
    assert!(ended.status.success(), "{ended:?}");
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

/// What it has handled by then is acked, and the rest is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_leaves_in_order_at_sigterm() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 2_000).await;
    let consumer = example("consumer", &broker, &["--group", "g"]);
    eventually("the example reads", || async {
        let group = client.admin().describe_group("t", "g").await;
        group.is_ok_and(|group| group.members > 0 && group.partitions[0].cursor > 0)
    })
    .await;

    let said = terminated(consumer).await;

    let group = client.admin().describe_group("t", "g").await.expect("it");
    assert_eq!(group.members, 0);
    assert_eq!(said["distinct"], group.partitions[0].cursor);
}

/// What it has read by then has its outcome, and it reads no more. Its file is a pipe that never ends.
#[tokio::test(flavor = "multi_thread")]
async fn the_producer_leaves_in_order_at_sigterm() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let pipe = broker.directory().join("paragraphs");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let path = pipe.to_str().expect("a path").to_owned();
    let producer = example("producer", &broker, &["--file", &path]);
    let writer = std::thread::spawn(move || {
        let mut pipe = File::create(pipe).expect("somebody reads");
        let mut written = 0;
        while writeln!(pipe, "Package: p{written}\nX: y\n").is_ok() {
            written += 1;
        }
        written
    });
    let admin = client.admin();
    let stored = || async {
        let topic = admin.describe_topic("t").await.expect("a topic");
        topic.partitions[0].end_offset
    };
    eventually("the example publishes", || async { stored().await > 0 }).await;

    let said = terminated(producer).await;

    // It is gone, and with it who read.
    assert!(writer.join().expect("no panic") > 0);
    assert_eq!(said["acked"], said["read"], "{said}");
    assert_eq!(said["read"], stored().await, "{said}");
    assert_eq!(said["failed"], serde_json::json!({}));
}
