use super::known::KnownEndpoints;
use super::{scaled, Candidate};

const HOME_AFTER_MS: u64 = 60_000;
const HOME_SPREAD_MS: u64 = 30_000;
const NEAREST_AFTER_MS: u64 = 5_000;
const NEAREST_SPREAD_MS: u64 = 5_000;

/// Which endpoints are preferred.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preference {
    /// Where the client runs; empty means no preference.
    pub zone: String,
    /// It only reads, which nodes of a cluster that follow serve, too: the nearest is preferred, not the leader.
    pub nearest: bool,
}

impl Preference {
    pub(super) fn is_home(&self, candidate: &Candidate) -> bool {
        candidate.zone == self.zone
    }

    /// When who is connected there looks whether somebody at home is back; clients do not return all at once. Never from home, and
    /// not from a leader, which is where it is. A reader of the nearest goes at once to one at home that it has just heard of.
    pub(super) fn look_at_ms(
        &self,
        active: &Candidate,
        known: &KnownEndpoints,
        now: u64,
        r: u32,
    ) -> Option<u64> {
        let stays = active.clustered && !self.nearest;
        if stays || self.zone.is_empty() || self.is_home(active) {
            return None;
        }
        if known.is_all(|each| !self.is_home(each)) {
            return None;
        }
        let after = if !self.nearest {
            HOME_AFTER_MS + scaled(HOME_SPREAD_MS, r)
        } else if known.is_all(|each| !self.is_home(each) || each.dialed) {
            NEAREST_AFTER_MS + scaled(NEAREST_SPREAD_MS, r)
        } else {
            0
        };
        Some(now + after)
    }
}
