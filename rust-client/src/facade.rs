use std::time::Duration;

use metrics::{
    counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram, Unit,
};

use crate::{Error, Health, Metrics, Pressure};

/// Hands what a client does to the [`metrics`](https://docs.rs/metrics) facade, from where an exporter takes it to Prometheus,
/// OpenTelemetry or another place. The names are those of the Java and Go adapters. With the feature `metrics`.
///
/// It counts into the recorder that is installed when a client does something, so install that first.
///
/// ```no_run
/// # async fn connect() -> Result<spillway::Client, spillway::Error> {
/// let client = spillway::Client::builder()
///     .endpoints(["127.0.0.1:7400"])
///     .metrics(std::sync::Arc::new(spillway::FacadeMetrics::new()))
///     .connect()
///     .await?;
/// # Ok(client)
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct FacadeMetrics {}

impl FacadeMetrics {
    /// Describes the metrics to the recorder. Several clients of a process may share one, or have one each.
    #[must_use]
    pub fn new() -> Self {
        for (name, unit, help) in [
            (CONNECTIONS, Unit::Count, "Connections that were opened."),
            (
                DISCONNECTIONS,
                Unit::Count,
                "Connections, and attempts to get one, that failed.",
            ),
            (
                RECORDS_SENT,
                Unit::Count,
                "Records sent, those sent again included.",
            ),
            (
                BYTES_SENT,
                Unit::Bytes,
                "Bytes of batches sent, those sent again included.",
            ),
            (BATCHES_RESENT, Unit::Count, "Batches sent again."),
            (RECORDS_ACKED, Unit::Count, "Records acked by the broker."),
            (RECORDS_FAILED, Unit::Count, "Records that failed for good."),
            (
                THROTTLED,
                Unit::Count,
                "Times that the broker asked to wait.",
            ),
            (RECORDS_RECEIVED, Unit::Count, "Records delivered."),
            (BYTES_RECEIVED, Unit::Bytes, "Bytes of batches delivered."),
        ] {
            describe_counter!(name, unit, help);
        }
        describe_gauge!(
            PRESSURE,
            "What the broker says: 0 normal, 1 elevated, 2 throttled, 3 overloaded, 4 read-only."
        );
        describe_gauge!(
            HEALTH,
            "How the client is: 0 ready, 1 degraded, 2 critical, 3 draining."
        );
        describe_histogram!(
            ACK_LATENCY,
            Unit::Seconds,
            "From the sending of a batch to its ack."
        );
        Self {}
    }
}

impl Default for FacadeMetrics {
    fn default() -> Self {
        Self::new()
    }
}

const PRESSURE: &str = "spillway_client_pressure_state";
const HEALTH: &str = "spillway_client_health_state";
const CONNECTIONS: &str = "spillway_client_connections_total";
const DISCONNECTIONS: &str = "spillway_client_disconnections_total";
const RECORDS_SENT: &str = "spillway_client_records_sent_total";
const BYTES_SENT: &str = "spillway_client_sent_bytes_total";
const BATCHES_RESENT: &str = "spillway_client_batches_resent_total";
const RECORDS_ACKED: &str = "spillway_client_records_acked_total";
const ACK_LATENCY: &str = "spillway_client_ack_latency_seconds";
const RECORDS_FAILED: &str = "spillway_client_records_failed_total";
const THROTTLED: &str = "spillway_client_throttled_total";
const RECORDS_RECEIVED: &str = "spillway_client_records_received_total";
const BYTES_RECEIVED: &str = "spillway_client_received_bytes_total";

impl Metrics for FacadeMetrics {
    fn on_connected(&self, endpoint: &str) {
        counter!(CONNECTIONS, "endpoint" => endpoint.to_owned()).increment(1);
    }

    fn on_disconnected(&self, endpoint: &str, cause: &Error) {
        counter!(DISCONNECTIONS, "endpoint" => endpoint.to_owned(), "reason" => cause.reason().to_owned()).increment(1);
    }

    fn on_batch_sent(
        &self,
        topic: &str,
        _partition: u32,
        records: usize,
        bytes: usize,
        attempt: u32,
    ) {
        counter!(RECORDS_SENT, "topic" => topic.to_owned()).increment(records as u64);
        counter!(BYTES_SENT, "topic" => topic.to_owned()).increment(bytes as u64);
        if attempt > 1 {
            counter!(BATCHES_RESENT, "topic" => topic.to_owned()).increment(1);
        }
    }

