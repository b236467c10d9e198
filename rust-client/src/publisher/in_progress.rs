//! Records that an ack refused because another sending of their idempotency key is not durable yet: they wait in a batch of their
//! own for as long as the broker says, and go out under a new sequence, until their time is over.

use std::time::{Duration, Instant};

use super::{Publisher, MIN_ATTEMPT};
use crate::batch::OutBatch;
use crate::codes;
use crate::error::item_errors;
use crate::pb;

const DEFAULT_WAIT: Duration = Duration::from_millis(100);

impl Publisher {
    /// Takes such records out of their batch, if there is time for another attempt: their indexes.
    pub(super) fn keep_in_progress(
        &mut self,
        batch: &mut OutBatch,
        errors: &[pb::ItemError],
    ) -> Vec<usize> {
        let (mut indexes, mut wait, mut refused) = (Vec::new(), Duration::ZERO, None);
        if !errors.is_empty() && !batch.abandoned {
            item_errors(errors.to_vec(), |range, error| {
                if error.code() == codes::IDEMPOTENCY_IN_PROGRESS {
                    indexes.extend(range.start..range.end.min(batch.count()));
                    wait = wait.max(error.retry_after());
                    refused = Some(error);
                }
            });
        }
        let at = Instant::now() + if wait.is_zero() { DEFAULT_WAIT } else { wait };
        if at + MIN_ATTEMPT > batch.deadline() {
            indexes.clear();
        }
        indexes.sort_unstable();
        indexes.dedup();
        if !indexes.is_empty() {
            let mut later = batch.split(&indexes);
            later.refused = refused;
            self.later.push((at, later));
        }
        indexes
    }

    /// Queues those whose time has come, behind what was sent before.
    pub(super) fn take_due(&mut self, now: Instant) {
        let mut i = 0;
        while i < self.later.len() {
            if self.later[i].0 <= now {
                self.again.push_back(self.later.remove(i).1);
            } else {
                i += 1;
            }
        }
    }

    pub(super) fn take_later(&mut self) {
        let later = self.later.drain(..).map(|(_, batch)| batch);
        self.again.extend(later);
    }
}
