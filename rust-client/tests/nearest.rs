//! Against a real cluster: a reader at the nearest node.

mod support;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use spillway::{Client, Error, Metrics, Producer, ReadFrom, Record, Start, Subscription};
use support::{eventually, Broker, SOON};
use tokio::time::timeout;

/// Three brokers in zones z1, z2 and z3, all of them voting; the first one leads at first.
async fn cluster() -> Vec<Broker> {
    let mut seed = None;
    let start = |number: usize| {
        // chosen a moment ago, so that it is free unless somebody is very quick
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let mut flags = vec![
            "--node-id".into(),
            format!("n{number}"),
            "--zone".into(),
            format!("z{number}"),
            "--cluster-listen".into(),
            own.clone(),
        ];
        if let Some(seed) = &seed {
            flags.extend(["--seed".into(), String::clone(seed)]);
        } else {
            seed = Some(own);
        }
        Broker::start_with(flags)
    };
    let nodes: Vec<Broker> = (1..=3).map(start).collect();
    eventually("three nodes vote", || async {
        nodes[0].cluster().matches(r#""role":"VOTER""#).count() == 3
    })
    .await;
    nodes
}

/// Where clients were connected last.
#[derive(Default)]
struct Seen(Mutex<String>);

impl Seen {
    fn last(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }
}

impl Metrics for Seen {
    fn on_connected(&self, endpoint: &str) {
        endpoint.clone_into(&mut self.0.lock().expect("no panic"));
    }

    fn on_disconnected(&self, _endpoint: &str, _cause: &Error) {}
}

async fn publish(producer: &Producer, from: u32) {
    for i in from..from + 100 {
        let acked = producer.publish(Record::new(i.to_string())).await;
        let acked = timeout(SOON, acked.expect("space")).await;
        acked.expect("in time").expect("stored");
    }
}

async fn read(reader: &Subscription, from: u32) {
    for i in from..from + 100 {
        let message = timeout(SOON, reader.next()).await.expect("in time");
        assert_eq!(
            message.expect("a message").value(),
            i.to_string().as_bytes()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_near_and_goes_on_when_its_node_or_the_leader_dies() {
    let mut nodes = cluster().await;
    let seen = Arc::new(Seen::default());
    let client = Client::builder()
        .endpoints([nodes[0].endpoint().to_string()])
        .zone("z2")
        .wait_for_broker(SOON)
        .request_timeout(SOON)
        .metrics(seen.clone())
        .connect()
        .await
        .expect("a connection");
    let made = client.admin().create_topic("t", 1, &[]).await;
    made.expect("a topic");
    let producer = client.producer("t").open().await.expect("a producer");
    publish(&producer, 0).await;
    let reader = client
        .subscribe("t")
        .start(Start::earliest())
        .read_from(ReadFrom::Nearest)
        .open()
        .await
        .expect("a reader");
    read(&reader, 0).await;
    let near = nodes[1].endpoint().to_string();
    eventually("the reader is near", || async { seen.last() == near }).await;

    nodes[1].kill();
    publish(&producer, 100).await;
    read(&reader, 100).await;
    eventually("the reader is elsewhere", || async { seen.last() != near }).await;
    nodes[1].run();
    eventually("the reader is near again", || async { seen.last() == near }).await;
    publish(&producer, 200).await;
    read(&reader, 200).await;

    nodes[0].kill();
    publish(&producer, 300).await;
    read(&reader, 300).await;
    reader.close().await.expect("closed");
    client.close().await.expect("closed");
}
