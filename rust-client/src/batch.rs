use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::item_errors;
use crate::pb;
use crate::wire::{BatchWriter, OutRecord};
use crate::{Ack, Durability, Error, ZoneLag};

/// What became of a batch as a whole.
#[derive(Debug)]
enum Outcome {
    /// All stored one after the other, from this ack's offset on, or all duplicates.
    Acked(Ack),
    Failed(Error),
}

type Slot = OnceLock<Result<Ack, Error>>;

/// What the records of a batch and their futures share.
#[derive(Debug, Default)]
pub(crate) struct BatchCell {
    outcome: OnceLock<Outcome>,
    /// The outcome of each record, when they differ; some may come later than others.
    each: OnceLock<Box<[Slot]>>,
    wakers: Mutex<Vec<Waker>>,
}

impl BatchCell {
    fn finish(&self, outcome: Outcome) {
        if self.outcome.set(outcome).is_ok() {
            self.wake();
        }
    }

    fn finish_each(&self, results: impl Iterator<Item = (usize, Result<Ack, Error>)>) {
        let slots = self.each.get().expect("it was begun");
        for (index, result) in results {
            let _ = slots[index].set(result); // the first outcome counts
        }
        self.wake();
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut *self.wakers.lock().expect("no panic under this lock"));
        wakers.into_iter().for_each(Waker::wake);
    }

    pub fn is_done(&self) -> bool {
        let all = |slots: &[Slot]| slots.iter().all(|slot| slot.get().is_some());
        self.outcome.get().is_some() || self.each.get().is_some_and(|slots| all(slots))
    }

    fn result(&self, index: usize) -> Option<Result<Ack, Error>> {
        match self.outcome.get() {
            Some(Outcome::Acked(first)) => {
                let mut ack = first.clone();
                ack.offset = first.offset.map(|offset| offset + index as u64);
                Some(Ok(ack))
            }
            Some(Outcome::Failed(error)) => Some(Err(error.clone())),
            None => self.each.get()?[index].get().cloned(),
        }
    }

    fn poll<T>(&self, cx: &mut Context<'_>, look: impl Fn(&Self) -> Option<T>) -> Poll<T> {
        if let Some(found) = look(self) {
            return Poll::Ready(found);
        }
        let mut wakers = self.wakers.lock().expect("no panic under this lock");
        if let Some(found) = look(self) {
            return Poll::Ready(found);
        }
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Ready when every record has its outcome.
    pub fn poll_done(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx, |cell| cell.is_done().then_some(()))
    }
}

/// The outcome of a publish. Cancel-safe, and cheap to clone: dropping it gives up the knowledge, not the record, which goes on to be
/// sent, and a clone has the same outcome.
#[derive(Clone, Debug)]
#[must_use = "the outcome of a publish is in its future"]
pub struct AckFuture {
    pub(crate) cell: Arc<BatchCell>,
    pub(crate) index: usize,
}

impl Future for AckFuture {
    type Output = Result<Ack, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.cell.poll(cx, |cell| cell.result(self.index))
    }
}

/// Records until they have their outcome.
#[derive(Debug)]
pub(crate) struct OutBatch {
    pub writer: BatchWriter,
    pub cell: Arc<BatchCell>,
    /// Where its records are in the batch they began in, when it is a part of one.
    places: Option<Vec<usize>>,
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
    /// Why a part of another batch waits to be sent again.
    pub refused: Option<Error>,
}

