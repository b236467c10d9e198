use std::time::Duration;

use crate::{Error, Health, Pressure};

/// Sees what a client does, batch by batch, never record by record. The methods must be quick and must not call the client. All
/// do nothing by default.
pub trait Metrics: Send + Sync {
    /// A session has begun.
    fn on_connected(&self, _endpoint: &str) {}
    /// A connection, or an attempt to get one, failed.
    fn on_disconnected(&self, _endpoint: &str, _cause: &Error) {}
    /// A batch was sent; `attempt` is 1 for the first time.
    fn on_batch_sent(
        &self,
        _topic: &str,
        _partition: u32,
        _records: usize,
        _bytes: usize,
        _attempt: u32,
    ) {
    }
    /// A batch was acked, `latency` after it was sent.
    fn on_batch_acked(&self, _topic: &str, _partition: u32, _records: usize, _latency: Duration) {}
    /// Records failed for good.
    fn on_publish_failed(&self, _topic: &str, _partition: u32, _records: usize, _error: &Error) {}
    /// The broker asked to wait, by a signal, with an ack, or as it refused something for load.
    fn on_throttled(&self, _scope: &str, _retry_after: Duration) {}
    /// What the broker says of itself has changed.
    fn on_pressure(&self, _pressure: &Pressure) {}
    /// How the client is has changed, as the broker is told.
    fn on_health(&self, _health: &Health) {}
    /// A batch arrived; `records` of it are for this subscription.
    fn on_batch_received(&self, _topic: &str, _partition: u32, _records: usize, _bytes: usize) {}
}
