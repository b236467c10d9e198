use std::io;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::entry::Entry;
use super::journal::Reader;
use super::{held, is_spillable, unix_ms, Shared};
use crate::codes;
use crate::{Error, PressureState, Producer};

const RECORDS: usize = 64;
const BYTES: usize = 256 << 10;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After a record that the broker refuses and nobody takes.
const STUCK_FOR: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(3_600);

/// Publishes what is waiting, batch by batch, while the broker is at ease; until it is stopped.
pub(super) async fn drain(shared: Arc<Shared>, reader: Reader, mut stop: watch::Receiver<bool>) {
    let mut drain = Drain {
        shared,
        reader: Some(reader),
        calm_since: None,
    };
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return, // its sender is gone
            () = drain.turn() => {}
        }
    }
}

struct Drain {
    shared: Arc<Shared>,
    /// None while another thread has it.
    reader: Option<Reader>,
    calm_since: Option<Instant>,
}

impl Drain {
    async fn turn(&mut self) {
        if self.shared.journal.waiting().0 == 0 {
            self.say(None);
            self.rest(LONG).await;
            return;
        }
        let producer = match self.calm_producer() {
            Ok(producer) => producer,
            Err(why) => {
                self.say(Some(why));
                self.calm_since = None;
                self.rest(LOOK_EVERY).await;
                return;
            }
        };
        let since = *self.calm_since.get_or_insert_with(Instant::now);
        let left = self.shared.calm.saturating_sub(since.elapsed());
        if !left.is_zero() {
            self.rest(left.min(LOOK_EVERY)).await;
            return;
        }
        let started = Instant::now();
        let live = self.shared.live.load(Ordering::Relaxed);
        if let Err(why) = self.batch(&producer).await {
            self.say(Some(why));
            self.calm_since = None;
            self.rest(STUCK_FOR).await;
        } else if self.shared.live.load(Ordering::Relaxed) != live {
            sleep(3 * started.elapsed()).await; // a quarter of the time
        }
    }

    fn say(&self, obstacle: Option<String>) {
        *held(&self.shared.obstacle) = obstacle;
    }

    /// Until there may be something new.
    async fn rest(&self, wait: Duration) {
        let _ = timeout(wait, self.shared.wake.notified()).await; // either is fine
    }

    /// Or why nothing should be drained now.
    fn calm_producer(&self) -> Result<Arc<Producer>, String> {
        let producer = self.shared.producer();
        let producer = producer.ok_or("no producer is attached yet")?;
        let pressure = producer.pressure();
        if pressure.state > PressureState::Elevated {
            return Err(format!("the broker is {pressure}"));
        }
        if !producer.may_publish() {
            return Err("the broker takes nothing at present".into());
        }
        Ok(producer)
    }

    /// Does something with the files on a thread that may block.
    async fn with_files<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Reader) -> io::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let mut reader = self.reader.take().ok_or("the files are in use")?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work(&mut reader);
            (reader, done)
        });
        let (reader, done) = task.await.map_err(|e| e.to_string())?;
        self.reader = Some(reader);
        done.map_err(|e| e.to_string())
    }

    /// Publishes what is waiting first, and settles what the broker has.
    async fn batch(&mut self, producer: &Producer) -> Result<(), String> {
        let read = self.with_files(|reader| {
            let entries = reader.read(RECORDS, BYTES)?;
            let known = reader.marked;
            if let Some(last) = entries.last() {
                reader.attempt(last.number + 1, unix_ms())?;
            }
            Ok((entries, known))
        });
        let (entries, known) = read.await?;
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in &entries {
            if entry.topic != self.shared.topic {
                let (number, topic) = (entry.number, &entry.topic);
                return Err(format!(
                    "entry {number} is of topic {topic}; the directory is another spool's"
                ));
            }
            let mut record = entry.record.clone();
            record.first_attempt = known.first_attempt_ms(entry).map(|ms| ms.to_string());
            outcomes.push(producer.publish(record).await);
        }
        let mut settled = known.settled;
        let mut failed = None;
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            let outcome = match outcome {
                Ok(future) => future.await,
                Err(refused) => Err(refused.error),
            };
            if failed.is_some() {
                continue; // it is published again; its key tells what is stored
            }
            let end = entry.number + 1;
            match outcome {
                Ok(ack) => {
                    self.shared.drained.fetch_add(1, Ordering::Relaxed);
                    let again = u64::from(ack.duplicate);
                    self.shared.duplicates.fetch_add(again, Ordering::Relaxed);
                    settled = end;
                }
                Err(e) => match self.refuse(entry, e) {
                    Ok(()) => settled = end,
                    Err(why) => failed = Some(why),
                },
            }
        }
        if settled > known.settled {
            self.with_files(move |reader| reader.settle(settled))
                .await?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Gives away what the broker will never take; else says why it must wait.
    fn refuse(&self, entry: Entry, e: Error) -> Result<(), String> {
        // It is the record that the broker does not want, and not its topic or its producer.
        let is_final = !is_spillable(&e)
            && [
                codes::INVALID_ARGUMENT,
                codes::TOO_LARGE,
                codes::IDEMPOTENCY_CONFLICT,
                codes::DEDUP_WINDOW_EXCEEDED,
            ]
            .contains(&e.code());
        match &self.shared.on_refused {
            Some(take) if is_final => {
                take(entry.record, e);
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(format!("entry {}: {e}", entry.number)),
        }
    }
}
