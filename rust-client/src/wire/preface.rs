use super::Malformed;

pub(crate) const PREFACE_BYTES: usize = 8;
pub(crate) const MIN_VERSION: u8 = 1;
pub(crate) const MAX_VERSION: u8 = 1;
pub(crate) const PREFACE_OK: u8 = 0;
pub(crate) const PREFACE_BUSY: u8 = 2;
pub(crate) const PREFACE_DRAINING: u8 = 3;

const MAGIC: [u8; 4] = [0x9b, b'S', b'P', b'\n'];

/// The first eight bytes from the client.
pub(crate) fn client_preface() -> [u8; PREFACE_BYTES] {
    [
        MAGIC[0],
        MAGIC[1],
        MAGIC[2],
        MAGIC[3],
        MIN_VERSION,
        MAX_VERSION,
        0,
        0,
    ]
}

/// A broker's answer: the chosen version, the range it speaks, and a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BrokerPreface {
    pub chosen: u8,
    pub min: u8,
    pub max: u8,
    pub code: u8,
}

pub(crate) fn parse_broker_preface(b: [u8; PREFACE_BYTES]) -> Result<BrokerPreface, Malformed> {
    if b[..4] != MAGIC {
        return Err(Malformed(format!(
            "the peer answers {:02x?}, which is not the protocol of Spillway",
            &b[..4]
        )));
    }
    Ok(BrokerPreface {
        chosen: b[4],
        min: b[5],
        max: b[6],
        code: b[7],
    })
}

/// The smaller of both maxima if that is at least the larger of both minima, else 0.
#[cfg(test)]
pub(crate) fn negotiate(client: (u8, u8), broker: (u8, u8)) -> u8 {
    let chosen = client.1.min(broker.1);
    if chosen < client.0.max(broker.0) {
        0
    } else {
        chosen
    }
}
