// Package spill keeps records that cannot be published at present in files of this machine, and publishes them once the broker
// takes them again. It is for producers that would rather rely on the disk they have than wait or drop; nothing of it is used
// unless a [Spool] is opened.
//
//	spool, err := spill.Open("/var/lib/shop/orders.spool", "orders")
//	producer, err := client.Producer(ctx, "orders")
//	err = spool.Attach(producer)
//	outcome, err := spool.Publish(ctx, record)
//	switch {
//	case err != nil: // neither stored nor spilled, or nobody knows
//	case outcome.Spilled: // on this disk; the broker does not have it yet
//	default: // acked: outcome.Ack says how durable it is
//	}
//
// What it promises, and what not:
//
//   - An ack is the broker's. A spilled record is as durable as this machine's disk, no more: it is synced before Publish returns,
//     unless [WithoutSync] is given.
//   - Each record has an idempotency key, the caller's or one of the spool's, from its first attempt on. A record that is
//     published a second time, because an attempt had no outcome or this process was killed, is stored once, as long as the
//     topic's window for keys (dedup.window.ms) holds; beyond it the broker refuses what it cannot tell, and [WithOnRefused] hears of it.
//   - Live records go first: what is spilled is published behind them, one small batch at a time, and for at most a quarter of the
//     time while there are others. So a spilled record may be stored after one that was published later, of the same key too.
//   - The spool is bounded. When it is full a publish fails as it would have without it, and the error says so.
//   - Files survive a crash at any time: an entry that was being written is ignored, with a warning in the log, and counted.
package spill
