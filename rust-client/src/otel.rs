use std::fmt;
use std::future::Future;

use opentelemetry::trace::{
    FutureExt, Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};

use crate::{Ack, Durability, Error, Message, Producer, Record};

const TRACE_STATE: &str = "tracestate";

/// Traces publishing and consuming with [OpenTelemetry](https://docs.rs/opentelemetry), by its conventions for messaging. A record
/// carries the context of the span that sent it, to consumers in whatever language. With the feature `otel`.
///
/// ```no_run
/// # async fn run(producer: spillway::Producer, subscription: spillway::Subscription,
/// #     provider: opentelemetry_sdk::trace::SdkTracerProvider) -> Result<(), spillway::Error> {
/// let tracing = spillway::Tracing::new(&provider);
/// tracing.publish(&producer, spillway::Record::new("paid")).await?;
/// subscription
///     .consume(8, |message| {
///         tracing.process("billing", message, |message| async move {
///             println!("{:?}", message.value());
///             Ok::<_, std::convert::Infallible>(())
///         })
///     })
///     .await
/// # }
/// ```
#[derive(Debug)]
pub struct Tracing<T> {
    tracer: T,
}

impl<T> Tracing<T>
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    /// Makes spans with this provider.
    pub fn new<P: TracerProvider<Tracer = T>>(provider: &P) -> Self {
        Self {
            tracer: provider.tracer("spillway"),
        }
    }

    /// [`Producer::publish_and_wait`] in a span `send TOPIC`, a child of the current context's, from the call to the outcome. A
    /// record that has a `traceparent` keeps it: the span is linked to it.
    ///
    /// # Errors
    /// Those of [`Producer::publish_and_wait`].
    pub async fn publish(&self, producer: &Producer, record: Record) -> Result<Ack, Error> {
        let mut attributes = of("send", "send", producer.topic());
        attributes.push(body_size(record.value.len()));
        attributes.extend(record.correlation_id.as_deref().map(conversation));
        let mut builder = SpanBuilder::from_name(format!("send {}", producer.topic()))
            .with_kind(SpanKind::Producer)
            .with_attributes(attributes);
        let own = record.traceparent.as_deref();
        let theirs = own.and_then(|parent| remote(parent, trace_state(&record.headers)));
        builder.links = theirs.map(|context| vec![Link::with_context(context)]);
        let cx = Context::current_with_span(self.tracer.build(builder));
        let record = match own {
            Some(_) => record,
            None => with_context(record, cx.span().span_context()),
        };
        let outcome = producer
            .publish_and_wait(record)
            .with_context(cx.clone())
            .await;
        let span = cx.span();
        match &outcome {
            Ok(ack) => span.set_attributes([
                partition(ack.partition),
                message_id(ack.partition, ack.offset),
                KeyValue::new("spillway.durability", durability(ack.durability)),
                KeyValue::new("spillway.duplicate", ack.duplicate),
            ]),
            Err(e) => {
                span.set_attribute(KeyValue::new("error.type", e.reason().to_owned()));
                span.set_status(Status::error(e.to_string()));
            }
        }
        span.end();
        outcome
    }

    /// Handles a message of a group in a span `process TOPIC`, the handler's current one, and acks it in a span `ack TOPIC`
    /// within it, when the handler returns `Ok`; it may have settled it itself. The span of the publisher is the parent, so that both
    /// are one trace, and linked, too. An empty group is a reader's.
    ///
    /// # Errors
    /// The handler's.
    pub async fn process<F, R, E>(&self, group: &str, message: Message, handler: F) -> Result<(), E>
    where
        F: FnOnce(Message) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let about = about(group, &message);
        let mut attributes = of("process", "process", message.topic());
        attributes.push(body_size(message.value().len()));
        attributes.push(KeyValue::new(
            "spillway.attempt",
            i64::from(message.attempt()),
        ));
        attributes.extend(about.iter().cloned());
        let mut builder = SpanBuilder::from_name(format!("process {}", message.topic()))
            .with_kind(SpanKind::Consumer)
            .with_attributes(attributes);
        let parent = message.traceparent();
        let sender = parent.and_then(|parent| remote(&parent, trace_state(&message.headers())));
        let mut cx = Context::current();
        if let Some(sender) = sender {
            builder.links = Some(vec![Link::with_context(sender.clone())]);
            cx = cx.with_remote_span_context(sender);
        }
        let span = self.tracer.build_with_context(builder, &cx);
        let cx = cx.with_span(span);
        let outcome = handler(message.clone()).with_context(cx.clone()).await;
        match &outcome {
            Ok(()) => {
                let mut attributes = of("ack", "settle", message.topic());
                attributes.extend(about);
                let builder = SpanBuilder::from_name(format!("ack {}", message.topic()))
                    .with_kind(SpanKind::Client)
                    .with_attributes(attributes);
                let mut span = self.tracer.build_with_context(builder, &cx);
                message.ack();
                span.end();
            }
            Err(e) => {
                let span = cx.span();
                span.set_attribute(KeyValue::new("error.type", "_OTHER"));
                span.set_status(Status::error(e.to_string()));
            }
        }
        cx.span().end();
        outcome
    }
}

