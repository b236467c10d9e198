//! Where a subscription begins.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::pb;
use crate::sublink::START_OFFSET;

const START_GROUP: u32 = 0;
const START_EARLIEST: u32 = 1;
pub(super) const START_LATEST: u32 = 2;
const START_TIME: u32 = 4;

/// Where to begin reading, or where to set a group.
#[derive(Clone, Copy, Debug)]
pub struct Start(pub(crate) pb::Start);

impl Start {
    fn of(kind: u32) -> Self {
        Self(pb::Start {
            kind,
            ..pb::Start::default()
        })
    }

    /// The oldest record there is.
    #[must_use]
    pub fn earliest() -> Self {
        Self::of(START_EARLIEST)
    }

    /// After the newest record there is.
    #[must_use]
    pub fn latest() -> Self {
        Self::of(START_LATEST)
    }

    /// Where the group is; a new group begins at the earliest record.
    #[must_use]
    pub fn group() -> Self {
        Self::of(START_GROUP)
    }

    /// That record of that partition. As the start of a reader, it reads no other partition.
    #[must_use]
    pub fn offset(partition: u32, offset: u64) -> Self {
        Self(pb::Start {
            partition,
            offset,
            ..Self::of(START_OFFSET).0
        })
    }

    /// In every partition the first record appended at that time or later.
    #[must_use]
    pub fn time(time: SystemTime) -> Self {
        Self::time_ms(
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
        )
    }

    /// [`time`](Start::time) in ms since 1970.
    #[must_use]
    pub fn time_ms(ms: u64) -> Self {
        Self(pb::Start {
            unix_ms: ms,
            ..Self::of(START_TIME).0
        })
    }

    pub(crate) fn is_group(&self) -> bool {
        self.0.kind == START_GROUP
    }
}
