use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Malformed, INDEX_ENTRY_BYTES, MAX_BATCH_RECORDS, TRACE_BYTES};

pub(crate) const BATCH_HEADER_BYTES: usize = 72;
const RECORD_FIXED: usize = 8;
const TIME_BYTES: usize = 8;
const AT_LENGTH: usize = 8;
const AT_APPEND_TIME: usize = 16;
const AT_MAGIC: usize = 24;
const AT_CRC: usize = 28;
const CRC_START: usize = 32;
const AT_EPOCH: usize = 34;
const AT_COUNT: usize = 36;
const AT_PRODUCER_ID: usize = 40;
const AT_SEQUENCE: usize = 48;
const AT_FIRST_TIME: usize = 56;
const AT_MAX_DELTA: usize = 64;
const AT_BODY_LENGTH: usize = 68;
const MAGIC: u8 = 1;

const HAS_KEY: u8 = 1;
const HAS_HEADERS: u8 = 2;
const TOMBSTONE: u8 = 4;
const HAS_DELIVER_AT: u8 = 8;
const HAS_DEDUP_ID: u8 = 16;
const HAS_TRACE: u8 = 32;
const HAS_EXPIRES_AT: u8 = 64;
const KNOWN_FLAGS: u8 =
    HAS_KEY | HAS_HEADERS | TOMBSTONE | HAS_DELIVER_AT | HAS_DEDUP_ID | HAS_TRACE | HAS_EXPIRES_AT;

/// fmix32 (MurmurHash3) of the key's CRC-32C.
pub(crate) fn key_hash(key: &[u8]) -> u32 {
    let mut h = crc32c::crc32c(key);
    h ^= h >> 16;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// The share that is everybody.
const ROLLOUT_ALL: u32 = 10_000;

/// Where one of those that a toggle concerns is, from 0 to 9,999.
pub(crate) fn rollout_bucket(toggle: &str, id: &[u8]) -> u32 {
    key_hash(&[toggle.as_bytes(), b":", id].concat()) % ROLLOUT_ALL
}

/// Whether it is among the first so many of ten thousand.
pub(crate) fn in_rollout(toggle: &str, id: &[u8], rollout_bp: u32) -> bool {
    rollout_bp >= ROLLOUT_ALL || rollout_bucket(toggle, id) < rollout_bp
}

/// The partition of a key's hash.
pub(crate) fn partition_of(hash: u32, partitions: usize) -> usize {
    ((u64::from(hash) * partitions as u64) >> 32) as usize
}

/// A record on its way into a batch; checked before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutRecord<'a> {
    pub key: Option<&'a [u8]>,
    pub value: &'a [u8],
    pub headers: &'a [(String, Bytes)],
    /// Headers that the client writes itself, behind the others.
    pub own_headers: [Option<(&'static str, &'a str)>; 2],
    pub dedup_id: Option<&'a [u8]>,
    pub trace: Option<[u8; TRACE_BYTES]>,
    /// Not to be delivered before, ms since 1970.
    pub deliver_at_ms: Option<u64>,
    /// Not to be delivered from then on, ms since 1970.
    pub expires_at_ms: Option<u64>,
}

impl OutRecord<'_> {
    /// Bytes that the record takes in a batch, its index entry included.
    pub fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| 3 + name.len() + value.len())
            .sum();
        let own_headers: usize = self
            .own_headers()
            .map(|(name, value)| 3 + name.len() + value.len())
            .sum();
        INDEX_ENTRY_BYTES
            + RECORD_FIXED
            + self.key.map_or(0, <[u8]>::len)
            + self.value.len()
            + headers
            + own_headers
            + self.dedup_id.map_or(0, |id| 1 + id.len())
            + self.trace.map_or(0, |trace| trace.len())
            + self.deliver_at_ms.map_or(0, |_| TIME_BYTES)
            + self.expires_at_ms.map_or(0, |_| TIME_BYTES)
    }

    fn own_headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.own_headers.iter().flatten().copied()
    }

    fn flags(&self, headers: usize) -> u8 {
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        flag(self.key.is_some(), HAS_KEY)
            | flag(headers > 0, HAS_HEADERS)
            | flag(self.deliver_at_ms.is_some(), HAS_DELIVER_AT)
            | flag(self.expires_at_ms.is_some(), HAS_EXPIRES_AT)
            | flag(self.dedup_id.is_some(), HAS_DEDUP_ID)
            | flag(self.trace.is_some(), HAS_TRACE)
    }
}

