//! Client of the Spillway message broker: durable topics between services that may fail independently.
//!
//! ```no_run
//! use std::time::Duration;
//! use spillway::{Client, Record};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().endpoints(["127.0.0.1:7400"]).connect().await?;
//!
//! let producer = client.producer("orders").open().await?;
//! let ack = producer.publish(Record::new("42").key("customer-7")).await?.await?;
//! println!("stored at {}/{:?}, {:?}", ack.partition, ack.offset, ack.durability);
//!
//! let orders = client.subscribe("orders").group("billing").open().await?;
//! let message = orders.next().await?;
//! message.ack();
//! orders.flush_acks(Duration::from_secs(5)).await?;
//! client.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] keeps one connection and heals it. A [`Producer`] batches, resends under the same sequences after a failure, and ends
//! each record in exactly one outcome: an [`Ack`] that says how durable the record is, or an [`Error`] that says what happened, why,
//! and what to do. A [`Subscription`] receives at least once in a group, with a lease and a settlement for each message, or as a reader
//! of its own. [`Admin`] creates and alters topics and groups, and plans and runs replays of records that were delivered before. The
//! tasks of a client run on the tokio runtime on which it was connected.
//!
//! All work of a cluster is done at its leader. A client finds it from whichever nodes it was configured with, and follows when
//! another node leads: what was under way is sent again there, and subscriptions are opened again. A call notices by its latency only.
//!
//! What happens to connections, throttling, and the start and end of subscriptions are [`tracing`] events of level debug; records
//! that failed for good and settlements that were lost are of level warn. A connection, from the first attempt to its end, is a span
//! of level debug, target `spillway`, name `connection`, with the fields `client` (its name), `endpoint`, and, once the broker has
//! answered, `session` (the session's epoch); what the broker causes happens in it. [`Metrics`] sees every batch.

mod acks;
mod admin;
mod batch;
mod calls;
mod client;
#[rustfmt::skip] // generated
pub mod codes;
mod conn;
mod core;
mod delivered;
mod delivery;
mod error;
#[cfg(feature = "metrics")]
mod facade;
mod health;
mod holds;
mod link;
mod login;
mod message;
mod metrics;
mod net;
mod options;
#[cfg(feature = "otel")]
mod otel;
#[allow(missing_docs, clippy::all, clippy::pedantic, dead_code)]
#[rustfmt::skip] // generated
mod pb;
mod pressure;
mod producer;
mod publisher;
mod queue;
mod record;
mod refresh;
mod session;
#[cfg(feature = "spill")]
pub mod spill;
mod state;
mod sublink;
mod subscription;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
mod toggles;
mod wire;

pub use admin::{
    Admin, Group, GroupMode, GroupPartition, GroupSnapshot, Member, ReplayJob, ReplayOptions,
    ReplayPlan, ReplayPlanState, ReplayRange, ReplaySelection, ReplayState, ReplayTarget,
    SeekOutcome, SeekPartition, Topic, TopicPartition,
};
pub use batch::AckFuture;
pub use client::{Client, ClientBuilder};
pub use core::{HealthState, Pressure as PressureState, RetryClass};
pub use error::Error;
#[cfg(feature = "metrics")]
pub use facade::FacadeMetrics;
pub use health::{AppHealth, Health};
pub use login::Unavailable;
pub use message::Message;
pub use metrics::Metrics;
#[cfg(feature = "otel")]
pub use otel::Tracing;
pub use pressure::Pressure;
pub use producer::{Producer, ProducerBuilder, PublishError};
pub use record::{Ack, Durability, Record, ZoneLag, CORRELATION_HEADER, FIRST_ATTEMPT_HEADER};
pub use subscription::{LostLeases, ReadFrom, Start, Subscription, SubscriptionBuilder};
#[cfg(feature = "tls")]
pub use tls::Tls;

/// Version of this client.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
