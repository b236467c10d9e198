use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::core::lease::{NACK, RELEASE, TERM};

/// Four for each doubling of microseconds, from 1 us to more than an hour.
const BUCKETS: usize = 128;

fn bucket(us: u64) -> usize {
    if us < 4 {
        return us as usize;
    }
    let exponent = us.ilog2() as usize;
    (exponent * 4 + (us >> (exponent - 2) & 3) as usize - 4).min(BUCKETS - 1)
}

/// The upper end of a bucket.
fn latency(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let exponent = (bucket + 4) / 4;
    ((4 + (bucket as u64 + 4) % 4 + 1) << (exponent - 2)) - 1
}

/// Counts what handlers do. Without a lock.
pub(crate) struct Workload {
    pub busy: AtomicU32,
    pub handlers: AtomicU32,
    settled: AtomicU64,
    failed: AtomicU64,
    latency: [AtomicU64; BUCKETS],
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            busy: AtomicU32::new(0),
            handlers: AtomicU32::new(0),
            settled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            latency: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

/// What was done since the last time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub settled: u64,
    pub failed: u64,
    pub p50_us: u32,
    pub p99_us: u32,
}

impl Workload {
    pub fn on_handled(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latency[bucket(us)].fetch_add(1, Ordering::Relaxed);
    }

    pub fn on_settled(&self, outcome: u32) {
        if outcome != RELEASE {
            self.settled.fetch_add(1, Ordering::Relaxed);
        }
        if outcome == NACK || outcome == TERM {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn take(&self) -> Done {
        let counts = self
            .latency
            .each_ref()
            .map(|count| count.swap(0, Ordering::Relaxed));
        Done {
            settled: self.settled.swap(0, Ordering::Relaxed),
            failed: self.failed.swap(0, Ordering::Relaxed),
            p50_us: percentile(&counts, 500),
            p99_us: percentile(&counts, 990),
        }
    }
}

fn percentile(counts: &[u64], pm: u64) -> u32 {
    let total: u64 = counts.iter().sum();
    let mut left = (total * pm).div_ceil(1_000);
    for (bucket, count) in counts.iter().enumerate() {
        if left <= *count && total > 0 {
            return u32::try_from(latency(bucket)).unwrap_or(u32::MAX);
        }
        left = left.saturating_sub(*count);
    }
    0
}

/// A handler at work, until it is dropped.
pub(crate) struct Busy<'a>(&'a AtomicU32, u32);

impl<'a> Busy<'a> {
    pub fn begin(counter: &'a AtomicU32, many: u32) -> Self {
        counter.fetch_add(many, Ordering::Relaxed);
        Self(counter, many)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_no_more_than_a_quarter_off() {
        let work = Workload::default();
        assert_eq!(work.take(), Done::default());
        for us in 1..=1_000 {
            work.on_handled(Duration::from_micros(us));
        }
        let done = work.take();
        assert!((500..625).contains(&done.p50_us), "{done:?}");
        assert!((990..1_240).contains(&done.p99_us), "{done:?}");
        assert_eq!(work.take().p99_us, 0);
    }

    #[test]
    fn each_latency_is_in_a_bucket_that_reaches_up_to_it() {
        for us in [0, 1, 3, 4, 7, 8, 9, 1_023, 1_024, 1 << 31] {
            let end = latency(bucket(us));
            assert!(us <= end && end <= us + us / 4, "{us}: {end}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
