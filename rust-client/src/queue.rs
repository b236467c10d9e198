use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::batch::{AckFuture, OutBatch};
use crate::wire::{OutRecord, MAX_BATCH_RECORDS};
use crate::Error;

/// Records whose deadlines are further apart than this do not share a batch, since a batch has one deadline.
const MAX_DEADLINE_SPREAD: Duration = Duration::from_secs(1);

/// Where publishing tasks fill the batches of a partition.
#[derive(Debug)]
pub(crate) struct Queue {
    max_bytes: usize,
    /// Counts sealed batches of the producer: what has no key moves on to another partition.
    sticky: Arc<AtomicUsize>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: Option<OutBatch>,
    sealed: VecDeque<OutBatch>,
    serial: u64,
    woken: bool,
    closed: Option<Error>,
}

impl Queue {
    pub fn new(max_bytes: usize, sticky: Arc<AtomicUsize>) -> Self {
        Self {
            max_bytes,
            sticky,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic under this lock")
    }

    /// Adds a record to the open batch. True: the sender must look.
    pub fn offer(
        &self,
        record: &OutRecord<'_>,
        timestamp_ms: Option<i64>,
        hash: u32,
        permits: usize,
        timeout: Duration,
    ) -> Result<(AckFuture, bool), Error> {
        let now = Instant::now();
        let now_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        let time_ms = timestamp_ms.map_or(now_ms, |ms| ms as u64);
        let mut inner = self.lock();
        if let Some(why) = &inner.closed {
            return Err(why.clone());
        }
        let size = record.size();
        let fits = inner
            .open
            .as_ref()
            .is_some_and(|batch| self.fits(batch, size, time_ms, now, timeout));
        if !fits {
            self.seal(&mut inner);
            inner.serial += 1;
            let room = self.max_bytes.min(size.max(4 << 10));
            inner.open = Some(OutBatch::new(inner.serial, now, time_ms, timeout, room));
        }
        let batch = inner.open.as_mut().expect("just opened");
        let future = batch.add(time_ms, record, hash, permits);
        let wake = !fits && !inner.woken;
        inner.woken |= wake;
        Ok((future, wake))
    }

    fn fits(
        &self,
        batch: &OutBatch,
        size: usize,
        time_ms: u64,
        now: Instant,
        timeout: Duration,
    ) -> bool {
        let (ours, its) = (now + timeout, batch.deadline());
        let apart = if ours > its { ours - its } else { its - ours };
        batch.count() < MAX_BATCH_RECORDS
            && batch.writer.len() + size <= self.max_bytes
            && time_ms.saturating_sub(batch.created_ms) < 1 << 31
            && apart <= MAX_DEADLINE_SPREAD.min(timeout / 8)
    }

    fn seal(&self, inner: &mut Inner) {
        if let Some(batch) = inner.open.take() {
            inner.sealed.push_back(batch);
            self.sticky.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// From now on a record that needs the sender says so again.
    pub fn looked(&self) {
        self.lock().woken = false;
    }

    /// The next batch to send; the open one only when `open_too`.
    pub fn take(&self, open_too: bool) -> Option<OutBatch> {
        let mut inner = self.lock();
        if inner.sealed.is_empty() && open_too {
            self.seal(&mut inner);
        }
        inner.sealed.pop_front()
    }

    /// When the first record of the open batch came.
    pub fn open_since(&self) -> Option<Instant> {
        self.lock().open.as_ref().map(|batch| batch.created)
    }

    /// Seals the open batch and shows all that waits; it stays here.
    pub fn seal_all(&self, mut each: impl FnMut(&OutBatch)) {
        let mut inner = self.lock();
        self.seal(&mut inner);
        inner.sealed.iter().for_each(&mut each);
    }

    /// Takes the batches whose deadline is over.
    pub fn take_expired(&self, now: Instant) -> Vec<OutBatch> {
        let mut inner = self.lock();
        if inner
            .open
            .as_ref()
            .is_some_and(|batch| batch.deadline() < now)
        {
            self.seal(&mut inner);
        }
        if !inner.sealed.iter().any(|batch| batch.deadline() < now) {
            return Vec::new();
        }
        let (expired, kept) = inner
            .sealed
            .drain(..)
            .partition(|batch| batch.deadline() < now);
        inner.sealed = kept;
        let expired: VecDeque<OutBatch> = expired;
        expired.into()
    }

    pub fn is_empty(&self) -> bool {
        let inner = self.lock();
        inner.open.is_none() && inner.sealed.is_empty()
    }

    pub fn take_all(&self) -> Vec<OutBatch> {
        let mut inner = self.lock();
        self.seal(&mut inner);
        inner.sealed.drain(..).collect()
    }

    /// Takes no more records; what waits stays.
    pub fn close(&self, why: Error) {
        self.lock().closed.get_or_insert(why);
    }
}
