// Package spillway is the client for the Spillway message broker.
//
// A [Client] is one connection that heals itself; open one for a process and share it. A [Producer] publishes to a topic
// in batches, a [Subscription] reads one, [Admin] manages topics and groups.
//
//	client, err := spillway.Connect(ctx, spillway.WithEndpoints("127.0.0.1:7400"))
//	producer, err := client.Producer(ctx, "orders")
//	ack, err := producer.Publish(ctx, spillway.Record{Key: []byte("4711"), Value: []byte("paid")})
//
//	subscription, err := client.Subscribe(ctx, "orders", spillway.WithGroup("billing"))
//	err = subscription.Consume(ctx, 4, func(ctx context.Context, m *spillway.Message) error { return bill(m.Value) })
//
// # What is promised
//
// Each record ends in exactly one outcome: an [Ack] or an [Error]. Records of one partition are stored in the order in
// which a goroutine published them. A connection or broker that fails in between neither loses nor doubles a record, as
// long as it is back within the delivery timeout: batches are sent again under the sequence they had. A group is delivered
// at least once; settle messages, and expect one again whose settlement was lost. Damaged batches are found by their
// checksum and never handed out.
//
// # Clusters
//
// All work of a cluster is done at its leader. A client finds it from whichever nodes it was configured with, and follows when another
// node leads: what was under way is sent again there, and subscriptions are opened again. A call notices by its latency only.
//
// # Groups
//
// A group shares its records in one of three modes: [Shared], [KeyOrdered] and [Exclusive]. What WithMode, WithFilter, WithRetryBackoff
// and their like say is the group's, not the member's, and durable. A [Message] that fails goes back with [Message.Nack] and comes
// again after the delay it names, or after the group's backoff; after the group's max.deliveries failures, or with
// [Message.Terminate], it goes to the topic <topic>.dlq, whose headers say why. What was released, or ended with a connection, is no
// failure.
//
// # Records that wait or expire
//
// [Record.DeliverAfter] and [Record.DeliverAt] have the broker hold a record back, for each group, without the records behind it;
// [Record.ExpiresAfter] and [Record.ExpiresAt] have it dead-lettered when no member was given it in time. [Message.TimeLeft] says how
// long a delivered one is still good, by the broker's clock.
//
// # Idempotency
//
// A record with a [Record.IdempotencyKey] is stored once within its topic's window. Publish it again, with the same key and content,
// for as long as the outcome is unknown, and say in [Record.FirstAttempt] since when: the ack is the first one's, and a
// repetition that comes so late that nobody can tell whether it was stored fails with [ErrDedupWindowExceeded].
//
// # Replay
//
// [Admin.PlanReplay] finds exact records and counts them, [Admin.StartReplay] delivers them again: to a group beside its live
// records, to a new group, to a topic, or from a dead-letter topic to where they came from. Both are kept by the broker and go on
// when the client does not. [Admin.SnapshotGroup] keeps what a group has settled, for [Admin.RestoreGroup].
//
// # Errors
//
// Every error is an *[Error], with a code, a retry class, the cause and the next step, except a context's own from
// Subscription.Fetch. Compare with errors.Is and the Err values, or take it with errors.As. Two of them must not be
// confused: [ErrDeadlineExceeded] says that nothing was stored, [ErrOutcomeUnknown] that it may have been. Publish again
// after the latter only with an [Record.IdempotencyKey], or when a second copy does no harm.
//
// # Deadlines
//
// A context's deadline counts when it is earlier than the option that limits the call: the delivery timeout of 30 s for
// Publish, the request timeout of 10 s for opening and for Admin. Close and Drain without a deadline get 10 s, or wait.
// Connect's context ends with Connect.
//
// # Goroutines
//
// A client has a goroutine that reads, one that writes, one for time and one that reconnects; a subscription has one more.
// All have ended when Close returns. Callbacks, metrics and listeners of lost leases run on them and must not block or
// close the client.
package spillway
