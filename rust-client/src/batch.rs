use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::item_errors;
use crate::pb;
use crate::wire::{BatchWriter, OutRecord};
use crate::{Ack, Durability, Error};

/// What became of a batch.
#[derive(Debug)]
enum Outcome {
    /// All stored one after the other, from this ack's offset on, or all duplicates.
    Acked(Ack),
    /// Each its own.
    InPart(Vec<Result<Ack, Error>>),
    Failed(Error),
}

/// What the records of a batch and their futures share.
#[derive(Debug, Default)]
pub(crate) struct BatchCell {
    outcome: OnceLock<Outcome>,
    wakers: Mutex<Vec<Waker>>,
}

impl BatchCell {
    fn finish(&self, outcome: Outcome) {
        if self.outcome.set(outcome).is_ok() {
            let wakers =
                std::mem::take(&mut *self.wakers.lock().expect("no panic under this lock"));
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    pub fn is_done(&self) -> bool {
        self.outcome.get().is_some()
    }

    fn result(&self, index: usize) -> Option<Result<Ack, Error>> {
        self.outcome.get().map(|outcome| match outcome {
            Outcome::Acked(first) => {
                let mut ack = first.clone();
                ack.offset = first.offset.map(|offset| offset + index as u64);
                Ok(ack)
            }
            Outcome::InPart(each) => each[index].clone(),
            Outcome::Failed(error) => Err(error.clone()),
        })
    }

    /// Ready when the outcome is there.
    pub fn poll_done(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_done() {
            return Poll::Ready(());
        }
        let mut wakers = self.wakers.lock().expect("no panic under this lock");
        if self.is_done() {
            return Poll::Ready(());
        }
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// The outcome of a publish. Dropping it gives up the knowledge, not the record, which goes on to be sent.
#[derive(Clone, Debug)]
#[must_use = "the outcome of a publish is in its future"]
pub struct AckFuture {
    pub(crate) cell: Arc<BatchCell>,
    pub(crate) index: usize,
}

impl Future for AckFuture {
    type Output = Result<Ack, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.cell.poll_done(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(self.cell.result(self.index).expect("it is done")),
        }
    }
}

/// Records until they have their outcome.
#[derive(Debug)]
pub(crate) struct OutBatch {
    pub writer: BatchWriter,
    pub cell: Arc<BatchCell>,
    pub serial: u64,
    pub created: Instant,
    pub created_ms: u64,
    pub timeout: Duration,
    /// Permits of the producer's buffer.
    pub reserved: usize,
    /// The epoch it was last encoded under.
    pub epoch: Option<u16>,
    pub sequence: u64,
    pub correlation: u32,
    pub sent: Instant,
    pub sends: u32,
    pub failures: u32,
    pub retry_cost: u32,
    pub maybe_stored: bool,
    pub abandoned: bool,
}

impl OutBatch {
    pub fn new(serial: u64, now: Instant, now_ms: u64, timeout: Duration, room: usize) -> Self {
        Self {
            writer: BatchWriter::new(room),
            cell: Arc::default(),
            serial,
            created: now,
            created_ms: now_ms,
            timeout,
            reserved: 0,
            epoch: None,
            sequence: 0,
            correlation: 0,
            sent: now,
            sends: 0,
            failures: 0,
            retry_cost: 0,
            maybe_stored: false,
            abandoned: false,
        }
    }

    pub fn deadline(&self) -> Instant {
        self.created + self.timeout
    }

    pub fn count(&self) -> usize {
        self.writer.count()
    }

    pub fn add(
        &mut self,
        time_ms: u64,
        record: &OutRecord<'_>,
        hash: u32,
        permits: usize,
    ) -> AckFuture {
        let index = self.writer.count();
        self.writer.add(time_ms, record, hash);
        self.reserved += permits;
        AckFuture {
            cell: self.cell.clone(),
            index,
        }
    }

    pub fn end_sequence(&self) -> u64 {
        self.sequence + self.count() as u64
    }

    pub fn acked(&self, partition: u32, ack: pb::PublishAck) {
        let first = Ack {
            partition,
            offset: known(ack.base_offset),
            durability: Durability::of(ack.reached),
            duplicate: ack.duplicate,
            degraded: ack.degraded,
            append_time_ms: ack.append_unix_ms,
        };
        if ack.key_results.is_empty() && ack.errors.is_empty() {
            self.cell.finish(Outcome::Acked(first));
            return;
        }
        let mut each: Vec<Option<Result<Ack, Error>>> = vec![None; self.count()];
        for result in ack.key_results {
            if let Some(place) = each.get_mut(result.index as usize) {
                *place = Some(Ok(Ack {
                    offset: known(result.offset),
                    duplicate: true,
                    append_time_ms: result.append_unix_ms,
                    ..first.clone()
                }));
            }
        }
        item_errors(ack.errors, |range, error| {
            each.iter_mut()
                .take(range.end)
                .skip(range.start)
                .for_each(|place| *place = Some(Err(error.clone())));
        });
        let mut next = first.offset;
        let each = each.into_iter().map(|place| {
            place.unwrap_or_else(|| {
                let stored = Ack {
                    offset: next,
                    ..first.clone()
                };
                next = next.map(|offset| offset + 1);
                Ok(stored)
            })
        });
        self.cell.finish(Outcome::InPart(each.collect()));
    }

    pub fn fail(&self, error: Error) {
        self.cell.finish(Outcome::Failed(error));
    }
}

/// 2^64-1 says that the offset is forgotten.
fn known(offset: u64) -> Option<u64> {
    (offset <= i64::MAX as u64).then_some(offset)
}
