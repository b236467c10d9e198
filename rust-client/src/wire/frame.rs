use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::Malformed;

const AFTER_LENGTH: usize = 12;
pub(crate) const PREFIX_BYTES: usize = 16;

const RESPONSE: u8 = 1;
const ERROR: u8 = 2;
const HAS_PAYLOAD: u8 = 4;
pub(crate) const CRITICAL: u8 = 8;

/// The kinds that a client sends or receives; others are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub u8);

impl Kind {
    pub const HELLO: Self = Self(0x01);
    pub const AUTH: Self = Self(0x03);
    pub const PING: Self = Self(0x02);
    pub const GO_AWAY: Self = Self(0x04);
    pub const BYE: Self = Self(0x05);
    pub const BACKPRESSURE: Self = Self(0x06);
    pub const HEALTH_REPORT: Self = Self(0x07);
    pub const TOGGLE_UPDATE: Self = Self(0x08);
    pub const PUBLISH: Self = Self(0x10);
    pub const OPEN_PUBLISHER: Self = Self(0x11);
    pub const CLOSE_PUBLISHER: Self = Self(0x12);
    pub const DELIVER: Self = Self(0x20);
    pub const SUBSCRIBE: Self = Self(0x21);
    pub const CREDIT_GRANT: Self = Self(0x22);
    pub const ACK: Self = Self(0x23);
    pub const HANDOFF: Self = Self(0x24);
    pub const SEEK: Self = Self(0x25);
    pub const UNSUBSCRIBE: Self = Self(0x26);
    pub const METADATA: Self = Self(0x30);
    pub const TOPIC_ADMIN: Self = Self(0x31);
    pub const GROUP_ADMIN: Self = Self(0x32);
    pub const REPLAY_ADMIN: Self = Self(0x35);
}

/// One frame.
#[derive(Debug)]
pub(crate) struct Frame {
    pub kind: Kind,
    pub flags: u8,
    pub channel: u16,
    pub correlation: u32,
    pub header: Bytes,
    pub payload: Bytes,
}

impl Frame {
    pub fn is_response(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    pub fn is_error(&self) -> bool {
        self.flags & ERROR != 0
    }
}

fn u32_at(b: &[u8], at: usize) -> usize {
    u32::from_be_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]) as usize
}

/// Bytes of the frame that begins here, prefix included; none when more bytes are needed to tell. Length and header length are
/// checked before anything of the frame needs to be buffered.
pub(crate) fn frame_length(
    b: &[u8],
    max_frame: usize,
    max_header: usize,
) -> Result<Option<usize>, Malformed> {
    if b.len() < 4 {
        return Ok(None);
    }
    let length = u32_at(b, 0);
    if length > max_frame {
        return Err(Malformed(format!(
            "a frame of {length} bytes is over the limit of {max_frame}"
        )));
    }
    if length < AFTER_LENGTH {
        return Err(Malformed(format!(
            "a frame says it has {length} bytes, the least is {AFTER_LENGTH}"
        )));
    }
    if b.len() < PREFIX_BYTES {
        return Ok(None);
    }
    let header = u32_at(b, 8);
    if header > max_header {
        return Err(Malformed(format!(
            "a header of {header} bytes is over the limit of {max_header}"
        )));
    }
    if header > length - AFTER_LENGTH {
        return Err(Malformed(format!(
            "a header of {header} bytes does not fit its frame of {length}"
        )));
    }
    if b[5] & HAS_PAYLOAD == 0 && header != length - AFTER_LENGTH {
        return Err(Malformed(
            "a frame carries a payload but its flags say it has none".into(),
        ));
    }
    Ok(Some(length + 4))
}

/// Cuts up a whole frame as [`frame_length`] measured it.
pub(crate) fn parse_frame(mut b: Bytes) -> Frame {
    b.advance(4);
    let kind = Kind(b.get_u8());
    let flags = b.get_u8();
    let channel = b.get_u16();
    let header = b.get_u32() as usize;
    let correlation = b.get_u32();
    let header = b.split_to(header);
    Frame {
        kind,
        flags,
        channel,
        correlation,
        header,
        payload: b,
    }
}

/// Puts the prefix of a frame whose header and payload the caller puts next.
pub(crate) fn put_prefix(
    out: &mut BytesMut,
    kind: Kind,
    flags: u8,
    channel: u16,
    correlation: u32,
    header: usize,
    payload: Option<usize>,
) {
    let length = AFTER_LENGTH + header + payload.unwrap_or(0);
    out.put_u32(u32::try_from(length).expect("frames are far below 4 GiB"));
    out.put_u8(kind.0);
    out.put_u8(if payload.is_some() {
        flags | HAS_PAYLOAD
    } else {
        flags
    });
    out.put_u16(channel);
    out.put_u32(u32::try_from(header).expect("headers are far below 4 GiB"));
    out.put_u32(correlation);
}