fn of(name: &'static str, kind: &'static str, topic: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system", "spillway"),
        KeyValue::new("messaging.operation.name", name),
        KeyValue::new("messaging.operation.type", kind),
        KeyValue::new("messaging.destination.name", topic.to_owned()),
    ]
}

fn about(group: &str, message: &Message) -> Vec<KeyValue> {
    let mut attributes = vec![
        partition(message.partition()),
        message_id(message.partition(), Some(message.offset())),
    ];
    if !group.is_empty() {
        let group = group.to_owned();
        attributes.push(KeyValue::new("messaging.consumer.group.name", group));
    }
    attributes.extend(message.correlation_id().as_deref().map(conversation));
    attributes
}

fn body_size(bytes: usize) -> KeyValue {
    KeyValue::new(
        "messaging.message.body.size",
        i64::try_from(bytes).unwrap_or(i64::MAX),
    )
}

fn conversation(id: &str) -> KeyValue {
    KeyValue::new("messaging.message.conversation_id", id.to_owned())
}

fn partition(index: u32) -> KeyValue {
    KeyValue::new("messaging.destination.partition.id", index.to_string())
}

/// Unique in its topic.
fn message_id(partition: u32, offset: Option<u64>) -> KeyValue {
    let offset = offset.map_or_else(|| "-1".to_owned(), |offset| offset.to_string());
    KeyValue::new("messaging.message.id", format!("{partition}:{offset}"))
}

/// As the protocol calls it.
fn durability(level: Durability) -> &'static str {
    match level {
        Durability::Topic => "DEFAULT",
        Durability::Mapped => "MAPPED",
        Durability::Synced => "SYNCED",
        Durability::QuorumMapped => "QUORUM_MAPPED",
        Durability::Quorum => "QUORUM",
    }
}

fn trace_state<V: AsRef<[u8]>>(headers: &[(String, V)]) -> TraceState {
    let header = headers.iter().find(|(name, _)| name == TRACE_STATE);
    let text = header.and_then(|(_, value)| std::str::from_utf8(value.as_ref()).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The context that a record came with, as in W3C Trace Context.
fn remote(parent: &str, state: TraceState) -> Option<SpanContext> {
    let mut parts = parent.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, state);
    context.is_valid().then_some(context)
}

fn with_context(record: Record, context: &SpanContext) -> Record {
    if !context.is_valid() {
        return record;
    }
    let (trace, span) = (context.trace_id(), context.span_id());
    let flags = context.trace_flags() & TraceFlags::SAMPLED;
    let state = context.trace_state().header();
    let record = record.traceparent(format!("00-{trace}-{span}-{:02x}", flags.to_u8()));
    if state.is_empty() {
        record
    } else {
        record.header(TRACE_STATE, state)
    }
}
