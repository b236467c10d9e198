use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::wire::{
    OutRecord, MAX_DEDUP_ID_BYTES, MAX_HEADERS, MAX_HEADER_NAME_BYTES, MAX_HEADER_VALUE_BYTES,
    MAX_KEY_BYTES, TRACE_BYTES,
};
use crate::Error;

/// The header that carries the correlation id.
pub const CORRELATION_HEADER: &str = "spillway-correlation-id";

/// The header that says since when its publisher tries to publish a record, ms since 1970 in digits.
pub const FIRST_ATTEMPT_HEADER: &str = "spillway-first-attempt";

/// Whole ms since 1970, -1 before; a time beyond what the wire can say counts as the last one it can.
fn unix_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(-1, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// The first whole ms that is not before that time from now.
fn ms_from_now(wait: Duration) -> i64 {
    let wait = i64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
    unix_ms(SystemTime::now()).saturating_add(wait)
}

fn time(ms: Option<i64>, what: &str) -> Result<Option<u64>, Error> {
    ms.map(u64::try_from).transpose().map_err(|_| {
        Error::invalid(
            format!("{what} is before 1970"),
            "times are milliseconds since 1970",
        )
    })
}

/// Durability of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// What the topic is configured for.
    #[default]
    Topic,
    /// In the broker's page cache; survives the process.
    Mapped,
    /// Forced to disk; survives the machine.
    Synced,
    /// In the page cache of a majority of replicas.
    QuorumMapped,
    /// Forced to disk on a majority of replicas.
    Quorum,
}

impl Durability {
    pub(crate) fn wire(self) -> i32 {
        match self {
            Self::Topic => 0,
            Self::Mapped => 2,
            Self::Synced => 3,
            Self::QuorumMapped => 4,
            Self::Quorum => 5,
        }
    }

    pub(crate) fn of(wire: i32) -> Self {
        match wire {
            2 => Self::Mapped,
            3 => Self::Synced,
            4 => Self::QuorumMapped,
            5 => Self::Quorum,
            _ => Self::Topic,
        }
    }
}

/// A record to publish. Build one with [`Record::new`] and the methods named like its parts; limits are checked when it is
/// published.
///
/// ```
/// use std::time::Duration;
/// use spillway::Record;
///
/// let reminder = Record::new(r#"{"order": 42}"#)
///     .key("customer-7")
///     .header("region", "eu")
///     .idempotency_key("reminder-42")
///     .deliver_after(Duration::from_secs(3_600))
///     .expires_after(Duration::from_secs(86_400));
/// let later = reminder.clone().partition(3); // a record may be published again, or altered
/// ```
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Bytes,
    pub(crate) headers: Vec<(String, Bytes)>,
    pub(crate) idempotency_key: Option<Bytes>,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) partition: Option<u32>,
    pub(crate) traceparent: Option<String>,
    pub(crate) correlation_id: Option<String>,
    /// Ms since 1970, as the timestamp.
    pub(crate) deliver_at_ms: Option<i64>,
    pub(crate) expires_at_ms: Option<i64>,
    /// In the form in which it travels.
    pub(crate) first_attempt: Option<String>,
}

impl Record {
    /// A record without a key; it goes to any partition.
    pub fn new(value: impl Into<Bytes>) -> Self {
        Self {
            value: value.into(),
            ..Self::default()
        }
    }

    /// At most 1,024 bytes; records of one key go to one partition, in order. Default: none.
    #[must_use]
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a header: name 1 to 255 bytes of UTF-8, value at most 65,535 bytes, at most 64 of them.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// 1 to 255 bytes that name what this record does. Within the topic's window a second record with the same idempotency key
    /// is not stored; its ack is a duplicate with the first one's offset. Default: none.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<Bytes>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// When it happened. Default: when it is published.
    #[must_use]
    pub fn timestamp(self, time: SystemTime) -> Self {
        self.timestamp_ms(unix_ms(time))
    }

    /// When it happened, ms since 1970.
    #[must_use]
    pub fn timestamp_ms(mut self, ms: i64) -> Self {
        self.timestamp_ms = Some(ms);
        self
    }

    /// The partition, from 0. Default: by key, else by idempotency key, else any.
    #[must_use]
    pub fn partition(mut self, index: u32) -> Self {
        self.partition = Some(index);
        self
    }

    /// A trace context as in W3C Trace Context, `00-<trace id>-<span id>-<flags>`. Default: none.
    #[must_use]
    pub fn traceparent(mut self, context: impl Into<String>) -> Self {
        self.traceparent = Some(context.into());
        self
    }

    /// Travels as the header [`CORRELATION_HEADER`]. Default: none.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// Consumers in groups get it at that time, not before; the records behind it do not wait. The broker keeps it meanwhile.
    /// Readers without a group get it at once. Default: at once.
    #[must_use]
    pub fn deliver_at(mut self, time: SystemTime) -> Self {
        self.deliver_at_ms = Some(unix_ms(time));
        self
    }

    /// [`deliver_at`](Record::deliver_at) that long from now, by this machine's clock.
    #[must_use]
    pub fn deliver_after(mut self, wait: Duration) -> Self {
        self.deliver_at_ms = Some(ms_from_now(wait));
        self
    }