impl OutBatch {
    pub fn new(serial: u64, now: Instant, now_ms: u64, timeout: Duration, room: usize) -> Self {
        Self {
            writer: BatchWriter::new(room),
            cell: Arc::default(),
            places: None,
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
            refused: None,
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

    fn place(&self, index: usize) -> usize {
        self.places.as_ref().map_or(index, |places| places[index])
    }

    /// A batch of its own for some of its records, with their outcome to come and the same deadline. It takes their share of the buffer.
    pub fn split(&mut self, indexes: &[usize]) -> Self {
        let bytes: usize = indexes.iter().map(|index| self.writer.size(*index)).sum();
        let reserved = bytes.min(self.reserved);
        self.reserved -= reserved;
        Self {
            writer: self.writer.part(indexes),
            cell: self.cell.clone(),
            places: Some(indexes.iter().map(|index| self.place(*index)).collect()),
            reserved,
            ..Self::new(self.serial, self.created, self.created_ms, self.timeout, 0)
        }
    }

    /// Gives the records their outcome, all but those whose indexes are in `later`.
    pub fn acked(&self, partition: u32, ack: pb::PublishAck, later: &[usize]) {
        let first = Ack {
            partition,
            offset: known(ack.base_offset),
            durability: Durability::of(ack.reached),
            duplicate: ack.duplicate,
            degraded: ack.degraded,
            append_time_ms: ack.append_unix_ms,
            zone_lag: zone_lag(&ack.zone_lag),
        };
        if ack.key_results.is_empty() && ack.errors.is_empty() && self.places.is_none() {
            self.cell.finish(Outcome::Acked(first));
            return;
        }
        let results = self.results(&first, ack).into_iter().enumerate();
        let known = results.filter(|(index, _)| later.binary_search(index).is_err());
        self.finish_each(known.map(|(index, result)| (self.place(index), result)));
    }

    fn finish_each(&self, results: impl Iterator<Item = (usize, Result<Ack, Error>)>) {
        let slots = || (0..self.count()).map(|_| Slot::new()).collect();
        self.cell.each.get_or_init(slots); // a part is split off after that
        self.cell.finish_each(results);
    }

    fn results(&self, first: &Ack, ack: pb::PublishAck) -> Vec<Result<Ack, Error>> {
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
        each.collect()
    }

    pub fn fail(&self, error: Error) {
        match &self.places {
            None => self.cell.finish(Outcome::Failed(error)),
            Some(places) => {
                self.finish_each(places.iter().map(|place| (*place, Err(error.clone()))));
            }
        }
    }
}

/// 2^64-1 says that the offset is forgotten.
fn known(offset: u64) -> Option<u64> {
    i64::try_from(offset).is_ok().then_some(offset)
}

fn zone_lag(zones: &[pb::ZoneLag]) -> Option<Arc<[ZoneLag]>> {
    let of = |each: &pb::ZoneLag| ZoneLag {
        zone: each.zone.clone(),
        lag: Duration::from_millis(each.lag_ms),
    };
    (!zones.is_empty()).then(|| zones.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(records: usize) -> (OutBatch, Vec<AckFuture>) {
        let mut batch = OutBatch::new(1, Instant::now(), 1_000, Duration::from_secs(9), 100);
        let record = OutRecord {
            key: None,
            value: b"v",
            headers: &[],
            own_headers: [None; 2],
            dedup_id: Some(b"id"),
            trace: None,
            deliver_at_ms: None,
            expires_at_ms: None,
        };
        let size = record.size();
        let futures = (0..records)
            .map(|_| batch.add(1_000, &record, 0, size))
            .collect();
        (batch, futures)
    }

    fn refused(index: u32, count: u32, code: u32) -> pb::ItemError {
        let error = Some(crate::error::wire_error(code, "what", "why", "next"));
        pb::ItemError {
            index,
            count,
            error,
        }
    }

    fn outcome(future: &AckFuture) -> Option<Result<Option<u64>, u32>> {
        let result = future.cell.result(future.index);
        result.map(|result| result.map(|ack| ack.offset).map_err(|e| e.code()))
    }

    #[test]
    fn a_part_has_its_outcome_later_than_the_rest() {
        use crate::codes::{IDEMPOTENCY_CONFLICT, IDEMPOTENCY_IN_PROGRESS};
        let (mut whole, futures) = batch(5);
        let all = whole.reserved;
        let ack = pb::PublishAck {
            base_offset: 70,
            errors: vec![
                refused(1, 2, IDEMPOTENCY_IN_PROGRESS),
                refused(4, 1, IDEMPOTENCY_CONFLICT),
            ],
            ..pb::PublishAck::default()
        };
        let mut part = whole.split(&[1, 2]);
        whole.acked(0, ack, &[1, 2]);
        assert_eq!(part.reserved, all / 5 * 2);
        assert_eq!(whole.reserved + part.reserved, all);
        assert_eq!(outcome(&futures[0]), Some(Ok(Some(70))));
        assert_eq!(outcome(&futures[1]), None);
        assert_eq!(outcome(&futures[3]), Some(Ok(Some(71))));
        assert_eq!(outcome(&futures[4]), Some(Err(IDEMPOTENCY_CONFLICT)));
        assert!(!whole.cell.is_done());

        let last = part.split(&[1]);
        let ack = pb::PublishAck {
            base_offset: 80,
            errors: vec![refused(1, 1, IDEMPOTENCY_IN_PROGRESS)],
            ..pb::PublishAck::default()
        };
        part.acked(0, ack, &[1]);
        assert_eq!(outcome(&futures[1]), Some(Ok(Some(80))));
        assert_eq!(outcome(&futures[2]), None);
        last.fail(Error::closed("it"));
        assert_eq!(outcome(&futures[2]), Some(Err(crate::codes::CLIENT_CLOSED)));
        assert!(whole.cell.is_done());
    }
}
