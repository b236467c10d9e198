use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{Instrument as _, Span};

use crate::client::Shared;
use crate::codes;
use crate::conn::Conn;
use crate::core::ConnectLimit;
use crate::error::wire_error;
use crate::login::Login;
use crate::pb;
use crate::wire::{
    client_preface, frame_length, parse_broker_preface, parse_frame, put_prefix, BrokerPreface,
    Frame, Kind, CRITICAL, MAX_FRAME_BYTES, MAX_HEADER_BYTES, MAX_VERSION, MIN_VERSION,
    PREFACE_BUSY, PREFACE_BYTES, PREFACE_DRAINING, PREFACE_OK,
};

pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const TICK: Duration = Duration::from_millis(20);
const READ_CHUNK: usize = 256 << 10;

/// The attempts to connect again of all clients of this process, and since when their time counts.
static RECONNECTS: Mutex<(ConnectLimit, Option<Instant>)> = Mutex::new((ConnectLimit::new(), None));

/// How long until the process may connect again.
fn take_turn(now: Instant) -> Duration {
    let mut reconnects = RECONNECTS.lock().unwrap_or_else(PoisonError::into_inner);
    let (limit, start) = &mut *reconnects;
    let since = now.saturating_duration_since(*start.get_or_insert(now));
    Duration::from_millis(limit.take(since.as_millis() as u64))
}

