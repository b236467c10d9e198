package spillway

import "time"

// Metrics sees what a client does, batch by batch, never record by record. Its methods must be quick and must not call
// the client. Embed NoMetrics to implement only some of them.
type Metrics interface {
	OnConnected(endpoint string)
	// OnDisconnected: a connection, or an attempt to get one, failed.
	OnDisconnected(endpoint string, cause *Error)
	// OnBatchSent: attempt is 1 for the first time.
	OnBatchSent(topic string, partition, records, bytes, attempt int)
	// OnBatchAcked: latency since it was sent.
	OnBatchAcked(topic string, partition, records int, latency time.Duration)
	// OnPublishFailed: records failed for good.
	OnPublishFailed(topic string, partition, records int, err *Error)
	// OnThrottled: the broker asked to wait, by a signal, with an ack, or as it refused something for load.
	OnThrottled(scope string, retryAfter time.Duration)
	// OnPressure: what the broker says of itself has changed.
	OnPressure(pressure Pressure)
	// OnHealth: how the client is has changed, as the broker is told.
	OnHealth(health Health)
	// OnBatchReceived: records of it are for this subscription.
	OnBatchReceived(topic string, partition, records, bytes int)
}

// NoMetrics does nothing.
type NoMetrics struct{}

// OnConnected does nothing.
func (NoMetrics) OnConnected(string) {}

// OnDisconnected does nothing.
func (NoMetrics) OnDisconnected(string, *Error) {}

// OnBatchSent does nothing.
func (NoMetrics) OnBatchSent(string, int, int, int, int) {}

// OnBatchAcked does nothing.
func (NoMetrics) OnBatchAcked(string, int, int, time.Duration) {}

// OnPublishFailed does nothing.
func (NoMetrics) OnPublishFailed(string, int, int, *Error) {}

// OnThrottled does nothing.
func (NoMetrics) OnThrottled(string, time.Duration) {}

// OnPressure does nothing.
func (NoMetrics) OnPressure(Pressure) {}

// OnHealth does nothing.
func (NoMetrics) OnHealth(Health) {}

// OnBatchReceived does nothing.
func (NoMetrics) OnBatchReceived(string, int, int, int) {}