    fn on_batch_acked(&self, topic: &str, _partition: u32, records: usize, latency: Duration) {
        counter!(RECORDS_ACKED, "topic" => topic.to_owned()).increment(records as u64);
        histogram!(ACK_LATENCY, "topic" => topic.to_owned()).record(latency);
    }

    fn on_publish_failed(&self, topic: &str, _partition: u32, records: usize, error: &Error) {
        counter!(RECORDS_FAILED, "topic" => topic.to_owned(), "reason" => error.reason().to_owned())
            .increment(records as u64);
    }

    fn on_throttled(&self, scope: &str, _retry_after: Duration) {
        counter!(THROTTLED, "scope" => scope.to_owned()).increment(1);
    }

    fn on_pressure(&self, pressure: &Pressure) {
        gauge!(PRESSURE, "of" => pressure.of.clone()).set(f64::from(pressure.state as u8));
    }

    fn on_health(&self, health: &Health) {
        gauge!(HEALTH).set(f64::from(health.state as u8));
    }

    fn on_batch_received(&self, topic: &str, _partition: u32, records: usize, bytes: usize) {
        counter!(RECORDS_RECEIVED, "topic" => topic.to_owned()).increment(records as u64);
        counter!(BYTES_RECEIVED, "topic" => topic.to_owned()).increment(bytes as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use std::collections::BTreeMap;

    #[test]
    fn counts_under_the_names_of_the_other_clients() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let lost = Error::new(codes::CONNECTION_LOST, "lost", "it was cut", "wait");

        metrics::with_local_recorder(&recorder, || {
            let metrics = FacadeMetrics::new();
            metrics.on_connected("a:1");
            metrics.on_disconnected("a:1", &lost);
            metrics.on_batch_sent("t", 0, 3, 100, 1);
            metrics.on_batch_sent("t", 0, 3, 100, 2);
            metrics.on_batch_acked("t", 0, 3, Duration::from_millis(2));
            metrics.on_publish_failed("t", 0, 2, &lost);
            metrics.on_throttled("topic", Duration::from_millis(5));
            metrics.on_batch_received("t", 0, 4, 200);
            metrics.on_pressure(&Pressure {
                state: crate::PressureState::Throttled,
                reasons: Vec::new(),
                of: "connection".into(),
                scope: "broker".into(),
                retry_after: Duration::ZERO,
            });
            metrics.on_health(&Health {
                state: crate::HealthState::Degraded,
                ..Health::default()
            });
        });

        let seen: BTreeMap<String, DebugValue> = snapshotter
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| {
                let labels: Vec<_> = key
                    .key()
                    .labels()
                    .map(|label| format!("{}={}", label.key(), label.value()))
                    .collect();
                (format!("{} {}", key.key().name(), labels.join(" ")), value)
            })
            .collect();
        let counters = [
            ("connections_total endpoint=a:1", 1),
            (
                "disconnections_total endpoint=a:1 reason=CONNECTION_LOST",
                1,
            ),
            ("records_sent_total topic=t", 6),
            ("sent_bytes_total topic=t", 200),
            ("batches_resent_total topic=t", 1),
            ("records_acked_total topic=t", 3),
            ("records_failed_total topic=t reason=CONNECTION_LOST", 2),
            ("throttled_total scope=topic", 1),
            ("records_received_total topic=t", 4),
            ("received_bytes_total topic=t", 200),
        ];
        for (name, value) in counters {
            assert_eq!(
                seen.get(&format!("spillway_client_{name}")),
                Some(&DebugValue::Counter(value)),
                "{name}"
            );
        }
        assert_eq!(
            seen.get("spillway_client_ack_latency_seconds topic=t"),
            Some(&DebugValue::Histogram(vec![0.002.into()]))
        );
        for (name, value) in [
            ("pressure_state of=connection", 2.0),
            ("health_state ", 1.0),
        ] {
            assert_eq!(
                seen.get(&format!("spillway_client_{name}")),
                Some(&DebugValue::Gauge(value.into())),
                "{name}"
            );
        }
        assert_eq!(seen.len(), counters.len() + 3);
    }
}
