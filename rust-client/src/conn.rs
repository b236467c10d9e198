use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use tokio::sync::{oneshot, Notify};

use crate::wire::{put_prefix, Kind};

/// What an answer is for.
#[derive(Debug)]
pub(crate) enum Waiting {
    Pong,
    Bye(oneshot::Sender<()>),
    Publish {
        producer: u64,
        part: usize,
        serial: u64,
    },
    OpenPublisher {
        producer: u64,
        part: usize,
    },
    Call(u64),
    Subscribe(u64),
    Unsubscribe(u64),
    Ack {
        sub: u64,
        bundle: u64,
    },
}

/// Whose a channel is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Publisher { producer: u64, part: usize },
    Subscription(u64),
}

/// One session, without its socket.
#[derive(Debug)]
pub(crate) struct Conn {
    pub id: u64,
    /// Which of the machine's candidates it is to.
    pub candidate: usize,
    pub endpoint: String,
    pub heartbeat: Duration,
    pub state: i32,
    pub reads_health: bool,
    pub out: BytesMut,
    pub waiting: HashMap<u32, Waiting>,
    pub channels: HashMap<u16, Owner>,
    pub correlation: u32,
    channel: u16,
    pub last_write: Instant,
    /// Work for the task that writes it; also when it is to end.
    pub wake: Arc<Notify>,
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

impl Conn {
    pub fn new(
        id: u64,
        candidate: usize,
        endpoint: String,
        heartbeat: Duration,
        state: i32,
    ) -> Self {
        Self {
            id,
            candidate,
            endpoint,
            heartbeat,
            state,
            reads_health: false,
            out: BytesMut::new(),
            waiting: HashMap::new(),
            channels: HashMap::new(),
            correlation: 1,
            channel: 0,
            last_write: Instant::now(),
            wake: Arc::new(Notify::new()),
        }
    }

    /// Sends a request; its answer goes to what waits. Returns its correlation.
    pub fn request(
        &mut self,
        kind: Kind,
        channel: u16,
        header: &impl prost::Message,
        waiting: Waiting,
    ) -> u32 {
        self.request_with(kind, channel, header, None, waiting)
    }

    /// The same with a payload in two parts.
    pub fn request_with(
        &mut self,
        kind: Kind,
        channel: u16,
        header: &impl prost::Message,
        payload: Option<(&[u8], &[u8])>,
        waiting: Waiting,
    ) -> u32 {
        self.correlation = self.correlation.wrapping_add(1).max(1);
        self.waiting.insert(self.correlation, waiting);
        self.put(kind, 0, channel, self.correlation, header, payload);
        self.correlation
    }

    /// Sends what has no answer.
    pub fn send(&mut self, kind: Kind, channel: u16, header: &impl prost::Message) {
        self.put(kind, 0, channel, 0, header, None);
    }

    pub fn put(
        &mut self,
        kind: Kind,
        flags: u8,
        channel: u16,
        correlation: u32,
        header: &impl prost::Message,
        payload: Option<(&[u8], &[u8])>,
    ) {
        let bytes = payload.map(|(head, body)| head.len() + body.len());
        let size = header.encoded_len();
        self.out.reserve(size + bytes.unwrap_or(0) + 16);
        put_prefix(
            &mut self.out,
            kind,
            flags,
            channel,
            correlation,
            size,
            bytes,
        );
        header.encode(&mut self.out).expect("the buffer grows");
        if let Some((head, body)) = payload {
            self.out.put_slice(head);
            self.out.put_slice(body);
        }
    }

    pub fn open_channel(&mut self, owner: Owner) -> u16 {
        loop {
            self.channel = self.channel.wrapping_add(1);
            if self.channel != 0 && !self.channels.contains_key(&self.channel) {
                self.channels.insert(self.channel, owner);
                return self.channel;
            }
        }
    }
}
