use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::delivered::{Delivered, Inbox, Place};
use crate::{Error, Message};

const BYTES_PER_CREDIT_BATCH: u64 = 4 << 10;
const MIN_CREDIT_BATCHES: u64 = 64;

/// A credit of bytes has one batch for each 4 KiB.
pub(crate) fn credit_batches(bytes: u64) -> u64 {
    MIN_CREDIT_BATCHES.max(bytes / BYTES_PER_CREDIT_BATCH)
}

/// Batches on their way from the connection to consuming tasks, which take records. Records whose lease is nearly over are given
/// back instead.
pub(crate) struct Delivery {
    inbox: Arc<Inbox>,
    credit_bytes: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    places: VecDeque<Place>,
    bytes: usize,
    freed: (u64, u64),
    /// Why nothing more comes; no error after a close.
    ended: Option<Error>,
    wakers: Vec<Waker>,
}

impl Delivery {
    pub fn new(inbox: Arc<Inbox>, credit_bytes: u64) -> Self {
        Self {
            inbox,
            credit_bytes,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic under this lock")
    }

    pub fn add(&self, batch: Arc<Delivered>) {
        let mut inner = self.lock();
        inner.bytes += batch.batch.len();
        inner.places.push_back(Place::new(batch));
        inner.wakers.drain(..).for_each(Waker::wake);
    }

    pub fn queued(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.places.len() as u64, inner.bytes as u64)
    }

    /// The next message, or why there is none any more.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let mut inner = self.lock();
        if let Some(message) = self.take(&mut inner) {
            return Poll::Ready(Ok(message));
        }
        if let Some(why) = &inner.ended {
            return Poll::Ready(Err(why.clone()));
        }
        if !inner.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            inner.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// What is there at once, up to `max`.
    pub fn take_more(&self, messages: &mut Vec<Message>, max: usize) {
        let mut inner = self.lock();
        while messages.len() < max {
            let Some(message) = self.take(&mut inner) else {
                return;
            };
            messages.push(message);
        }
    }

    fn take(&self, inner: &mut Inner) -> Option<Message> {
        loop {
            let place = inner.places.front_mut()?;
            if place.from.is_stale() {
                place.from.release(place.index);
            } else if let Some(message) = place.next() {
                if place.is_over() {
                    self.drop_first(inner);
                }
                return Some(message);
            }
            self.drop_first(inner);
        }
    }

    /// Done with the first batch.
    fn drop_first(&self, inner: &mut Inner) {
        let Some(place) = inner.places.pop_front() else {
            return;
        };
        let size = place.from.batch.len();
        inner.bytes -= size;
        inner.freed = (inner.freed.0 + 1, inner.freed.1 + size as u64);
        let much = inner.freed.0 >= credit_batches(self.credit_bytes) / 4
            || inner.freed.1 >= self.credit_bytes / 4;
        if much || inner.places.is_empty() {
            inner.freed = (0, 0);
            self.inbox.ask_flush();
        }
    }

    /// Gives back what nobody has begun.
    pub fn discard(&self) {
        let mut inner = self.lock();
        inner.bytes = 0;
        for place in inner.places.drain(..) {
            place.from.release(place.index);
        }
    }

    /// Nothing more comes.
    pub fn end(&self, why: Error) {
        self.discard();
        let mut inner = self.lock();
        inner.ended.get_or_insert(why);
        inner.wakers.drain(..).for_each(Waker::wake);
    }
}
