const INTERVAL_MS: u64 = 100; // 10 connects a second
const BURST: u64 = 20;

/// Spreads the attempts to connect again of a whole process, so that its clients do not storm a broker that has just come back: a
/// token bucket, kept as the time at which it would be full (GCRA).
#[derive(Debug)]
pub(crate) struct ConnectLimit {
    full_at_ms: u64,
}

impl ConnectLimit {
    pub const fn new() -> Self {
        Self { full_at_ms: 0 }
    }

    /// Takes a token; how long the attempt that it stands for has to wait, in ms.
    pub fn take(&mut self, now_ms: u64) -> u64 {
        let wait = self
            .full_at_ms
            .saturating_sub(now_ms + (BURST - 1) * INTERVAL_MS);
        self.full_at_ms = self.full_at_ms.max(now_ms) + INTERVAL_MS;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectLimit, BURST};

    const NOW: u64 = 1_000_000;

    fn take_a_burst(limit: &mut ConnectLimit, now_ms: u64) {
        for i in 0..BURST {
            assert_eq!(limit.take(now_ms), 0, "connect {i} of the burst");
        }
    }

    #[test]
    fn connects_come_in_a_burst_of_twenty_then_ten_a_second() {
        let mut limit = ConnectLimit::new();
        take_a_burst(&mut limit, NOW);
        for i in 1..=5 {
            assert_eq!(limit.take(NOW), i * 100);
        }
        assert_eq!(limit.take(NOW + 600), 0, "once those have gone");
        assert_eq!(limit.take(NOW + 600), 100);
    }

    #[test]
    fn a_bucket_that_is_full_does_not_get_fuller() {
        let mut limit = ConnectLimit::new();
        take_a_burst(&mut limit, NOW);
        take_a_burst(&mut limit, NOW + 60_000);
        assert_eq!(limit.take(NOW + 60_000), 100);
    }
}
