//! Protocol v1: preface, frames and record batches. Knows neither sockets nor time.

mod batch;
mod frame;
mod preface;
#[cfg(test)]
mod tests;

pub(crate) use batch::{
    in_rollout, key_hash, partition_of, Batch, BatchWriter, OutRecord, RecordView, Records,
    BATCH_HEADER_BYTES,
};
pub(crate) use frame::{frame_length, parse_frame, put_prefix, Frame, Kind, CRITICAL};
pub(crate) use preface::{
    client_preface, parse_broker_preface, BrokerPreface, MAX_VERSION, MIN_VERSION, PREFACE_BUSY,
    PREFACE_BYTES, PREFACE_DRAINING, PREFACE_OK,
};

pub(crate) const INDEX_ENTRY_BYTES: usize = 8;
pub(crate) const MAX_FRAME_BYTES: usize = 16 << 20;
/// Of a frame from a broker.
pub(crate) const MAX_HEADER_BYTES: usize = 1 << 20;
pub(crate) const MAX_BATCH_BYTES: usize = 1 << 20;
pub(crate) const MAX_BATCH_RECORDS: usize = 4_096;
pub(crate) const MAX_KEY_BYTES: usize = 1_024;
pub(crate) const MAX_DEDUP_ID_BYTES: usize = 255;
pub(crate) const MAX_HEADERS: usize = 64;
pub(crate) const MAX_HEADER_NAME_BYTES: usize = 255;
pub(crate) const MAX_HEADER_VALUE_BYTES: usize = 65_535;
pub(crate) const TRACE_BYTES: usize = 26;

/// How the peer broke the protocol.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub String);
