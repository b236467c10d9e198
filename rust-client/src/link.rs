use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use prost::Message as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::client::Shared;
use crate::codes;
use crate::core::{scaled, Backoff, Outcome, CONNECTS};
use crate::error::wire_error;
use crate::net::Conn;
use crate::pb;
use crate::state::State;
use crate::wire::{
    client_preface, frame_length, parse_broker_preface, parse_frame, put_prefix, BrokerPreface,
    Frame, Kind, CRITICAL, MAX_FRAME_BYTES, MAX_HEADER_BYTES, MAX_VERSION, MIN_VERSION,
    PREFACE_BUSY, PREFACE_BYTES, PREFACE_DRAINING, PREFACE_OK,
};
use crate::Error;

pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const TICK: Duration = Duration::from_millis(20);
const READ_CHUNK: usize = 256 << 10;
const FIRST_RECONNECT_MS: u64 = 100;
const BLOCKED: Duration = Duration::from_secs(60);
const STABLE: Duration = Duration::from_secs(30);

/// Gives time its turn until the client is closed.
pub(crate) async fn tick(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => shared.with(|state| state.tick(Instant::now())),
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Connects, serves the connection until its end, and connects again, until the client is closed.
pub(crate) async fn run(shared: Arc<Shared>, first: oneshot::Sender<Result<(), Error>>) {
    let mut stop = shared.stop.subscribe();
    tokio::select! {
        () = connect_for_ever(&shared, first) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn connect_for_ever(shared: &Arc<Shared>, first: oneshot::Sender<Result<(), Error>>) {
    let mut first = Some(first);
    loop {
        let Some((id, socket, heartbeat)) = connect_round(shared).await else {
            let (delay, error, impatient) = shared.with(|state| {
                state.net.failed_rounds += 1;
                let r = state.net.r();
                let delay = CONNECTS.delay(Backoff::Transient, state.net.failed_rounds, r, 0);
                let impatient = shared.opts.wait_for_broker.is_zero() && !state.net.was_ready;
                (delay, Error::from_wire(&state.net.last_error), impatient)
            });
            if let Some(first) = first.take_if(|_| impatient) {
                let _ = first.send(Err(error)); // who waited may have given up
                return;
            }
            tokio::time::sleep(Duration::from_millis(delay)).await;
            continue;
        };
        if let Some(first) = first.take() {
            let _ = first.send(Ok(())); // who waited may have given up
        }
        let (reader, writer) = socket.into_split();
        let why = tokio::select! {
            why = read(shared, reader, heartbeat) => why,
            why = write(shared, writer, id) => why,
        };
        let delay = shared.with(|state| {
            let endpoint = state
                .net
                .conn
                .as_ref()
                .map(|conn| conn.endpoint.clone())
                .unwrap_or_default();
            state.on_lost(id, why.unwrap_or_else(|why| lost(&endpoint, &why)));
            reconnect_delay(state)
        });
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
}

/// Delay after a connection that was lost.
fn reconnect_delay(state: &mut State) -> u64 {
    let net = &mut state.net;
    net.failed_rounds = if net.ready_since.elapsed() > STABLE {
        0
    } else {
        net.failed_rounds + 1
    };
    let r = net.r();
    let delay = match net.failed_rounds {
        0 | 1 => scaled(FIRST_RECONNECT_MS, r),
        rounds => CONNECTS.delay(Backoff::Transient, rounds - 1, r, 0),
    };
    let asked = std::mem::take(&mut net.reconnect_after_ms);
    if net.candidates.len() == 1 {
        CONNECTS.at_least(delay, asked)
    } else {
        delay
    }
}

/// Tries each endpoint once; none when none answered.
async fn connect_round(shared: &Arc<Shared>) -> Option<(u64, TcpStream, Duration)> {
    let (begin, count) = shared.with(|state| {
        (
            std::mem::take(&mut state.net.begin),
            state.net.candidates.len(),
        )
    });
    for i in 0..count {
        let place = (begin + i) % count;
        let Some(endpoint) = shared.with(|state| may_try(state, place)) else {
            continue;
        };
        let started = Instant::now();
        match dial(shared, &endpoint).await {
            Ok((socket, hello)) => {
                let heartbeat = match hello.heartbeat_ms {
                    0 => shared.opts.heartbeat,
                    ms => Duration::from_millis(ms.into()),
                };
                let id = shared.with(|state| {
                    let now = state.net.now_ms();
                    state.net.candidates[place]
                        .breaker
                        .on_success(now, started.elapsed().as_millis() as u64);
                    state.net.chosen = place;
                    let id = state.net.id();
                    state.on_ready(Conn::new(id, endpoint, heartbeat, hello.state));
                    state.pump();
                    id
                });
                return Some((id, socket, heartbeat));
            }
            Err(e) => shared.with(|state| connect_failed(state, place, endpoint, e)),
        }
    }
    None
}

/// With more than half of the breakers open the fault is probably on this side, and they are ignored.
fn may_try(state: &mut State, place: usize) -> Option<String> {
    let now = state.net.now_ms();
    let candidates = &mut state.net.candidates;
    let open = candidates
        .iter()
        .filter(|each| each.breaker.is_open(now))
        .count();
    let panic = open * 2 > candidates.len();
    let candidate = &mut candidates[place];
    let blocked = candidate
        .blocked_until
        .is_some_and(|until| Instant::now() < until);
    (!blocked && (panic || candidate.breaker.allow(now))).then(|| candidate.endpoint.clone())
}

fn connect_failed(state: &mut State, place: usize, endpoint: String, e: pb::Error) {
    let (now, r) = (state.net.now_ms(), state.net.r());
    let candidate = &mut state.net.candidates[place];
    candidate
        .breaker
        .on_failure(now, Outcome::ConnectFailed, 0, r);
    if [
        codes::UNSUPPORTED_VERSION,
        codes::UNSUPPORTED_FEATURE,
        codes::UNAUTHENTICATED,
        codes::PERMISSION_DENIED,
    ]
    .contains(&e.code)
    {
        // Only another configuration can mend that.
        candidate.blocked_until = Some(Instant::now() + BLOCKED);
    }
    let cause = Error::from_wire(&e);
    state.net.last_error = e;
    tracing::debug!(endpoint, cause = %cause, "connect failed");
    state
        .net
        .measure(move |m| m.on_disconnected(&endpoint, &cause));
}

fn cannot_connect(endpoint: &str, why: impl Into<String>) -> pb::Error {
    wire_error(
        codes::CONNECT_FAILED,
        format!("cannot connect to {endpoint}"),
        why,
        "check that a broker listens there and that the endpoint is right",
    )
}

fn lost(endpoint: &str, why: &str) -> pb::Error {
    wire_error(
        codes::CONNECTION_LOST,
        format!("the connection to {endpoint} was lost"),
        why,
        "the client reconnects by itself; if it cannot, check the broker",
    )
}

async fn dial(shared: &Shared, endpoint: &str) -> Result<(TcpStream, pb::HelloOk), pb::Error> {
    let limit = shared.opts.connect_timeout;
    let mut socket = match timeout(limit, TcpStream::connect(endpoint)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(e)) => return Err(cannot_connect(endpoint, unreachable(&e))),
        Err(_) => {
            return Err(cannot_connect(
                endpoint,
                format!("no answer within {} ms", limit.as_millis()),
            ))
        }
    };
    let _ = socket.set_nodelay(true); // slower without, but right
    match timeout(HANDSHAKE_TIMEOUT, handshake(shared, &mut socket, endpoint)).await {
        Ok(Ok(hello)) => Ok((socket, hello)),
        Ok(Err(e)) => Err(e),
        Err(_) => {
            let why = format!(
                "connected, but no handshake within {} ms",
                HANDSHAKE_TIMEOUT.as_millis()
            );
            Err(cannot_connect(endpoint, why))
        }
    }
}

fn unreachable(e: &std::io::Error) -> String {
    match e.kind() {
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "no route to the host".into(),
        _ if e.to_string().contains("lookup") => "the host name is not known".into(),
        _ => e.to_string(),
    }
}

async fn handshake(
    shared: &Shared,
    socket: &mut TcpStream,
    endpoint: &str,
) -> Result<pb::HelloOk, pb::Error> {
    let broken = |e: std::io::Error| {
        let why = match e.kind() {
            ErrorKind::UnexpectedEof => "connected, but the broker closed the connection".into(),
            ErrorKind::ConnectionReset => "connected, but the connection was reset".into(),
            _ => format!("connected, but {e}"),
        };
        cannot_connect(endpoint, why)
    };
    let strange = |why: String| {
        cannot_connect(
            endpoint,
            format!("what it sends is not the protocol: {why}"),
        )
    };
    let hello = shared.hello();
    let mut out = BytesMut::new();
    out.put_slice(&client_preface());
    put_prefix(
        &mut out,
        Kind::HELLO,
        CRITICAL,
        0,
        1,
        hello.encoded_len(),
        None,
    );
    hello.encode(&mut out).expect("the buffer grows");
    socket.write_all(&out).await.map_err(broken)?;
    let mut answer = [0; PREFACE_BYTES];
    socket.read_exact(&mut answer).await.map_err(broken)?;
    let preface = parse_broker_preface(answer).map_err(|e| strange(e.to_string()))?;
    refusal(endpoint, preface)?;
    let frame = read_frame(socket).await.map_err(|e| match e.kind() {
        ErrorKind::InvalidData => strange(e.to_string()),
        _ => broken(e),
    })?;
    if frame.is_error() {
        return Err(pb::Error::decode(frame.header).unwrap_or_else(|e| strange(e.to_string())));
    }
    let is_hello = frame.kind == Kind::HELLO && frame.is_response();
    match pb::HelloOk::decode(frame.header) {
        Ok(ok) if is_hello => Ok(ok),
        _ => Err(cannot_connect(
            endpoint,
            format!("its first frame is of kind {}, not a Hello", frame.kind.0),
        )),
    }
}

fn refusal(endpoint: &str, preface: BrokerPreface) -> Result<(), pb::Error> {
    match preface.code {
        PREFACE_OK if (MIN_VERSION..=MAX_VERSION).contains(&preface.chosen) => Ok(()),
        PREFACE_BUSY => Err(wire_error(
            codes::OVERLOADED,
            format!("{endpoint} takes no more connections"),
            "it is at its limit",
            "try again later or raise the broker's limit",
        )),
        PREFACE_DRAINING => Err(wire_error(
            codes::DRAINING,
            format!("{endpoint} is shutting down"),
            "it takes no new connections",
            "wait for it to come back or use another broker",
        )),
        _ => Err(wire_error(
            codes::UNSUPPORTED_VERSION,
            format!(
                "{endpoint} speaks protocol {} to {}",
                preface.min, preface.max
            ),
            format!("this client speaks {MIN_VERSION} to {MAX_VERSION}"),
            "use a client of the broker's release",
        )),
    }
}

/// Reads one frame during the handshake, byte-exact.
async fn read_frame(socket: &mut TcpStream) -> std::io::Result<Frame> {
    let mut bytes = BytesMut::zeroed(16);
    socket.read_exact(&mut bytes).await?;
    let length = frame_length(&bytes, MAX_FRAME_BYTES, MAX_HEADER_BYTES)
        .map_err(|e| std::io::Error::new(ErrorKind::InvalidData, e.to_string()))?
        .expect("the prefix is there");
    bytes.resize(length, 0);
    socket.read_exact(&mut bytes[16..]).await?;
    Ok(parse_frame(bytes.freeze()))
}

type Ended = Result<pb::Error, String>;

/// Reads until the connection ends; says why.
async fn read(shared: &Shared, mut socket: OwnedReadHalf, heartbeat: Duration) -> Ended {
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    loop {
        buffer.reserve(READ_CHUNK);
        match timeout(heartbeat * 3, socket.read_buf(&mut buffer)).await {
            Err(_) => {
                return Err(format!(
                    "nothing came from the broker for {} ms",
                    (heartbeat * 3).as_millis()
                ))
            }
            Ok(Ok(0)) => return Err("the broker closed the connection".into()),
            Ok(Err(e)) if e.kind() == ErrorKind::ConnectionReset => {
                return Err("the connection was reset".into())
            }
            Ok(Err(e)) => return Err(e.to_string()),
            Ok(Ok(_)) => {}
        }
        loop {
            match frame_length(&buffer, MAX_FRAME_BYTES, MAX_HEADER_BYTES) {
                Err(e) => return Err(format!("what it sends is not the protocol: {e}")),
                Ok(Some(length)) if length <= buffer.len() => {
                    frames.push(parse_frame(buffer.split_to(length).freeze()))
                }
                Ok(_) => break,
            }
        }
        let handled = shared.with(|state| {
            let handled = frames.drain(..).try_for_each(|frame| state.on_frame(frame));
            shared.pump(state);
            handled
        });
        handled.map_err(|e| format!("what it sends is not the protocol: {e}"))?;
    }
}

/// Gives publishing its turns and writes what is queued, until the session is to end; says why.
async fn write(shared: &Shared, mut socket: OwnedWriteHalf, id: u64) -> Ended {
    let mut out = BytesMut::new();
    loop {
        shared.wake.notified().await;
        loop {
            out.clear();
            let failed = shared.with(|state| {
                shared.pump(state);
                let conn = state.net.conn.as_mut().filter(|conn| conn.id == id)?;
                std::mem::swap(&mut conn.out, &mut out);
                conn.last_write = if out.is_empty() {
                    conn.last_write
                } else {
                    Instant::now()
                };
                conn.failed.clone()
            });
            if !out.is_empty() {
                if let Err(e) = socket.write_all(&out).await {
                    return Err(e.to_string());
                }
            }
            if let Some(failed) = failed {
                return Ok(failed);
            }
            if out.is_empty() {
                break;
            }
        }
    }
}
