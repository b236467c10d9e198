use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::codes;
use crate::core::{class, RetryClass};
use crate::pb;

/// An error a caller can act on: [`what`](Error::what) happened, [`why`](Error::why), and the
/// [`next_step`](Error::next_step). Codes 100 to 899 come from a broker, 900 to 999 from this client; compare
/// [`code`](Error::code) with the constants of [`codes`](crate::codes). Cheap to clone.
///
/// ```
/// use spillway::{codes, Client};
///
/// # #[tokio::main]
/// # async fn main() {
/// let error = Client::builder().endpoints(["no port"]).connect().await.unwrap_err();
///
/// assert_eq!(error.code(), codes::INVALID_ARGUMENT);
/// assert_eq!(error.what(), "the endpoint \"no port\" is wrong");
/// assert!(!error.outcome_unknown()); // true: what was asked for may have happened all the same
/// println!("{error}"); // INVALID_ARGUMENT (104): the endpoint ...; cause: ...; next: ...
/// # }
/// ```
#[derive(Clone, thiserror::Error)]
pub struct Error(Arc<Inner>);

struct Inner {
    code: u32,
    reason: String,
    retry: RetryClass,
    retry_after: Duration,
    what: String,
    why: String,
    next_step: String,
    details: HashMap<String, String>,
}

impl Error {
    pub(crate) fn new(
        code: u32,
        what: impl Into<String>,
        why: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self::from_wire(&wire_error(code, what, why, next_step))
    }

    pub(crate) fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(codes::INVALID_ARGUMENT, what, why, "correct the argument")
    }

    pub(crate) fn too_large(what: &str, size: usize, limit: usize) -> Self {
        let mut wire = wire_error(
            codes::TOO_LARGE,
            format!("{what} has {size} bytes"),
            format!("the limit is {limit}"),
            "make it smaller; put what is large elsewhere and publish where it is",
        );
        wire.metadata = HashMap::from([
            ("size".into(), size.to_string()),
            ("limit".into(), limit.to_string()),
        ]);
        Self::from_wire(&wire)
    }

    pub(crate) fn closed(what: impl fmt::Display) -> Self {
        Self::new(
            codes::CLIENT_CLOSED,
            format!("{what} is closed"),
            "close was called",
            "open a new one",
        )
    }

    pub(crate) fn from_wire(e: &pb::Error) -> Self {
        let reason = match codes::lookup(e.code) {
            _ if !e.reason.is_empty() => e.reason.clone(),
            Some(info) => info.reason.to_owned(),
            None => format!("CODE_{}", e.code),
        };
        Self(Arc::new(Inner {
            code: e.code,
            reason,
            retry: retry_class(e),
            retry_after: Duration::from_millis(e.retry_after_ms.into()),
            what: e.message.clone(),
            why: e.cause.clone(),
            next_step: e.next_step.clone(),
            details: e.metadata.clone(),
        }))
    }

    /// The number in the registry.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.0.code
    }

    /// The name in the registry, for instance TOPIC_NOT_FOUND.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What may be done with the failed request.
    #[must_use]
    pub fn retry(&self) -> RetryClass {
        self.0.retry
    }

    /// Whether what was asked for may have happened all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.0.retry == RetryClass::UnknownOutcome || self.0.code == codes::OUTCOME_UNKNOWN
    }

    /// How long to wait before a retry; zero when the broker did not say.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.0.retry_after
    }

    /// What happened, naming topic, partition, offset or endpoint.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The cause; may be empty.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.0.why
    }

    /// What to do next; may be empty.
    #[must_use]
    pub fn next_step(&self) -> &str {
        &self.0.next_step
    }

    /// Figures that belong to the error, such as limit and size.
    #[must_use]
    pub fn details(&self) -> &HashMap<String, String> {
        &self.0.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.0.reason, self.0.code, self.0.what)?;
        if !self.0.why.is_empty() {
            write!(f, "; cause: {}", self.0.why)?;
        }
        if !self.0.next_step.is_empty() {
            write!(f, "; next: {}", self.0.next_step)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error of this side in the shape in which a broker's come.
pub(crate) fn wire_error(
    code: u32,
    what: impl Into<String>,
    why: impl Into<String>,
    next_step: impl Into<String>,
) -> pb::Error {
    let info = codes::lookup(code);
    pb::Error {
        code,
        reason: info.map(|info| info.reason.to_owned()).unwrap_or_default(),
        retry: match class(RetryClass::Never, code) {
            RetryClass::Never => 0,
            RetryClass::Safe => 1,
            RetryClass::UnknownOutcome => 2,
            RetryClass::Refresh => 3,
        },
        message: what.into(),
        cause: why.into(),
        next_step: next_step.into(),
        ..pb::Error::default()
    }
}

pub(crate) fn retry_class(e: &pb::Error) -> RetryClass {
    class(RetryClass::of(e.retry), e.code)
}

/// Gives each error of single items its texts: in an answer only the first error of a code has them.
pub(crate) fn item_errors(
    items: Vec<pb::ItemError>,
    mut each: impl FnMut(std::ops::Range<usize>, Error),
) {
    let mut told: HashMap<u32, pb::Error> = HashMap::new();
    for item in items {
        let mut e = item.error.unwrap_or_default();
        let first = told.entry(e.code).or_insert_with(|| e.clone());
        if e.message.is_empty() {
            e.message.clone_from(&first.message);
            e.cause.clone_from(&first.cause);
            e.next_step.clone_from(&first.next_step);
        }
        let from = item.index as usize;
        each(
            from..from + item.count.max(1) as usize,
            Error::from_wire(&e),
        );
    }
}