/// Gives time its turn until the client is closed.
pub(crate) async fn tick(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            due = ticks.tick() => {
                let late = due.elapsed();
                shared.with(|state| {
                    state.net.health.on_tick(late);
                    state.tick(Instant::now());
                });
            }
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Connects as the client's machine decides, until the client is closed.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let wanted = shared.with(|state| {
        let (now, r) = (state.net.now_ms(), state.net.r());
        let actions = state.net.machine.start(now, r);
        state.perform(actions);
        state.net.dial_wanted.clone()
    });
    let mut tried = HashSet::new();
    loop {
        for candidate in shared.with(|state| std::mem::take(&mut state.net.dials)) {
            let again = !tried.insert(candidate);
            tokio::spawn(until_stopped(shared.clone(), candidate, again));
        }
        tokio::select! {
            () = wanted.notified() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// A client's first attempt with an endpoint need not wait for its turn.
async fn until_stopped(shared: Arc<Shared>, candidate: usize, again: bool) {
    let mut stop = shared.stop.subscribe();
    let endpoint = shared.with(|state| state.net.endpoint(candidate));
    let span = tracing::debug_span!(
        target: "spillway",
        "connection",
        client = shared.opts.name,
        endpoint,
        session = tracing::field::Empty,
    );
    let connected = async {
        if again {
            sleep(take_turn(Instant::now())).await;
        }
        connect(&shared, candidate, endpoint, &span).await;
    };
    tokio::select! {
        () = connected.instrument(span.clone()) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// Connects to one endpoint and serves the connection until its end.
async fn connect(shared: &Shared, candidate: usize, endpoint: String, span: &Span) {
    let started = Instant::now();
    let (socket, hello) = match dial(shared, &endpoint, candidate).await {
        Ok(connected) => connected,
        Err(e) => return shared.with(|state| state.on_connect_failed(candidate, e)),
    };
    span.record("session", hello.session_epoch);
    let heartbeat = match hello.heartbeat_ms {
        0 => shared.opts.heartbeat,
        ms => Duration::from_millis(ms.into()),
    };
    let (id, wake) = shared.with(|state| {
        let id = state.net.id();
        let conn = Conn::new(id, candidate, endpoint.clone(), heartbeat, hello.state);
        let wake = conn.wake.clone();
        state.on_connected(conn, &hello, started.elapsed().as_millis() as u64);
        (id, wake)
    });
    let why = match socket {
        Socket::Plain(socket) => {
            let (reader, writer) = socket.into_split();
            serve(shared, reader, writer, id, heartbeat, &wake).await
        }
        #[cfg(feature = "tls")]
        Socket::Encrypted(socket) => {
            let (reader, writer) = tokio::io::split(socket);
            serve(shared, reader, writer, id, heartbeat, &wake).await
        }
    };
    shared.with(|state| state.on_lost(id, lost(&endpoint, &why)));
}

/// A connection once its handshake is done.
enum Socket {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Encrypted(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn serve(
    shared: &Shared,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    id: u64,
    heartbeat: Duration,
    wake: &Notify,
) -> String {
    tokio::select! {
        why = read(shared, reader, id, heartbeat) => why,
        why = write(shared, writer, id, wake) => why,
    }
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

async fn dial(
    shared: &Shared,
    endpoint: &str,
    candidate: usize,
) -> Result<(Socket, pb::HelloOk), pb::Error> {
    let limit = shared.opts.connect_timeout;
    let socket = match timeout(limit, TcpStream::connect(endpoint)).await {
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
    shared.with(|state| {
        let actions = state.net.machine.connected(candidate);
        state.perform(actions);
    });
    timeout(HANDSHAKE_TIMEOUT, enter(shared, socket, endpoint))
        .await
        .unwrap_or_else(|_| {
            let why = format!(
                "connected, but no handshake within {} ms",
                HANDSHAKE_TIMEOUT.as_millis()
            );
            Err(cannot_connect(endpoint, why))
        })
}

fn unreachable(e: &std::io::Error) -> String {
    match e.kind() {
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "no route to the host".into(),
        _ if e.to_string().contains("lookup") => "the host name is not known".into(),
        _ => e.to_string(),
    }
}

async fn enter(
    shared: &Shared,
    mut socket: TcpStream,
    endpoint: &str,
) -> Result<(Socket, pb::HelloOk), pb::Error> {
    #[cfg(feature = "tls")]
    if let Some(tls) = &shared.opts.tls {
        let mut socket = tls.encrypt(socket, endpoint).await?;
        let hello = handshake(shared, &mut socket, endpoint).await?;
        return Ok((Socket::Encrypted(socket), hello));
    }
    let hello = handshake(shared, &mut socket, endpoint).await?;
    Ok((Socket::Plain(socket), hello))
}

async fn handshake(
    shared: &Shared,
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    endpoint: &str,
) -> Result<pb::HelloOk, pb::Error> {
    let broken = |e: std::io::Error| {
        #[cfg(feature = "tls")]
        if let Some(failed) = crate::tls::failure(endpoint, &e) {
            return failed;
        }
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
    let mut hello = shared.hello();
    let mut login = Login::begin(&shared.opts.credentials, endpoint, &mut hello)?;
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
    socket.flush().await.map_err(broken)?;
    let mut answer = [0; PREFACE_BYTES];
    socket.read_exact(&mut answer).await.map_err(broken)?;
    let preface = parse_broker_preface(answer).map_err(|e| strange(e.to_string()))?;
    refusal(endpoint, preface)?;
    let unread = |e: std::io::Error| match e.kind() {
        ErrorKind::InvalidData if Malformed::is(&e) => strange(e.to_string()),
        _ => broken(e),
    };
    let mut ok = hello_ok(
        read_frame(socket).await.map_err(unread)?,
        Kind::HELLO,
        endpoint,
    )?;
    if ok.auth_more {
        let data = login
            .answer(&ok.auth_data)
            .ok_or_else(|| cannot_connect(endpoint, "its challenge cannot be meant"))?;
        let auth = pb::Auth { data: data.into() };
        out.clear();
        put_prefix(
            &mut out,
            Kind::AUTH,
            CRITICAL,
            0,
            2,
            auth.encoded_len(),
            None,
        );
        auth.encode(&mut out).expect("the buffer grows");
        socket.write_all(&out).await.map_err(broken)?;
        socket.flush().await.map_err(broken)?;
        ok = hello_ok(
            read_frame(socket).await.map_err(unread)?,
            Kind::AUTH,
            endpoint,
        )?;
    }
    login.check(endpoint, &ok.auth_data)?;
    Ok(ok)
}

/// The answer to HELLO, or to AUTH, which is the same.
fn hello_ok(frame: Frame, kind: Kind, endpoint: &str) -> Result<pb::HelloOk, pb::Error> {
    if frame.is_error() {
        return Err(pb::Error::decode(frame.header).unwrap_or_else(|e| {
            cannot_connect(endpoint, format!("what it sends is not the protocol: {e}"))
        }));
    }
    let is_hello = frame.kind == kind && frame.is_response();
    match pb::HelloOk::decode(frame.header) {
        Ok(ok) if is_hello => Ok(ok),
        _ => Err(cannot_connect(
            endpoint,
            format!("its first frame is of kind {}, not a Hello", frame.kind.0),
        )),
    }
}

/// A frame that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Malformed(String);

impl Malformed {
    fn is(e: &std::io::Error) -> bool {
        e.get_ref()
            .and_then(|inner| inner.downcast_ref::<Self>())
            .is_some()
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
async fn read_frame(socket: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Frame> {
    let mut bytes = BytesMut::zeroed(16);
    socket.read_exact(&mut bytes).await?;
    let length = frame_length(&bytes, MAX_FRAME_BYTES, MAX_HEADER_BYTES)
        .map_err(|e| std::io::Error::new(ErrorKind::InvalidData, Malformed(e.to_string())))?
        .expect("the prefix is there");
    bytes.resize(length, 0);
    socket.read_exact(&mut bytes[16..]).await?;
    Ok(parse_frame(bytes.freeze()))
}

/// Reads until the connection ends; says why.
async fn read(
    shared: &Shared,
    mut socket: impl AsyncRead + Unpin,
    id: u64,
    heartbeat: Duration,
) -> String {
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    loop {
        buffer.reserve(READ_CHUNK);
        match timeout(heartbeat * 3, socket.read_buf(&mut buffer)).await {
            Err(_) => {
                return format!(
                    "nothing came from the broker for {} ms",
                    (heartbeat * 3).as_millis()
                )
            }
            Ok(Ok(0)) => return "the broker closed the connection".into(),
            Ok(Err(e)) if e.kind() == ErrorKind::ConnectionReset => {
                return "the connection was reset".into()
            }
            Ok(Err(e)) => return e.to_string(),
            Ok(Ok(_)) => {}
        }
        loop {
            match frame_length(&buffer, MAX_FRAME_BYTES, MAX_HEADER_BYTES) {
                Err(e) => return format!("what it sends is not the protocol: {e}"),
                Ok(Some(length)) if length <= buffer.len() => {
                    frames.push(parse_frame(buffer.split_to(length).freeze()));
                }
                Ok(_) => break,
            }
        }
        let handled = shared.with(|state| {
            let handled = frames
                .drain(..)
                .try_for_each(|frame| state.on_frame(id, frame));
            shared.pump(state);
            handled
        });
        if let Err(e) = handled {
            return format!("what it sends is not the protocol: {e}");
        }
    }
}

/// Gives publishing its turns and writes what is queued, until the connection is closed by us or fails; says why.
async fn write(
    shared: &Shared,
    mut socket: impl AsyncWrite + Unpin,
    id: u64,
    wake: &Notify,
) -> String {
    let mut out = BytesMut::new();
    loop {
        tokio::select! {
            () = shared.wake.notified() => {}
            () = wake.notified() => {}
        }
        loop {
            out.clear();
            let open = shared.with(|state| {
                shared.pump(state);
                let Some(conn) = state.net.conn(Some(id)) else {
                    return false;
                };
                std::mem::swap(&mut conn.out, &mut out);
                if !out.is_empty() {
                    conn.last_write = Instant::now();
                }
                true
            });
            if !open {
                return "the client has left it".into();
            }
            if out.is_empty() {
                break;
            }
            if let Err(e) = socket.write_all(&out).await {
                return e.to_string();
            }
            if let Err(e) = socket.flush().await {
                return e.to_string();
            }
        }
    }
}