/// Encodes records one after the other.
#[derive(Debug)]
pub(crate) struct BatchWriter {
    head: BytesMut,
    body: BytesMut,
    count: u32,
    first_time: u64,
    max_delta: u64,
}

impl BatchWriter {
    pub fn new(room: usize) -> Self {
        let mut head = BytesMut::with_capacity(BATCH_HEADER_BYTES + 512 * INDEX_ENTRY_BYTES);
        head.put_bytes(0, BATCH_HEADER_BYTES);
        Self {
            head,
            body: BytesMut::with_capacity(room),
            count: 0,
            first_time: 0,
            max_delta: 0,
        }
    }

    pub fn count(&self) -> usize {
        self.count as usize
    }

    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Appends a record. A time before the first record's counts as that one's.
    pub fn add(&mut self, time_ms: u64, record: &OutRecord<'_>, hash: u32) {
        if self.count == 0 {
            self.first_time = time_ms;
        }
        let delta = time_ms.saturating_sub(self.first_time);
        self.max_delta = self.max_delta.max(delta);
        let start = self.body.len();
        let headers = record.headers.len() + record.own_headers().count();
        let body = &mut self.body;
        body.put_u32(delta as u32);
        body.put_u8(record.flags(headers));
        body.put_u8(headers as u8);
        body.put_u16(record.key.map_or(0, <[u8]>::len) as u16);
        if let Some(trace) = &record.trace {
            body.put_slice(trace);
        }
        for ms in [record.deliver_at_ms, record.expires_at_ms]
            .iter()
            .flatten()
        {
            body.put_u64(*ms);
        }
        if let Some(id) = record.dedup_id {
            body.put_u8(id.len() as u8);
            body.put_slice(id);
        }
        body.put_slice(record.key.unwrap_or_default());
        for (name, value) in record.headers {
            put_header(body, name, value);
        }
        for (name, value) in record.own_headers() {
            put_header(body, name, value.as_bytes());
        }
        body.put_slice(record.value);
        self.head.put_u32((self.body.len() - start) as u32);
        self.head.put_u32(hash);
        self.count += 1;
    }

    /// Bytes of a record, its index entry included.
    pub fn size(&self, index: usize) -> usize {
        INDEX_ENTRY_BYTES
            + be32(&self.head, BATCH_HEADER_BYTES + index * INDEX_ENTRY_BYTES) as usize
    }

    /// A batch of some of these records, as they are; their indexes rise.
    pub fn part(&self, indexes: &[usize]) -> Self {
        let room = indexes.iter().map(|index| self.size(*index)).sum();
        let mut part = Self::new(room);
        part.first_time = self.first_time;
        let (mut at, mut next) = (0, indexes.iter().copied().peekable());
        for index in 0..self.count() {
            let end = at + self.size(index) - INDEX_ENTRY_BYTES;
            if next.next_if_eq(&index).is_some() {
                let entry = BATCH_HEADER_BYTES + index * INDEX_ENTRY_BYTES;
                part.head
                    .put_slice(&self.head[entry..entry + INDEX_ENTRY_BYTES]);
                part.body.put_slice(&self.body[at..end]);
                part.max_delta = part.max_delta.max(be32(&self.body, at).into());
                part.count += 1;
            }
            at = end;
        }
        part
    }

    /// Completes the batch under a producer's id, epoch and sequence; it may be sealed again under another epoch. The batch is
    /// both parts, one after the other.
    pub fn seal(&mut self, producer_id: u64, epoch: u16, sequence: u64) -> (&[u8], &[u8]) {
        let length = (self.len() - AT_LENGTH - 4) as u32;
        let h = &mut self.head[..];
        h[..BATCH_HEADER_BYTES].fill(0);
        let mut put = |at: usize, bytes: &[u8]| h[at..at + bytes.len()].copy_from_slice(bytes);
        put(AT_LENGTH, &length.to_be_bytes());
        put(AT_MAGIC, &[MAGIC]);
        put(AT_EPOCH, &epoch.to_be_bytes());
        put(AT_COUNT, &self.count.to_be_bytes());
        put(AT_PRODUCER_ID, &producer_id.to_be_bytes());
        put(AT_SEQUENCE, &sequence.to_be_bytes());
        put(AT_FIRST_TIME, &self.first_time.to_be_bytes());
        put(AT_MAX_DELTA, &(self.max_delta as u32).to_be_bytes());
        put(AT_BODY_LENGTH, &(self.body.len() as u32).to_be_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&self.head[CRC_START..]), &self.body);
        self.head[AT_CRC..AT_CRC + 4].copy_from_slice(&crc.to_be_bytes());
        (&self.head, &self.body)
    }
}

