//! A real broker process for the tests.

#![allow(dead_code)] // not every file of tests needs all of it

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use spillway::{Client, Record};

pub const SOON: Duration = Duration::from_secs(20);

/// A broker on a directory of its own; killed and removed when dropped.
pub struct Broker {
    directory: PathBuf,
    listen: String,
    http: String,
    flags: Vec<String>,
    child: Option<Child>,
}

impl Broker {
    pub fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// With more flags of serve.
    pub fn start_with(flags: Vec<String>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "spillway-rust-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let mut broker = Self {
            directory: std::env::temp_dir().join(name),
            listen: "127.0.0.1:0".into(),
            http: String::new(),
            flags,
            child: None,
        };
        std::fs::create_dir_all(&broker.directory).expect("a directory");
        broker.run();
        broker
    }

    /// Starts, or starts again on the same address and data.
    pub fn run(&mut self) {
        let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../bin/spillway");
        let binary = std::env::var("SPILLWAY_BROKER_BIN").unwrap_or_else(|_| default.into());
        let mut child = Command::new(&binary)
            .args([
                "serve",
                "--listen",
                &self.listen,
                "--http",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(self.directory.join("data"))
            .args(&self.flags)
            .env_remove("SPILLWAY_BROKER_BIN")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {binary}: {e}; next: make build"));
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut ready)
            .expect("its output");
        let address = |name: &str| {
            let word = ready
                .split_whitespace()
                .find_map(|word| word.strip_prefix(name));
            word.unwrap_or_else(|| panic!("{binary} is not ready: {ready:?}; next: make build"))
        };
        self.listen = address("wire=").into();
        self.http = address("http=").into();
        self.child = Some(child);
    }

    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    pub fn endpoint(&self) -> &str {
        &self.listen
    }

    /// What it says of its cluster.
    pub fn cluster(&self) -> String {
        let mut stream = TcpStream::connect(&self.http).expect("its http address");
        let asked = stream.write_all(b"GET /cluster HTTP/1.0\r\nConnection: close\r\n\r\n");
        asked.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Sends a signal, for instance -STOP.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill").success());
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it runs");
            child.wait().expect("it ran");
        }
    }

    pub async fn client(&self) -> Client {
        Client::builder()
            .endpoints([self.listen.clone()])
            .wait_for_broker(SOON)
            .connect()
            .await
            .expect("a connection")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.directory).expect("its directory");
    }
}

/// Waits until the condition holds; fails after 20 s.
pub async fn eventually<F: std::future::Future<Output = bool>>(
    what: &str,
    mut holds: impl FnMut() -> F,
) {
    let end = tokio::time::Instant::now() + SOON;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A topic of one partition with the records 0, 1, ...
pub async fn topic(client: &Client, name: &str, records: u32) {
    client
        .admin()
        .create_topic(name, 1, &[("durability", "mapped")])
        .await
        .expect("a topic");
    let producer = client.producer(name).open().await.expect("a producer");
    for i in 0..records {
        drop(
            producer
                .publish(Record::new(i.to_string()))
                .await
                .expect("space"),
        );
    }
    producer.flush(SOON).await.expect("acks");
}
