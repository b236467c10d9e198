//! What a subscription says of its group.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::options::{between, number_between};
use crate::{Error, GroupMode};

const BACKOFF: &str = "retry.backoff.ms";
const JITTER: &str = "retry.jitter.percent";
const MAX_IN_FLIGHT: &str = "max.inflight";
const LONGEST_BACKOFF: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const MAX_FILTER_CHARS: u64 = 1_024;

/// How long a failed message waits.
#[derive(Clone, Debug)]
pub(crate) enum Backoff {
    Waits(Vec<Duration>),
    Between(Duration, Duration),
}

/// Mode, filter and settings of a group, as a subscription wants them.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupTerms {
    pub mode: GroupMode,
    pub filter: Option<String>,
    pub backoff: Option<Backoff>,
    pub jitter_percent: Option<u32>,
    pub max_in_flight: Option<u32>,
    /// By name.
    pub settings: BTreeMap<String, String>,
}

impl GroupTerms {
    /// Whether it says anything.
    pub fn are_any(&self) -> bool {
        self.mode != GroupMode::Shared || self.filter.is_some() || !self.by_name().is_empty()
    }

    /// Whether the group's backoff is named.
    pub fn have_backoff(&self) -> bool {
        self.backoff.is_some() || self.settings.contains_key(BACKOFF)
    }

    pub fn check(&self) -> Result<(), Error> {
        if let Some(filter) = &self.filter {
            let chars = filter.chars().count() as u64;
            number_between("the length of the filter", chars, 1, MAX_FILTER_CHARS)?;
        }
        match &self.backoff {
            None => {}
            Some(Backoff::Waits(waits)) => {
                number_between("the number of waits", waits.len() as u64, 1, 32)?;
                for wait in waits {
                    between("a retry backoff", *wait, Duration::ZERO, LONGEST_BACKOFF)?;
                }
            }
            Some(Backoff::Between(min, max)) => {
                let least = Duration::from_millis(1);
                between("the least retry backoff", *min, least, LONGEST_BACKOFF)?;
                between("the longest retry backoff", *max, *min, LONGEST_BACKOFF)?;
            }
        }
        let jitter = self.jitter_percent.unwrap_or(0);
        number_between("the retry jitter", jitter.into(), 0, 100)?;
        let in_flight = self.max_in_flight.unwrap_or(0);
        number_between("max in flight", in_flight.into(), 0, 100_000_000)?;
        if self.settings.contains_key("") {
            return Err(Error::invalid(
                "the name of a group's setting is empty",
                "the settings of groups have names, for instance max.deliveries",
            ));
        }
        Ok(())
    }

    /// All settings by their names.
    pub fn by_name(&self) -> BTreeMap<String, String> {
        let mut all = self.settings.clone();
        let mut put = |name: &str, value: Option<String>| {
            all.extend(value.map(|value| (name.to_owned(), value)));
        };
        put(
            BACKOFF,
            self.backoff.as_ref().map(|backoff| match backoff {
                Backoff::Waits(waits) => {
                    let waits: Vec<String> = waits.iter().copied().map(millis).collect();
                    waits.join(",")
                }
                Backoff::Between(min, max) => format!("{}..{}", millis(*min), millis(*max)),
            }),
        );
        put(JITTER, self.jitter_percent.map(|n| n.to_string()));
        put(MAX_IN_FLIGHT, self.max_in_flight.map(|n| n.to_string()));
        all
    }
}

/// What is not zero must not become it.
fn millis(time: Duration) -> String {
    time.as_nanos().div_ceil(1_000_000).to_string()
}