fn put_header(body: &mut BytesMut, name: &str, value: &[u8]) {
    body.put_u8(name.len() as u8);
    body.put_slice(name.as_bytes());
    body.put_u16(value.len() as u16);
    body.put_slice(value);
}

/// A checked batch as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Batch(Bytes);

fn be32(b: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

fn be64(b: &[u8], at: usize) -> u64 {
    u64::from(be32(b, at)) << 32 | u64::from(be32(b, at + 4))
}

impl Batch {
    /// Checks structure, limits and CRC of the batch that is these bytes and nothing else.
    pub fn open(b: Bytes) -> Result<Self, Malformed> {
        if b.len() < BATCH_HEADER_BYTES {
            return Err(Malformed(format!(
                "a batch has {} bytes, its header alone has {BATCH_HEADER_BYTES}",
                b.len()
            )));
        }
        let length = be32(&b, AT_LENGTH) as usize + AT_LENGTH + 4;
        if length != b.len() {
            return Err(Malformed(format!(
                "a batch says it has {length} bytes, its frame carries {}",
                b.len()
            )));
        }
        if b[AT_MAGIC] != MAGIC {
            return Err(Malformed(format!(
                "a batch has magic {}, this client knows {MAGIC}",
                b[AT_MAGIC]
            )));
        }
        if crc32c::crc32c(&b[CRC_START..]) != be32(&b, AT_CRC) {
            return Err(Malformed(
                "the CRC32C of a batch does not match its bytes".into(),
            ));
        }
        let codec = b[CRC_START + 1] & 7;
        if codec != 0 {
            return Err(Malformed(format!(
                "a batch is compressed with codec {codec}, which is not known here"
            )));
        }
        Self::check_index(b)
    }

    fn check_index(b: Bytes) -> Result<Self, Malformed> {
        let count = be32(&b, AT_COUNT) as usize;
        if !(1..=MAX_BATCH_RECORDS).contains(&count) {
            return Err(Malformed(format!(
                "a batch holds {count} records, the limits are 1 and {MAX_BATCH_RECORDS}"
            )));
        }
        let Some(body) = b
            .len()
            .checked_sub(BATCH_HEADER_BYTES + count * INDEX_ENTRY_BYTES)
        else {
            return Err(Malformed(format!(
                "the index of a batch of {count} records does not fit its {} bytes",
                b.len()
            )));
        };
        let batch = Self(b);
        let mut sum = 0;
        for i in 0..count {
            let size = batch.record_size(i);
            if size < RECORD_FIXED {
                return Err(Malformed(format!(
                    "record {i} of a batch has {size} bytes, the least is {RECORD_FIXED}"
                )));
            }
            sum += size;
        }
        if sum != body || sum != be32(&batch.0, AT_BODY_LENGTH) as usize {
            return Err(Malformed(format!(
                "the records of a batch add up to {sum} bytes, its body has {body}"
            )));
        }
        Ok(batch)
    }

    /// The count that unchecked bytes claim.
    pub fn claimed_count(b: &[u8]) -> usize {
        (be32(b, AT_COUNT) as usize).clamp(1, MAX_BATCH_RECORDS)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn count(&self) -> usize {
        be32(&self.0, AT_COUNT) as usize
    }

    pub fn append_time_ms(&self) -> u64 {
        be64(&self.0, AT_APPEND_TIME)
    }

    fn record_size(&self, i: usize) -> usize {
        be32(&self.0, BATCH_HEADER_BYTES + i * INDEX_ENTRY_BYTES) as usize
    }

    /// Begins before the first record.
    pub fn records(&self) -> Records {
        Records {
            at: BATCH_HEADER_BYTES + self.count() * INDEX_ENTRY_BYTES,
            index: 0,
        }
    }
}

/// Where a walk through a batch is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    at: usize,
    index: usize,
}

/// One record of a batch; its parts share the batch's memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordView {
    pub timestamp_ms: u64,
    pub key: Option<Bytes>,
    pub dedup_id: Option<Bytes>,
    pub trace: Option<Bytes>,
    pub deliver_at_ms: Option<u64>,
    pub expires_at_ms: Option<u64>,
    pub is_tombstone: bool,
    pub headers: Bytes,
    pub value: Bytes,
}