    /// From then on it is not delivered any more: a group that has not had it by then gives it to the dead letters, as EXPIRED.
    /// Default: never.
    #[must_use]
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at_ms = Some(unix_ms(time));
        self
    }

    /// [`expires_at`](Record::expires_at) that long from now, by this machine's clock.
    #[must_use]
    pub fn expires_after(mut self, wait: Duration) -> Self {
        self.expires_at_ms = Some(ms_from_now(wait));
        self
    }

    /// Since when you try to publish it: for a record with an idempotency key that is published again after its outcome was
    /// unknown. When the topic has forgotten the keys of that time, nobody can tell whether it is stored, and it is refused with
    /// DEDUP_WINDOW_EXCEEDED rather than perhaps stored twice. Travels as the header [`FIRST_ATTEMPT_HEADER`]. Default: none, it
    /// is new.
    #[must_use]
    pub fn first_attempt(mut self, time: SystemTime) -> Self {
        self.first_attempt = Some(unix_ms(time).to_string());
        self
    }

    /// Checks it and brings it into its wire form.
    pub(crate) fn encode(&self) -> Result<OutRecord<'_>, Error> {
        if let Some(key) = self.key.as_ref().filter(|key| key.len() > MAX_KEY_BYTES) {
            return Err(Error::too_large(
                "the key of a record",
                key.len(),
                MAX_KEY_BYTES,
            ));
        }
        match self.idempotency_key.as_ref().map(Bytes::len) {
            Some(0) => {
                return Err(Error::invalid(
                    "the idempotency key is empty",
                    "it must have 1 to 255 bytes",
                ))
            }
            Some(n) if n > MAX_DEDUP_ID_BYTES => {
                return Err(Error::too_large(
                    "an idempotency key",
                    n,
                    MAX_DEDUP_ID_BYTES,
                ))
            }
            _ => {}
        }
        let own_headers = [
            own_header(CORRELATION_HEADER, self.correlation_id.as_deref()),
            own_header(FIRST_ATTEMPT_HEADER, self.first_attempt.as_deref()),
        ];
        let headers = self.headers.len() + own_headers.iter().flatten().count();
        if headers > MAX_HEADERS {
            return Err(Error::invalid(
                format!("a record has {headers} headers"),
                format!("the limit is {MAX_HEADERS}"),
            ));
        }
        for (name, value) in &self.headers {
            check_header(name, value.len())?;
        }
        for (name, value) in own_headers.iter().flatten() {
            check_header(name, value.len())?;
        }
        if self
            .first_attempt
            .as_ref()
            .is_some_and(|ms| ms.starts_with('-'))
        {
            return Err(Error::invalid(
                "the first attempt is before 1970",
                "times are milliseconds since 1970",
            ));
        }
        time(self.timestamp_ms, "the timestamp")?;
        Ok(OutRecord {
            key: self.key.as_deref(),
            value: &self.value,
            headers: &self.headers,
            own_headers,
            dedup_id: self.idempotency_key.as_deref(),
            trace: self
                .traceparent
                .as_deref()
                .map(parse_traceparent)
                .transpose()?,
            deliver_at_ms: time(self.deliver_at_ms, "the time of delivery")?,
            expires_at_ms: time(self.expires_at_ms, "the time of expiry")?,
        })
    }
}

fn own_header<'a>(name: &'static str, value: Option<&'a str>) -> Option<(&'static str, &'a str)> {
    value.map(|value| (name, value))
}

fn check_header(name: &str, value: usize) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(
            "a header's name is empty",
            "a name has 1 to 255 bytes",
        ));
    }
    if name.len() > MAX_HEADER_NAME_BYTES {
        return Err(Error::too_large(
            "a header's name",
            name.len(),
            MAX_HEADER_NAME_BYTES,
        ));
    }
    if value > MAX_HEADER_VALUE_BYTES {
        return Err(Error::too_large(
            &format!("the header {name}"),
            value,
            MAX_HEADER_VALUE_BYTES,
        ));
    }
    Ok(())
}

fn parse_traceparent(text: &str) -> Result<[u8; TRACE_BYTES], Error> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = parts.concat();
    let mut trace = [0; TRACE_BYTES];
    let whole = lengths == [2, 32, 16, 2] && digits.is_ascii();
    for (i, byte) in trace.iter_mut().enumerate() {
        match u8::from_str_radix(digits.get(2 * i..2 * i + 2).unwrap_or_default(), 16) {
            Ok(value) if whole => *byte = value,
            _ => {
                return Err(Error::invalid(
                    format!("the trace context \"{text}\" is wrong"),
                    "it must be 00-<32 hex digits>-<16 hex digits>-<2 hex digits>",
                ))
            }
        }
    }
    Ok(trace)
}

pub(crate) fn format_traceparent(trace: &[u8]) -> String {
    let mut text = String::with_capacity(55);
    for (i, byte) in trace.iter().enumerate() {
        let dash = if [1, 17, 25].contains(&i) { "-" } else { "" };
        let _ = write!(text, "{dash}{byte:02x}"); // a string takes everything
    }
    text
}

/// The broker has the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Partition it is in.
    pub partition: u32,
    /// Its offset in the partition; none when it is a duplicate older than what the broker remembers.
    pub offset: Option<u64>,
    /// The durability it has.
    pub durability: Durability,
    /// It was there before; offset and time are those of the first copy.
    pub duplicate: bool,
    /// The durability asked for could not be reached and the producer allows less.
    pub degraded: bool,
    /// When the broker appended it, ms since 1970.
    pub append_time_ms: u64,
    pub(crate) zone_lag: Option<Arc<[ZoneLag]>>,
}

impl Ack {
    /// How far the zones of the cluster are that acks do not wait for; empty when there are none.
    #[must_use]
    pub fn zone_lag(&self) -> &[ZoneLag] {
        self.zone_lag.as_deref().unwrap_or_default()
    }
}

/// How far a zone is that acks do not wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneLag {
    /// Its name.
    pub zone: String,
    /// For how long it has lacked something that was agreed on; zero when it has everything. Of up to 200 ms ago.
    pub lag: Duration,
}
