//! A connection is a span, as the crate's documentation says.

mod support;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use spillway::Client;
use support::{eventually, topic, Broker};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

type Fields = BTreeMap<&'static str, String>;

#[derive(Default)]
struct Seen {
    /// Fields of the client's spans, by id.
    spans: BTreeMap<u64, Fields>,
    closed: Vec<u64>,
    /// Messages of the client's events, with the span they happened in.
    events: Vec<(Option<u64>, String)>,
    next: u64,
}

/// Sees the spans and events of the client.
#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Seen>>);

std::thread_local! {
    static ENTERED: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0
            .insert(field.name(), format!("{value:?}").replace('"', ""));
    }
}

impl Watcher {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().expect("no panic under this lock")
    }
}

impl Subscriber for Watcher {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("spillway")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let metadata = attributes.metadata();
        assert_eq!(metadata.target(), "spillway");
        assert_eq!(metadata.name(), "connection");
        assert_eq!(*metadata.level(), Level::DEBUG);
        let mut fields = Fields::new();
        attributes.record(&mut Reader(&mut fields));
        let mut seen = self.seen();
        seen.next += 1;
        let id = seen.next;
        seen.spans.insert(id, fields);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut seen = self.seen();
        let fields = seen.spans.entry(span.into_u64()).or_default();
        values.record(&mut Reader(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Reader(&mut fields));
        let span = ENTERED.with_borrow(|entered| entered.last().copied());
        let message = fields.remove("message").unwrap_or_default();
        self.seen().events.push((span, message));
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(Vec::pop);
    }

    fn try_close(&self, id: Id) -> bool {
        self.seen().closed.push(id.into_u64());
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_a_span_with_its_endpoint_and_session() {
    let watcher = Watcher::default();
    tracing::subscriber::set_global_default(watcher.clone()).expect("the only test of this file");
    let broker = Broker::start();
    let client = Client::builder()
        .endpoints([broker.endpoint()])
        .client_name("watched")
        .wait_for_broker(Duration::from_secs(20))
        .connect()
        .await
        .expect("a connection");
    topic(&client, "t", 1).await;
    let group = client.subscribe("t").group("g").open().await;
    group
        .expect("a subscription")
        .close()
        .await
        .expect("closed");
    client.close().await.expect("closed");

    eventually("the span is over", || async {
        !watcher.seen().closed.is_empty()
    })
    .await;
    let seen = watcher.seen();
    assert_eq!(seen.spans.len(), 1, "{:?}", seen.spans);
    let (id, fields) = seen.spans.first_key_value().expect("one");
    assert_eq!(fields["client"], "watched");
    assert_eq!(fields["endpoint"], broker.endpoint());
    assert!(fields["session"].parse::<u64>().expect("a number") > 0);
    for what in ["connected", "subscribed"] {
        let event = (Some(*id), what.to_owned());
        assert!(seen.events.contains(&event), "{what} of {:?}", seen.events);
    }
}