impl Records {
    /// Moves over the next record without reading it.
    pub fn skip(&mut self, batch: &Batch) {
        self.at += batch.record_size(self.index);
        self.index += 1;
    }

    /// Reads the next record. An error when its parts do not fit its length or its flags; the next call goes on behind it.
    pub fn next(&mut self, batch: &Batch) -> Result<RecordView, Malformed> {
        let index = self.index;
        let start = self.at;
        self.skip(batch);
        let first = be64(&batch.0, AT_FIRST_TIME);
        parse(batch.0.slice(start..self.at), first).ok_or_else(|| {
            Malformed(format!(
                "record {index} of a batch has parts that do not fit"
            ))
        })
    }
}

fn take(rest: &mut Bytes, n: usize) -> Option<Bytes> {
    (n <= rest.len()).then(|| rest.split_to(n))
}

/// Times are below 2^63.
fn take_time(rest: &mut Bytes) -> Option<u64> {
    let ms = take(rest, TIME_BYTES)?.get_u64();
    i64::try_from(ms).is_ok().then_some(ms)
}

fn parse(mut rest: Bytes, first_ms: u64) -> Option<RecordView> {
    let mut view = RecordView {
        timestamp_ms: first_ms.saturating_add(rest.get_u32().into()),
        ..RecordView::default()
    };
    let flags = rest.get_u8();
    let headers = rest.get_u8();
    let key = rest.get_u16() as usize;
    if flags & !KNOWN_FLAGS != 0
        || key > 0 && flags & HAS_KEY == 0
        || headers > 0 && flags & HAS_HEADERS == 0
    {
        return None;
    }
    view.is_tombstone = flags & TOMBSTONE != 0;
    if flags & HAS_TRACE != 0 {
        view.trace = Some(take(&mut rest, TRACE_BYTES)?);
    }
    if flags & HAS_DELIVER_AT != 0 {
        view.deliver_at_ms = Some(take_time(&mut rest)?);
    }
    if flags & HAS_EXPIRES_AT != 0 {
        view.expires_at_ms = Some(take_time(&mut rest)?);
    }
    if flags & HAS_DEDUP_ID != 0 {
        let size = take(&mut rest, 1)?[0] as usize;
        view.dedup_id = Some(take(&mut rest, size).filter(|id| !id.is_empty())?);
    }
    if flags & HAS_KEY != 0 {
        view.key = Some(take(&mut rest, key)?);
    }
    let mut at = 0;
    for _ in 0..headers {
        let name = usize::from(*rest.get(at)?);
        let value = rest.get(at + 1 + name..at + 3 + name)?;
        at += 3 + name + usize::from(u16::from_be_bytes([value[0], value[1]]));
    }
    view.headers = take(&mut rest, at)?;
    view.value = rest;
    Some(view)
}

impl RecordView {
    /// The headers in order.
    pub fn headers(&self) -> Vec<(String, Bytes)> {
        let mut headers = Vec::new();
        let mut rest = self.headers.clone();
        while !rest.is_empty() {
            let name = usize::from(rest.get_u8());
            let name = String::from_utf8_lossy(&rest.split_to(name)).into_owned();
            let value = usize::from(rest.get_u16());
            headers.push((name, rest.split_to(value)));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_is_read_as_such() {
        for (flags, is_tombstone) in [(TOMBSTONE, true), (TOMBSTONE | HAS_KEY, true), (0, false)] {
            let record = Bytes::from(vec![0, 0, 0, 0, flags, 0, 0, 0, b'v']);
            let view = parse(record, 0).expect("the parts fit");
            assert_eq!(
                (view.is_tombstone, &view.value[..]),
                (is_tombstone, &b"v"[..])
            );
        }
    }
}
