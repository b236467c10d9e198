//! Spans for OpenTelemetry, with a real broker.
#![cfg(feature = "otel")]

mod support;

use std::sync::Mutex;

use opentelemetry::trace::{
    FutureExt, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
};
use opentelemetry::Context;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, SpanData};
use spillway::{codes, Client, Message, Producer, Record, Tracing};

use support::{Broker, SOON};

struct Fixture {
    spans: InMemorySpanExporter,
    tracing: Tracing<SdkTracer>,
    client: Client,
    producer: Producer,
    _provider: SdkTracerProvider,
    _broker: Broker,
}

impl Fixture {
    async fn start() -> Self {
        let broker = Broker::start();
        let client = broker.client().await;
        let created = client
            .admin()
            .create_topic("orders", 1, &[("durability", "mapped")])
            .await;
        created.expect("a topic");
        let producer = client.producer("orders").open().await.expect("a producer");
        let spans = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(spans.clone())
            .build();
        Self {
            spans,
            tracing: Tracing::new(&provider),
            client,
            producer,
            _provider: provider,
            _broker: broker,
        }
    }

    /// Handles that many messages; an error is a failed one.
    async fn consume(&self, count: usize, handle: impl Fn(&Message) -> Result<(), String> + Sync) {
        let group = self.client.subscribe("orders").group("billing");
        let subscription = group.open().await.expect("a subscription");
        for _ in 0..count {
            let message = tokio::time::timeout(SOON, subscription.next()).await;
            let message = message.expect("in time").expect("a message");
            let handled = self.tracing.process("billing", message.clone(), |message| {
                let handle = &handle;
                async move { handle(&message) }
            });
            if handled.await.is_err() {
                message.nack(std::time::Duration::from_millis(1));
            }
        }
        subscription.flush_acks(SOON).await.expect("settled");
        subscription.close().await.expect("closed");
    }

    fn all(&self, name: &str) -> Vec<SpanData> {
        let spans = self.spans.get_finished_spans().expect("spans");
        spans.into_iter().filter(|span| span.name == name).collect()
    }

    fn span(&self, name: &str) -> SpanData {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "spans {name}");
        all.into_iter().next().expect("one")
    }
}

fn attribute(span: &SpanData, key: &str) -> String {
    let found = span.attributes.iter().find(|a| a.key.as_str() == key);
    found.map_or_else(String::new, |a| a.value.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn send_process_and_ack_are_one_trace() {
    let f = Fixture::start().await;
    let state = "vendor=1".parse().expect("a trace state");
    let caller = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        state,
    );
    let record = Record::new("one").correlation_id("c-1");
    let publish = f.tracing.publish(&f.producer, record);
    let ack = publish
        .with_context(Context::new().with_remote_span_context(caller.clone()))
        .await
        .expect("acked");
    assert_eq!(ack.offset, Some(0));

    let in_handler = Mutex::new(None);
    f.consume(1, |message| {
        let current = Context::current().span().span_context().span_id();
        *in_handler.lock().expect("mine") = Some(current);
        let header = message.headers().into_iter().find(|h| h.0 == "tracestate");
        assert_eq!(header.expect("a tracestate").1, "vendor=1");
        Ok(())
    })
    .await;

    let (send, process) = (f.span("send orders"), f.span("process orders"));
    let ack = f.span("ack orders");
    assert_eq!(send.parent_span_id, caller.span_id());
    assert_eq!(process.parent_span_id, send.span_context.span_id());
    assert_eq!(ack.parent_span_id, process.span_context.span_id());
    assert_eq!(ack.span_context.trace_id(), caller.trace_id());
    assert_eq!(
        in_handler.into_inner().expect("mine"),
        Some(process.span_context.span_id())
    );
    let linked: Vec<_> = process
        .links
        .iter()
        .map(|l| l.span_context.span_id())
        .collect();
    assert_eq!(linked, [send.span_context.span_id()]);
    for span in [&send, &process, &ack] {
        assert_eq!(attribute(span, "messaging.system"), "spillway");
        assert_eq!(attribute(span, "messaging.destination.name"), "orders");
        assert_eq!(attribute(span, "messaging.message.id"), "0:0");
        assert_eq!(attribute(span, "messaging.destination.partition.id"), "0");
    }
    let types = [&send, &process, &ack].map(|span| attribute(span, "messaging.operation.type"));
    assert_eq!(types, ["send", "process", "settle"]);
    let kinds = [&send, &process, &ack].map(|span| span.span_kind.clone());
    assert_eq!(
        kinds,
        [SpanKind::Producer, SpanKind::Consumer, SpanKind::Client]
    );
    assert_eq!(
        attribute(&process, "messaging.consumer.group.name"),
        "billing"
    );
    assert_eq!(
        attribute(&process, "messaging.message.conversation_id"),
        "c-1"
    );
    assert_eq!(attribute(&send, "spillway.durability"), "MAPPED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_fails_marks_its_span_and_settles_nothing() {
    let f = Fixture::start().await;
    f.tracing
        .publish(&f.producer, Record::new("one"))
        .await
        .expect("acked");

    f.consume(2, |message| match message.attempt() {
        1 => Err("no paper".into()),
        _ => Ok(()),
    })
    .await;

    let process = f.all("process orders");
    assert_eq!(process.len(), 2);
    assert_eq!(process[0].status, Status::error("no paper"));
    assert_eq!(attribute(&process[0], "spillway.attempt"), "1");
    assert_eq!(f.all("ack orders").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_an_error_of_its_span() {
    let f = Fixture::start().await;
    let record = Record::new("one").key(vec![0; 2_000]);
    let refused = f.tracing.publish(&f.producer, record).await;
    assert_eq!(
        refused.expect_err("a key too long").code(),
        codes::TOO_LARGE
    );
    let send = f.span("send orders");
    assert_eq!(attribute(&send, "error.type"), "TOO_LARGE");
    assert!(matches!(send.status, Status::Error { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_keeps_the_context_it_has() {
    const OTHERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let f = Fixture::start().await;
    let record = Record::new("one").traceparent(OTHERS);
    f.tracing.publish(&f.producer, record).await.expect("acked");
    f.consume(1, |message| {
        assert_eq!(message.traceparent().as_deref(), Some(OTHERS));
        Ok(())
    })
    .await;
    let (send, process) = (f.span("send orders"), f.span("process orders"));
    let linked = send
        .links
        .iter()
        .map(|l| l.span_context.span_id().to_string());
    assert_eq!(linked.collect::<Vec<_>>(), ["00f067aa0ba902b7"]);
    let trace = process.span_context.trace_id().to_string();
    assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
}
