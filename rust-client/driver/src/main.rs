//! Puts the Rust client behind standard input and output, as `conformance/DRIVER.md` says. It adds no behaviour: every operation is
//! one call of the library's public API.

mod args;
mod clients;
mod groups;
mod producers;
mod replays;
mod subscriptions;
mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};

use args::Args;
use values::Failure;

const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the scenarios have opened, by name.
#[derive(Default)]
pub struct Driver {
    clients: Mutex<HashMap<String, Arc<clients::OpenClient>>>,
    producers: Mutex<HashMap<String, Arc<spillway::Producer>>>,
    readings: Mutex<HashMap<String, Arc<subscriptions::Reading>>>,
}

/// What was opened under a name.
fn find<T: Clone>(all: &Mutex<HashMap<String, T>>, kind: &str, name: &str) -> Result<T, Failure> {
    let all = all.lock().expect("no panic under this lock");
    all.get(name)
        .cloned()
        .ok_or_else(|| Failure::Driver(format!("no {kind} was opened as {name}")))
}

#[tokio::main]
async fn main() {
    let driver = Arc::new(Driver::default());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut running = tokio::task::JoinSet::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.trim().is_empty() {
            continue;
        }
        let driver = driver.clone();
        running.spawn(async move {
            let request: Value = serde_json::from_str(&line).expect("requests are JSON");
            let id = request["id"].clone();
            let answer = match serve(&driver, Args::new(&request)).await {
                Ok(ok) => json!({"id": id, "ok": ok}),
                Err(failure) => json!({"id": id, "error": failure.to_json()}),
            };
            println!("{answer}");
        });
    }
    while running.join_next().await.is_some() {}
    let clients: Vec<_> = driver
        .clients
        .lock()
        .expect("no panic under this lock")
        .values()
        .cloned()
        .collect();
    let mut closing = tokio::task::JoinSet::new();
    for open in clients {
        closing.spawn(async move { open.client.close_within(CLOSE_TIMEOUT).await });
    }
    while let Some(closed) = closing.join_next().await {
        if let Ok(Err(e)) = closed {
            eprintln!("closing at the end: {e}");
        }
    }
}

async fn serve(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    match a.op().as_str() {
        "hello" => {
            a.finish()?;
            Ok(json!({"language": "rust", "version": spillway::VERSION}))
        }
        "client.open" => clients::open(d, a).await,
        "client.close" => clients::close(d, a).await,
        "client.events" => clients::events(d, a),
        "topic.create" => clients::create_topic(d, a).await,
        "topic.describe" => clients::describe_topic(d, a).await,
        "topic.alter" => clients::alter_topic(d, a).await,
        "topic.delete" => clients::delete_topic(d, a).await,
        "topic.list" => clients::list_topics(d, a).await,
        "topic.purge" => clients::purge_topic(d, a).await,
        "group.describe" => groups::describe(d, a).await,
        "group.list" => groups::list(d, a).await,
        "group.delete" => groups::delete(d, a).await,
        "group.create" => groups::create(d, a).await,
        "group.alter" => groups::alter(d, a).await,
        "group.pause" => groups::pause(d, a).await,
        "group.resume" => groups::resume(d, a).await,
        "group.snapshot" => groups::snapshot(d, a).await,
        "group.restore" => groups::restore(d, a).await,
        "group.snapshots" => groups::snapshots(d, a).await,
        "group.snapshot_delete" => groups::delete_snapshot(d, a).await,
        "group.seek" => groups::seek(d, a).await,
        "replay.plan" => replays::plan(d, a).await,
        "replay.start" => replays::start(d, a).await,
        "replay.status" => replays::status(d, a).await,
        "replay.pause" => replays::pause(d, a).await,
        "replay.resume" => replays::resume(d, a).await,
        "replay.cancel" => replays::cancel(d, a).await,
        "replay.wait" => replays::wait(d, a).await,
        "replay.diff" => replays::diff(d, a).await,
        "replay.list" => replays::list(d, a).await,
        "replay.delete" => replays::delete(d, a).await,
        "producer.open" => producers::open(d, a).await,
        "producer.publish" => producers::publish(d, a).await,
        "producer.generate" => producers::generate(d, a).await,
        "producer.try_publish" => producers::try_publish(d, a),
        "producer.flush" => producers::flush(d, a).await,
        "producer.close" => producers::close(d, a).await,
        "subscription.open" => subscriptions::open(d, a).await,
        "subscription.poll" => subscriptions::poll(d, a).await,
        "subscription.collect" => subscriptions::collect(d, a).await,
        "subscription.handle" => subscriptions::handle(d, a).await,
        "subscription.handled" => subscriptions::handled(d, a).await,
        "subscription.flush_acks" => subscriptions::flush_acks(d, a).await,
        "subscription.lost_leases" => subscriptions::lost_leases(d, a).await,
        "subscription.active" => subscriptions::active(d, a),
        "subscription.drain" => subscriptions::drain(d, a).await,
        "subscription.ended" => subscriptions::ended(d, a).await,
        "subscription.close" => subscriptions::close(d, a).await,
        "message.ack" | "message.release" | "message.nack" | "message.extend"
        | "message.terminate" => subscriptions::settle(d, a),
        unknown => Err(Failure::Driver(format!("unknown operation {unknown}"))),
    }
}
