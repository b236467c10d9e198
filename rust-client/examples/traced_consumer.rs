//! Handles messages of a group with OpenTelemetry: each in a span, which belongs to the trace of who published it. It ends after
//! `--count` messages, when all are acked and the spans are at the collector.
//!
//! `cargo run --features otel --example traced_consumer -- --endpoint 127.0.0.1:7400 --topic orders --group billing
//! --otlp 127.0.0.1:4318`

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use opentelemetry_sdk::Resource;
use serde_json::json;
use spillway::{Client, Tracing};
use support::flags;

type Failure = Box<dyn std::error::Error>;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = flags(&["endpoint", "topic", "group", "count", "otlp"])?;
    let endpoint = flags
        .get("endpoint")
        .map_or("127.0.0.1:7400", String::as_str);
    let topic = flags.get("topic").ok_or("--topic is missing")?;
    let group = flags.get("group").ok_or("--group is missing")?;
    let count = flags.get("count").map_or(Ok(1), |count| count.parse())?;
    let collector = flags.get("otlp").map_or("127.0.0.1:4318", String::as_str);

    let provider = SdkTracerProvider::builder()
        .with_resource(
            Resource::builder_empty()
                .with_service_name("billing")
                .build(),
        )
        .with_simple_exporter(Otlp {
            collector: collector.to_owned(),
        })
        .build();
    let tracing = Tracing::new(&provider);
    let client = Client::builder().endpoints([endpoint]).connect().await?;
    let subscription = client.subscribe(topic).group(group).open().await?;
    for _ in 0..count {
        let message = tokio::time::timeout(PATIENCE, subscription.next()).await??;
        tracing
            .process(group, message, |message| async move {
                println!("{}", String::from_utf8_lossy(message.value()));
                Ok::<_, std::convert::Infallible>(())
            })
            .await?;
    }
    // Close sends the acks and waits until the broker has them.
    client.close().await?;
    provider.shutdown()?;
    Ok(())
}

/// Exports spans in the JSON encoding of OTLP over HTTP: as much of it as an example needs, without the dependencies of an exporter
/// for production.
#[derive(Debug)]
struct Otlp {
    /// `host:port`
    collector: String,
}

impl SpanExporter for Otlp {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let scopes: Vec<_> = batch
            .iter()
            .map(|span| {
                json!({"scope": {"name": span.instrumentation_scope.name()}, "spans": [convert(span)]})
            })
            .collect();
        let service = KeyValue::new("service.name", "billing");
        let body = json!({"resourceSpans": [
            {"resource": {"attributes": attributes([&service])}, "scopeSpans": scopes}]});
        self.post(&body.to_string())
            .map_err(|e| OTelSdkError::InternalFailure(e.to_string()))
    }
}

impl Otlp {
    fn post(&self, body: &str) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(&self.collector)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "POST /v1/traces HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.collector,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") {
            Ok(())
        } else {
            Err(std::io::Error::other(answer))
        }
    }
}

fn convert(span: &SpanData) -> serde_json::Value {
    let mut converted = json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "name": span.name,
        "kind": match span.span_kind {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
            SpanKind::Producer => 4,
            SpanKind::Consumer => 5,
        },
        "startTimeUnixNano": nanos(span.start_time),
        "endTimeUnixNano": nanos(span.end_time),
        "attributes": attributes(&span.attributes),
        "links": span.links.iter().map(|link| json!({
            "traceId": link.span_context.trace_id().to_string(),
            "spanId": link.span_context.span_id().to_string()})).collect::<Vec<_>>(),
        "status": match &span.status {
            Status::Error { description } => json!({"code": 2, "message": description}),
            _ => json!({}),
        },
    });
    if span.parent_span_id != SpanId::INVALID {
        converted["parentSpanId"] = json!(span.parent_span_id.to_string());
    }
    converted
}

fn attributes<'a>(from: impl IntoIterator<Item = &'a KeyValue>) -> Vec<serde_json::Value> {
    from.into_iter()
        .map(|each| {
            let value = match &each.value {
                Value::Bool(value) => json!({"boolValue": value}),
                Value::I64(value) => json!({"intValue": value.to_string()}),
                Value::F64(value) => json!({"doubleValue": value}),
                other => json!({"stringValue": other.as_str()}),
            };
            json!({"key": each.key.as_str(), "value": value})
        })
        .collect()
}

fn nanos(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}
