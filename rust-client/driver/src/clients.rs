use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{json, Value};
use spillway::{Client, Error, Metrics};

use crate::args::Args;
use crate::values::{self, Failure};
use crate::{find, Driver};

pub struct OpenClient {
    pub client: Client,
    events: Arc<Events>,
}

/// Counts what the metrics hook sees.
#[derive(Default)]
struct Events {
    connected: AtomicU64,
    disconnected: AtomicU64,
    sent: AtomicU64,
    resent: AtomicU64,
    acked: AtomicU64,
    failed: AtomicU64,
    throttled: AtomicU64,
    received: AtomicU64,
}

fn count(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Metrics for Events {
    fn on_connected(&self, _: &str) {
        count(&self.connected, 1);
    }
    fn on_disconnected(&self, _: &str, _: &Error) {
        count(&self.disconnected, 1);
    }
    fn on_batch_sent(&self, _: &str, _: u32, _: usize, _: usize, attempt: u32) {
        count(&self.sent, 1);
        count(&self.resent, u64::from(attempt > 1));
    }
    fn on_batch_acked(&self, _: &str, _: u32, _: usize, _: Duration) {
        count(&self.acked, 1);
    }
    fn on_publish_failed(&self, _: &str, _: u32, records: usize, _: &Error) {
        count(&self.failed, records as u64);
    }
    fn on_throttled(&self, _: &str, _: Duration) {
        count(&self.throttled, 1);
    }
    fn on_batch_received(&self, _: &str, _: u32, _: usize, _: usize) {
        count(&self.received, 1);
    }
}

pub async fn open(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let name = a.text("client")?;
    let events = Arc::new(Events::default());
    let endpoints = a.need("endpoints")?;
    let endpoints = endpoints
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let mut builder = Client::builder()
        .endpoints(endpoints)
        .metrics(events.clone());
    if let Some(name) = a.find_text("client_name") {
        builder = builder.client_name(name);
    }
    if let Some(zone) = a.find_text("zone") {
        builder = builder.zone(zone);
    }
    if let Some(domain) = a.find_text("failure_domain") {
        builder = builder.failure_domain(domain);
    }
    if let Some(root) = a.find_text("health_root") {
        builder = builder.health_root(root);
    }
    if let Some(interval) = a.find_millis("health_interval_ms") {
        builder = builder.health_interval(interval);
    }
    if let Some(timeout) = a.find_millis("connect_timeout_ms") {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(patience) = a.find_millis("wait_for_broker_ms") {
        builder = builder.wait_for_broker(patience);
    }
    if let Some(interval) = a.find_millis("heartbeat_ms") {
        builder = builder.heartbeat(interval);
    }
    if let Some(timeout) = a.find_millis("request_timeout_ms") {
        builder = builder.request_timeout(timeout);
    }
    a.finish()?;
    let client = builder.connect().await?;
    let open = Arc::new(OpenClient { client, events });
    d.clients
        .lock()
        .expect("no panic under this lock")
        .insert(name, open);
    Ok(json!({}))
}

pub fn client(d: &Driver, a: &mut Args) -> Result<Arc<OpenClient>, Failure> {
    find(&d.clients, "client", &a.text("client")?)
}

pub async fn close(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let open = client(d, &mut a)?;
    let limit = a.find_millis("timeout_ms");
    a.finish()?;
    // What it could not do in time is in the outcomes of the records.
    let _ = match limit {
        Some(limit) => open.client.close_within(limit).await,
        None => open.client.close().await,
    };
    Ok(json!({}))
}

pub fn events(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let open = client(d, &mut a)?;
    a.finish()?;
    let e = &open.events;
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Ok(
        json!({"connected": get(&e.connected), "disconnected": get(&e.disconnected), "batches_sent": get(&e.sent),
        "batches_resent": get(&e.resent), "batches_acked": get(&e.acked), "records_failed": get(&e.failed),
        "throttled": get(&e.throttled), "batches_received": get(&e.received)}),
    )
}

pub fn pairs(config: &[(String, String)]) -> Vec<(&str, &str)> {
    config
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

pub async fn create_topic(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, topic) = (client(d, &mut a)?, a.text("topic")?);
    let (partitions, config) = (a.number("partitions")?, a.pairs("config"));
    a.finish()?;
    let partitions = u32::try_from(partitions).unwrap_or(0);
    Ok(values::topic(
        &open
            .client
            .admin()
            .create_topic(&topic, partitions, &pairs(&config))
            .await?,
    ))
}

pub async fn describe_topic(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, topic) = (client(d, &mut a)?, a.text("topic")?);
    a.finish()?;
    Ok(values::topic(
        &open.client.admin().describe_topic(&topic).await?,
    ))
}

pub async fn alter_topic(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, topic) = (client(d, &mut a)?, a.text("topic")?);
    let (config, revision) = (a.pairs("config"), a.find_number("expect_revision"));
    a.finish()?;
    let revision = revision.map(|revision| revision as u64);
    Ok(values::topic(
        &open
            .client
            .admin()
            .alter_topic(&topic, &pairs(&config), revision)
            .await?,
    ))
}

pub async fn delete_topic(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, topic) = (client(d, &mut a)?, a.text("topic")?);
    a.finish()?;
    open.client.admin().delete_topic(&topic).await?;
    Ok(json!({}))
}

pub async fn list_topics(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let open = client(d, &mut a)?;
    a.finish()?;
    let topics = open.client.admin().list_topics().await?;
    Ok(json!({"topics": topics.iter().map(|topic| &topic.name).collect::<Vec<_>>()}))
}

pub async fn purge_topic(d: &Driver, mut a: Args) -> Result<Value, Failure> {
    let (open, topic) = (client(d, &mut a)?, a.text("topic")?);
    let (before, reason) = (values::start(&a.need("before")?)?, a.reason());
    a.finish()?;
    let admin = open.client.admin();
    Ok(values::topic(
        &admin.purge_topic(&topic, before, &reason).await?,
    ))
}
