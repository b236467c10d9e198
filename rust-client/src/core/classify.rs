use super::Backoff;
use crate::codes;

/// What may be done with a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryClass {
    /// The same request fails again.
    Never,
    /// Nothing was applied; the same request may succeed later.
    Safe,
    /// The request may have been applied.
    UnknownOutcome,
    /// The request went to the wrong place or came too early; look again.
    Refresh,
}

impl RetryClass {
    pub(crate) fn of(wire: i32) -> Self {
        match wire {
            1 => Self::Safe,
            2 => Self::UnknownOutcome,
            3 => Self::Refresh,
            _ => Self::Never,
        }
    }

    /// The name in the protocol, for instance UNKNOWN_OUTCOME.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "NEVER",
            Self::Safe => "SAFE",
            Self::UnknownOutcome => "UNKNOWN_OUTCOME",
            Self::Refresh => "REFRESH",
        }
    }
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Fail,
    Retry,
    RefreshThenRetry,
    FailOutcomeUnknown,
}

/// The class in the error itself, else the registry's, else never.
pub(crate) fn class(payload: RetryClass, code: u32) -> RetryClass {
    if payload == RetryClass::Never {
        codes::lookup(code).map_or(RetryClass::Never, |info| info.retry)
    } else {
        payload
    }
}

/// `publish` tells a publish from reads, acks and credit.
pub(crate) fn classify(
    payload: RetryClass,
    code: u32,
    publish: bool,
    idempotent: bool,
) -> Decision {
    match class(payload, code) {
        RetryClass::Refresh => Decision::RefreshThenRetry,
        RetryClass::UnknownOutcome if publish && !idempotent => Decision::FailOutcomeUnknown,
        RetryClass::Safe | RetryClass::UnknownOutcome => Decision::Retry,
        RetryClass::Never => Decision::Fail,
    }
}

/// Which backoff an error asks for; transient for codes of a newer broker.
pub(crate) fn backoff_of(code: u32) -> Backoff {
    codes::lookup(code).map_or(Backoff::Transient, |info| info.backoff)
}
