//! What the broker delivers: checked, queued, and paid for with credit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{State, SubLink};
use crate::codes;
use crate::core::lease::NACK;
use crate::delivered::Delivered;
use crate::delivery::credit_batches;
use crate::net::Net;
use crate::pb;
use crate::wire::{Batch, Kind, Malformed, BATCH_HEADER_BYTES, MAX_BATCH_BYTES};
use crate::Error;

const MAX_CORRUPT: u32 = 3;
const CORRUPT_DELAY: Duration = Duration::from_secs(1);
const REASON_CORRUPT: u32 = 1;

impl SubLink {
    pub fn on_deliver(
        &mut self,
        net: &mut Net,
        header: pb::Deliver,
        mut payload: Bytes,
    ) -> Result<(), Malformed> {
        for segment in header.segments {
            let size = segment.bytes as usize;
            if size < BATCH_HEADER_BYTES || size > payload.len() {
                return Err(Malformed(format!(
                    "a delivery says a batch has {size} bytes, {} are left",
                    payload.len()
                )));
            }
            self.received = (self.received.0 + 1, self.received.1 + size as u64);
            let bytes = payload.split_to(size);
            if !self.accept(net, &segment, &bytes, header.unix_ms) {
                return Ok(());
            }
        }
        self.grant_credit(net);
        Ok(())
    }

    /// False when this handle has been given up.
    fn accept(
        &mut self,
        net: &mut Net,
        segment: &pb::Segment,
        bytes: &Bytes,
        broker_ms: u64,
    ) -> bool {
        let batch = match Batch::open(bytes.clone()) {
            Ok(batch) => batch,
            Err(e) => return self.on_corrupt(net, segment, bytes, &e),
        };
        let skip_before = self.skip_before(segment, &batch);
        let (partition, size) = (segment.partition, bytes.len());
        let delivered = Arc::new(Delivered::new(
            self.acks.inbox.clone(),
            batch,
            segment,
            skip_before,
            (net.now_ms(), broker_ms),
        ));
        let records = delivered.selection.count();
        if records == 0 {
            return true;
        }
        if !self.is_stream() {
            self.acks.on_delivered(&delivered);
        }
        if self.draining || self.leaving {
            delivered.release(0);
            return true;
        }
        self.queue.add(delivered);
        let topic = self.topic.clone();
        net.measure(move |m| m.on_batch_received(&topic, partition, records, size));
        true
    }

    /// A reader has had the records before this offset; its place moves behind the batch.
    fn skip_before(&mut self, segment: &pb::Segment, batch: &Batch) -> u64 {
        if !self.is_stream() {
            return 0;
        }
        let next = self.next.entry(segment.partition).or_insert(0);
        let from = *next;
        *next = from.max(segment.base_offset.saturating_add(batch.count() as u64));
        from
    }

    /// In a group the broker hears of it and delivers again; a reader asks again, a few times.
    fn on_corrupt(
        &mut self,
        net: &mut Net,
        segment: &pb::Segment,
        bytes: &[u8],
        cause: &Malformed,
    ) -> bool {
        let base = segment.base_offset;
        if !self.is_stream() {
            let item = pb::AckItem {
                partition: segment.partition,
                first: base,
                last: base.saturating_add(Batch::claimed_count(bytes) as u64 - 1),
                fence: segment.fence,
                outcome: NACK,
                delay_ms: CORRUPT_DELAY.as_millis() as u32,
                reason: REASON_CORRUPT,
                detail: format!("CORRUPT: {cause}"),
                ..pb::AckItem::default()
            };
            self.acks.add(net, item);
            return true;
        }
        let times = self
            .corrupt
            .filter(|(offset, _)| *offset == base)
            .map_or(1, |(_, times)| times + 1);
        self.corrupt = Some((base, times));
        self.unsubscribe(net, None);
        self.leave(net);
        if times < MAX_CORRUPT {
            self.not_before = Some(Instant::now() + CORRUPT_DELAY);
        } else {
            let error = Error::new(
                codes::CHECKSUM_MISMATCH,
                format!(
                    "the batch at offset {base} of {}/{} arrives damaged",
                    self.topic, segment.partition
                ),
                format!("{cause}, {times} times in a row"),
                "run spillway log verify on the broker's data; to go on, start behind the batch",
            );
            self.end(net, &error);
        }
        false
    }

    /// Tells the broker how much more it may send, once half of the window is consumed; or all there is, when what is left may be
    /// too little for the next batch.
    pub(super) fn grant_credit(&mut self, net: &mut Net) {
        if self.state != State::Active || self.draining || self.leaving || net.health.braked {
            return;
        }
        let window = (
            credit_batches(self.opts.credit_bytes),
            self.opts.credit_bytes,
        );
        let queued = self.queue.queued();
        let fresh = |received: u64, window: u64, queued: u64, granted: u64| {
            (received + window)
                .saturating_sub(queued)
                .saturating_sub(granted)
        };
        let batches = fresh(self.received.0, window.0, queued.0, self.granted.0);
        let bytes = fresh(self.received.1, window.1, queued.1, self.granted.1);
        let left = self.granted.1.saturating_sub(self.received.1);
        let dry = queued.0 == 0 && bytes > 0 && left < MAX_BATCH_BYTES as u64;
        if dry || batches >= window.0 / 2 || bytes >= window.1 / 2 {
            let credit = Some(self.next_credit());
            let channel = self.channel;
            if let Some(conn) = net.conn(self.conn) {
                conn.send(
                    Kind::CREDIT_GRANT,
                    channel,
                    &pb::CreditGrant {
                        credit,
                        drain: false,
                        paused: false,
                    },
                );
            }
        }
    }

    pub(super) fn next_credit(&mut self) -> pb::Credit {
        let (batches, bytes) = self.queue.queued();
        self.granted = (
            self.received.0 + credit_batches(self.opts.credit_bytes).saturating_sub(batches),
            self.received.1 + self.opts.credit_bytes.saturating_sub(bytes),
        );
        pb::Credit {
            max_batches: self.granted.0,
            max_bytes: self.granted.1,
        }
    }
}
