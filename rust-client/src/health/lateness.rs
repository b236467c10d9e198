use std::collections::VecDeque;
use std::time::Duration;

/// Ticks of 5 s. Fewer would make the worst one the 99th percentile: on a busy machine one late tick in each of two seconds
/// says nothing of the client.
const LAST: usize = 250;

/// How late the last ticks were.
#[derive(Debug, Default)]
pub(crate) struct Lateness(VecDeque<u32>);

impl Lateness {
    pub fn add(&mut self, late: Duration) {
        if self.0.len() == LAST {
            self.0.pop_front();
        }
        self.0
            .push_back(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn p99_us(&self) -> u32 {
        let mut sorted: Vec<u32> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let last = (sorted.len() * 99).div_ceil(100);
        last.checked_sub(1).map_or(0, |i| sorted[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_tick_in_two_seconds_is_none_and_two_a_second_are() {
        let mut ticks = Lateness::default();
        assert_eq!(ticks.p99_us(), 0);
        let run = |ticks: &mut Lateness, every: usize| {
            for i in 1..=LAST {
                let late = if i % every == 0 { 20 } else { 1 };
                ticks.add(Duration::from_millis(late));
            }
        };
        run(&mut ticks, 100);
        assert_eq!(ticks.p99_us(), 1_000);
        run(&mut ticks, 25);
        assert_eq!(ticks.p99_us(), 20_000);
        run(&mut ticks, 1_000);
        assert_eq!(ticks.p99_us(), 1_000, "what is older is forgotten");
    }
}
